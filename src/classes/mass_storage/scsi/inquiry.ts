/**
 * INQUIRY data (SPC-4, 6.6), and the vital product data pages of SPC-4, 7.8 and
 * SBC-3, 6.5.
 *
 * @module
 */
import type { BlockDevice } from "../block_device/block_device.ts";
import type { Identity } from "./drive.ts";
import { SenseError } from "./sense.ts";

/** The peripheral device type of each kind of unit. */
export const DEVICE_TYPE = { disk: 0x00, cdrom: 0x05 } as const;

/** The first byte for a logical unit that does not exist. */
const NO_UNIT = 0x7f;

const encoder = new TextEncoder();

/** Text of exactly some bytes, with spaces at its end. */
function text(value: string, length: number): Uint8Array {
  return encoder.encode(value.padEnd(length).slice(0, length));
}

/** Standard INQUIRY data. */
export function standardInquiry(identity: Identity | undefined): Uint8Array {
  const data = new Uint8Array(36);
  data[0] = identity === undefined ? NO_UNIT : DEVICE_TYPE[identity.type];
  data[1] = identity?.removable ? 0x80 : 0;
  data[2] = 6; // SPC-4
  data[3] = 2; // the response data format
  data[4] = data.byteLength - 5;
  if (identity === undefined) return data;
  data.set(text(identity.vendor, 8), 8);
  data.set(text(identity.product, 16), 16);
  data.set(text(identity.revision, 4), 32);
  return data;
}

/**
 * A page of vital product data.
 *
 * @throws {SenseError} If there is no such page.
 */
export function vitalProductData(
  page: number,
  identity: Identity,
  medium: BlockDevice | undefined,
): Uint8Array {
  const contents = pages(identity, medium).get(page);
  if (contents === undefined) throw new SenseError("invalid field in cdb");
  const bytes = contents();
  const data = new Uint8Array(4 + bytes.byteLength);
  data[0] = DEVICE_TYPE[identity.type];
  data[1] = page;
  new DataView(data.buffer).setUint16(2, bytes.byteLength);
  data.set(bytes, 4);
  return data;
}

/** The contents of each page, after its length. */
function pages(
  identity: Identity,
  medium: BlockDevice | undefined,
): ReadonlyMap<number, () => Uint8Array> {
  const all: Map<number, () => Uint8Array> = new Map([
    [0x00, (): Uint8Array => Uint8Array.from(all.keys())],
    [0x80, () => encoder.encode(identity.serialNumber)],
    [0x83, () => designators(identity)],
  ]);
  if (identity.type === "disk") {
    const discards = medium?.discard !== undefined;
    all.set(0xb0, () => blockLimits(discards));
    all.set(0xb1, blockCharacteristics);
    all.set(0xb2, () => provisioning(discards));
  }
  return all;
}

/** One designator of the unit: T10 vendor ID based, in ASCII. */
function designators(
  { vendor, product, serialNumber }: Identity,
): Uint8Array {
  const name = encoder.encode(
    vendor.padEnd(8) + product.padEnd(16) + serialNumber,
  );
  return Uint8Array.of(0x02, 0x01, 0, name.byteLength, ...name);
}

const ANY_NUMBER = 0xffffffff;

/** The Block Limits page (SBC-3, 6.5.3). */
function blockLimits(discards: boolean): Uint8Array {
  const data = new Uint8Array(0x3c);
  data[0] = 1; // WSNZ: WRITE SAME needs a number of blocks
  if (discards) {
    const view = new DataView(data.buffer);
    view.setUint32(16, ANY_NUMBER); // blocks in an UNMAP command
    view.setUint32(20, ANY_NUMBER); // and ranges
  }
  return data;
}

/** The Block Device Characteristics page (SBC-3, 6.5.2). */
function blockCharacteristics(): Uint8Array {
  const data = new Uint8Array(0x3c);
  data[1] = 1; // MEDIUM ROTATION RATE: does not rotate
  return data;
}

/** The Logical Block Provisioning page (SBC-3, 6.5.4). */
function provisioning(discards: boolean): Uint8Array {
  // LBPU, LBPWS and LBPWS10; thin provisioning.
  return discards
    ? Uint8Array.of(0, 0xe0, 0x02, 0)
    : Uint8Array.of(0, 0, 0x00, 0);
}
