/**
 * What the coverage is about, and what --watch sees change.
 *
 * @module
 */

/** One more. */
export function answer([first]: Uint8Array): Uint8Array {
  return new Uint8Array([first + 1]);
}

/** Is not called. */
export function other(): number {
  return 1;
}
