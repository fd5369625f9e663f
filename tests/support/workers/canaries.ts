/**
 * Arrays that must not change: a change is a write into freed memory.
 *
 * @module
 */
const CANARY = 0x11;
/** About as much memory as some Workers leave behind. */
const TOTAL = 4 << 20;

/** Creates arrays of a size. */
export function makeCanaries(size: number): Uint8Array[] {
  if (size === 0) return [];
  return Array.from(
    { length: TOTAL / size },
    () => new Uint8Array(size).fill(CANARY),
  );
}

/** The number of bytes that have changed. */
export function changedBytes(canaries: readonly Uint8Array[]): number {
  return canaries.reduce(
    (sum, each) =>
      each.every((byte) => byte === CANARY)
        ? sum
        : sum + each.filter((byte) => byte !== CANARY).length,
    0,
  );
}
