/**
 * Test data in which a lost or repeated byte shows.
 *
 * @module
 */

/**
 * Returns a sequence that depends on the seed and the position. It repeats after
 * 251 bytes, a prime, so a lost or repeated packet changes the data.
 */
export function pattern(size: number, seed = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  const period = Math.min(size, 251);
  for (let index = 0; index < period; index++) {
    bytes[index] = (index * 7 + seed * 13) & 0xff;
  }
  for (let filled = period; filled < size; filled *= 2) {
    bytes.copyWithin(filled, 0, Math.min(filled, size - filled));
  }
  return bytes;
}

/** Returns the first position where two arrays differ, or -1. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.byteLength, b.byteLength);
  for (let index = 0; index < length; index++) {
    if (a[index] !== b[index]) return index;
  }
  return a.byteLength === b.byteLength ? -1 : length;
}
