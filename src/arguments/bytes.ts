/**
 * Arguments that should be bytes, where TypeScript does not run: arrays of
 * another type, arrays whose memory has gone, classes that override `byteLength`.
 *
 * What an array is, is asked of the getters of the language, not of the object:
 * these see through a subclass, a property, another realm and a proxy.
 *
 * @module
 */
import { describe } from "./describe.ts";

const prototype = Object.getPrototypeOf(Uint8Array.prototype);

function intrinsic(key: string | symbol): () => unknown {
  return Object.getOwnPropertyDescriptor(prototype, key)!.get!;
}

const tag = intrinsic(Symbol.toStringTag);
const byteLength = intrinsic("byteLength");
const byteOffset = intrinsic("byteOffset");
const buffer = intrinsic("buffer");

/** Bytes of an array, 0 if its memory has gone. */
export function byteLengthOf(bytes: Uint8Array): number {
  return byteLength.call(bytes) as number;
}

/** Where an array begins in its memory. */
export function byteOffsetOf(bytes: Uint8Array): number {
  return byteOffset.call(bytes) as number;
}

/** The memory of an array. */
export function bufferOf<B extends ArrayBufferLike>(bytes: Uint8Array<B>): B {
  return buffer.call(bytes) as B;
}

/** A plain view of the first bytes of an array, without a copy. */
export function viewOf<B extends ArrayBufferLike>(
  bytes: Uint8Array<B>,
  limit = Infinity,
): Uint8Array<B> {
  const length = Math.min(limit, byteLengthOf(bytes));
  return new Uint8Array(bufferOf(bytes), byteOffsetOf(bytes), length);
}

/**
 * Says what is wrong with a value that should be bytes, for messages: `must be
 * a Uint8Array, is "hello"`.
 *
 * @returns Undefined for a `Uint8Array`, also an empty one.
 */
export function bytesProblem(value: unknown): string | undefined {
  if (tag.call(value) !== "Uint8Array") {
    const remedy = ArrayBuffer.isView(value)
      ? ": give its bytes, new Uint8Array(it.buffer, it.byteOffset, it.byteLength)"
      : value instanceof ArrayBuffer || value instanceof SharedArrayBuffer
      ? ": give new Uint8Array(it)"
      : typeof value === "string"
      ? ": give new TextEncoder().encode(it)"
      : "";
    return `must be a Uint8Array, is ${describe(value)}${remedy}`;
  }
  const bytes = value as Uint8Array<ArrayBuffer>;
  // Empty, or without memory.
  return byteLengthOf(bytes) > 0 ? undefined : goneProblem(bytes);
}

function goneProblem(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  try {
    // Fails where the memory has gone.
    prototype.keys.call(bytes);
    return undefined;
  } catch {
    return bufferOf(bytes).detached
      ? "is detached: its memory was transferred"
      : "lies outside of its buffer, which has shrunk";
  }
}

/**
 * Checks bytes.
 *
 * @param action What cannot be done otherwise, after "Cannot".
 * @param what What they are, such as `"the data"`.
 * @throws {TypeError} If they are none.
 */
export function checkBytes(
  action: string,
  what: string,
  value: unknown,
): asserts value is Uint8Array {
  const problem = bytesProblem(value);
  if (problem === undefined) return;
  throw new TypeError(`Cannot ${action}: ${what} ${problem}`);
}
