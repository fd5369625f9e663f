/**
 * The seed of a run of random tests.
 *
 * @module
 */

/**
 * Returns the seed that the environment variable `GADGET_SEED` asks for, and a new one otherwise. The runners hand the
 * variable on to the VM.
 */
export function testSeed(): number {
  const given = Deno.env.get("GADGET_SEED");
  if (given === undefined) return Math.floor(Math.random() * 2 ** 32);
  const seed = Number(given);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new TypeError(
      `Cannot use GADGET_SEED "${given}": it must be a whole number below 2 to the 32nd`,
    );
  }
  return seed;
}
