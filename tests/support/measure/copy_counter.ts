/**
 * Counts the bytes that JavaScript code copies between arrays.
 *
 * @module
 */

/** A counter that runs until it is disposed. */
export interface CopyCounter extends Disposable {
  /** Bytes copied by `set`, `slice` and `copyWithin`. */
  readonly bytes: number;
}

/**
 * Starts a counter. It does not see what Deno itself copies with the original
 * methods.
 */
export function countCopies(): CopyCounter {
  const prototype = Object.getPrototypeOf(Uint8Array.prototype);
  const { set, slice, copyWithin } = prototype;
  let bytes = 0;
  Object.assign(prototype, {
    set(this: Uint8Array, from: ArrayLike<number>, at?: number) {
      bytes += from.length;
      return set.call(this, from, at);
    },
    slice(this: Uint8Array, ...range: number[]) {
      const copy = slice.apply(this, range);
      bytes += copy.byteLength;
      return copy;
    },
    copyWithin(this: Uint8Array, ...range: number[]) {
      bytes += this.byteLength;
      return copyWithin.apply(this, range);
    },
  });
  return {
    get bytes() {
      return bytes;
    },
    [Symbol.dispose]() {
      Object.assign(prototype, { set, slice, copyWithin });
    },
  };
}
