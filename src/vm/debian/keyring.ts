/**
 * Debian's archive keys, for machines that do not have them.
 *
 * @module
 */

import { concat } from "../machine/stream.ts";

/**
 * The fingerprints of the keys that sign Debian's suites: "Debian Archive
 * Automatic Signing Key" and "Debian Stable Release Key", from package
 * debian-archive-keyring 2023.3+deb12u2.
 */
export const DEBIAN_KEYS: readonly string[] = [
  // 12/bookworm
  "b8b80b5b623eab6ad8775c45b7c5d7d6350947f8",
  "4d64fec119c2029067d6e791f8d2585b8783d481",
  // 13/trixie
  "04b54c3cdca79751b16bc6b5225629df75b188bd",
  "41587f7db8c774bccf131416762f67a0b2c39de4",
];

/** Where Debian's package of keys puts them; older and newer ones differ. */
const KEYRINGS = [
  "/usr/share/keyrings/debian-archive-keyring.gpg",
  "/usr/share/keyrings/debian-archive-keyring.pgp",
];

/** Finds Debian's archive keys below a folder, by default this machine's. */
export async function findKeyring(root = ""): Promise<string | undefined> {
  for (const name of KEYRINGS) {
    const file = root + name;
    if (await Deno.stat(file).then(() => true, () => false)) return file;
  }
  return undefined;
}

/** The type of the packet that a key begins with, RFC 9580 section 5. */
const PUBLIC_KEY = 6;

/** One primary key with what belongs to it: names, signatures, subkeys. */
export interface OpenPgpKey {
  /** In hexadecimal, lower case. */
  fingerprint: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Splits a keyring into its keys. Nothing is verified but the fingerprints:
 * apt itself checks whether a key has signed its subkeys.
 *
 * @throws {RangeError} if these are not packets of OpenPGP, or a key is not of version 4
 */
export async function splitKeyring(
  keyring: Uint8Array,
): Promise<OpenPgpKey[]> {
  const keys: { body: Uint8Array; parts: Uint8Array[] }[] = [];
  for (const { type, body, whole } of packets(keyring)) {
    if (type === PUBLIC_KEY) keys.push({ body, parts: [whole] });
    // What comes before the first key belongs to none.
    else keys.at(-1)?.parts.push(whole);
  }
  return await Promise.all(keys.map(async ({ body, parts }) => ({
    fingerprint: await fingerprint(body),
    bytes: concat(...parts),
  })));
}

/** The keys of a keyring that are Debian's, by their fingerprints. */
export async function debianKeys(
  keyring: Uint8Array,
  known: readonly string[] = DEBIAN_KEYS,
): Promise<Uint8Array<ArrayBuffer>> {
  const keys = await splitKeyring(keyring);
  return concat(
    ...keys.filter((key) => known.includes(key.fingerprint))
      .map(({ bytes }) => bytes),
  );
}

/** RFC 9580, section 5.5.4.2. */
async function fingerprint(body: Uint8Array): Promise<string> {
  if (body[0] !== 4) {
    throw new RangeError(`Cannot read a key of version ${body[0]}`);
  }
  const head = new Uint8Array([0x99, body.length >> 8, body.length & 0xff]);
  const digest = await crypto.subtle.digest("SHA-1", concat(head, body));
  return new Uint8Array(digest).toHex();
}

/** RFC 9580, section 4.2. */
function* packets(
  bytes: Uint8Array,
): Generator<{ type: number; body: Uint8Array; whole: Uint8Array }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let start = 0; start < bytes.length;) {
    const tag = view.getUint8(start);
    if ((tag & 0x80) === 0) {
      throw new RangeError(`Cannot read a keyring: no packet at byte ${start}`);
    }
    const { header, length } = tag & 0x40
      ? newLength(view, start + 1)
      : oldLength(view, start + 1, tag & 3);
    const type = tag & 0x40 ? tag & 0x3f : (tag >> 2) & 0x0f;
    const from = start + 1 + header;
    const end = from + length;
    if (end > bytes.length) {
      throw new RangeError("Cannot read a keyring: its end is missing");
    }
    yield {
      type,
      body: bytes.subarray(from, end),
      whole: bytes.subarray(start, end),
    };
    start = end;
  }
}

interface PacketLength {
  /** Bytes that the length takes. */
  header: number;
  length: number;
}

function oldLength(view: DataView, at: number, type: number): PacketLength {
  switch (type) {
    case 0:
      return { header: 1, length: view.getUint8(at) };
    case 1:
      return { header: 2, length: view.getUint16(at) };
    case 2:
      return { header: 4, length: view.getUint32(at) };
    default:
      throw new RangeError("Cannot read a keyring: a packet has no length");
  }
}

function newLength(view: DataView, at: number): PacketLength {
  const first = view.getUint8(at);
  if (first < 192) return { header: 1, length: first };
  if (first < 224) {
    return {
      header: 2,
      length: ((first - 192) << 8) + view.getUint8(at + 1) + 192,
    };
  }
  if (first === 255) return { header: 5, length: view.getUint32(at + 1) };
  throw new RangeError("Cannot read a keyring: a key in parts");
}
