/**
 * Long work in short slices, between which the event loop goes on.
 *
 * @module
 */

/** The longest slice, unless one step takes longer. */
const SLICE_MS = 0.5;

/** Measures the current slice of some work. */
export class Slices {
  #end = performance.now() + SLICE_MS;

  /** Whether it is time to wait for {@linkcode next}. */
  get isOver(): boolean {
    return performance.now() > this.#end;
  }

  /** Lets the event loop run, and begins the next slice. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#end = performance.now() + SLICE_MS;
  }
}
