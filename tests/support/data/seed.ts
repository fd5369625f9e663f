/**
 * The seed of random tests.
 *
 * @module
 */

/**
 * Returns the seed in the environment variable `GADGET_SEED`, or a new one. The runners pass the variable on to the
 * VM.
 */
export function testSeed(): number {
  const given = Deno.env.get("GADGET_SEED");
  if (given === undefined) return Math.floor(Math.random() * 2 ** 32);
  const seed = Number(given);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new TypeError(
      `Cannot use GADGET_SEED "${given}": it must be an integer from 0 to 2^32 - 1`,
    );
  }
  return seed;
}
