/**
 * Random changes to descriptor and string blocks.
 *
 * @module
 */
import type { Random } from "../data/random.ts";

/** Changes, adds or removes some bytes of a block, and usually corrects the length field. */
export function mutate(
  random: Random,
  block: Uint8Array,
): Uint8Array<ArrayBuffer> {
  let bytes = [...block];
  for (let i = random.int(1, 3); i > 0; i--) {
    const at = random.int(0, bytes.length - 1);
    switch (random.int(0, 9)) {
      case 0:
        bytes[at] = random.int(0, 255);
        break;
      case 1:
        bytes[at] ^= 1 << random.int(0, 7);
        break;
      case 2:
        bytes[at] = (bytes[at] + random.pick([1, 255])) & 0xff;
        break;
      case 3:
        bytes.splice(at, random.int(1, 12));
        break;
      case 4:
        bytes.splice(at, 0, ...bytes.slice(at, at + random.int(1, 16)));
        break;
      case 5: {
        const [from, to] = descriptorAt(random, bytes);
        bytes.splice(from, to - from);
        break;
      }
      case 6: {
        const [from, to] = descriptorAt(random, bytes);
        bytes.splice(from, 0, ...bytes.slice(from, to));
        break;
      }
      case 8:
        replaceEverywhere(random, bytes);
        break;
      case 9:
        bytes = legacy(bytes);
        break;
      case 7:
        // Change a header word by one: magic, flags, counts.
        bytes[random.pick([0, 8, 9, 12, 16, 20, 24])] ^= 1 << random.int(0, 3);
        break;
    }
    if (bytes.length === 0) bytes = [0];
  }
  const result = Uint8Array.from(bytes);
  if (result.length >= 8 && random.chance(0.95)) {
    new DataView(result.buffer).setUint32(4, result.length, true);
  }
  return result;
}

/** Changes one byte of the same descriptor at all speeds, which the kernel often accepts. */
function replaceEverywhere(random: Random, bytes: number[]): void {
  const [from, to] = descriptorAt(random, bytes);
  if (to - from < 4) return;
  const head = bytes.slice(from, from + 3);
  const at = random.int(2, to - from - 1);
  const value = random.pick([0, 1, 2, 3, 0x0b, 0x81, 0xfe, random.int(0, 255)]);
  for (let i = from; i + at < bytes.length; i++) {
    if (head.every((it, index) => bytes[i + index] === it)) {
      bytes[i + at] = value;
    }
  }
}

/** Converts a block with only full and high speed to the legacy format, and returns others unchanged. */
function legacy(bytes: readonly number[]): number[] {
  const isPlain = bytes[0] === 3 && bytes[8] === 3 && bytes[9] === 0;
  return isPlain ? [1, ...bytes.slice(1, 8), ...bytes.slice(12)] : [...bytes];
}

/** The range of a random descriptor in the first list. */
function descriptorAt(
  random: Random,
  bytes: readonly number[],
): [number, number] {
  let at = bytes.findIndex((it, index) =>
    index >= 12 && it === 9 && bytes[index + 1] === 4
  );
  if (at < 0) return [0, 0];
  for (let skip = random.int(0, 6); skip > 0; skip--) {
    const next = at + bytes[at];
    if (!(bytes[at] >= 2) || next >= bytes.length) break;
    at = next;
  }
  return [at, Math.min(at + bytes[at], bytes.length)];
}
