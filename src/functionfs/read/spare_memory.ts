/**
 * Memory that small reads use again.
 *
 * The result of a small read is a copy, so that it does not keep a larger array
 * alive. What the kernel has written into remains ours.
 *
 * @module
 */

/** The most bytes that are kept. */
const MAX_BYTES = 256 << 10;

/** Arrays that nothing else refers to. */
export class SpareMemory {
  readonly #arrays: Uint8Array<ArrayBuffer>[] = [];

  /** Returns an array of this size, with any content, if there is one. */
  take(size: number): Uint8Array<ArrayBuffer> | undefined {
    const { length } = this.#arrays;
    if (length === 0 || this.#arrays[length - 1].byteLength !== size) {
      return undefined;
    }
    return this.#arrays.pop();
  }

  /** Keeps an array, if there is room for it. */
  give(array: Uint8Array<ArrayBuffer>): void {
    const size = array.byteLength;
    // Reads of an endpoint usually have the same size: that of the last one.
    if (this.#arrays[0]?.byteLength !== size) this.#arrays.length = 0;
    if ((this.#arrays.length + 1) * size > MAX_BYTES) return;
    this.#arrays.push(array);
  }
}
