/**
 * How many bytes JavaScript code copies between arrays.
 *
 * @module
 */

/** Counts until it is disposed of. */
export interface CopyCounter extends Disposable {
  /** Bytes that `set`, `slice` and `copyWithin` have copied since. */
  readonly bytes: number;
}

/**
 * Begins to count. What Deno itself copies is not seen: it holds the original
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
