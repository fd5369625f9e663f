/**
 * Checks of arguments that should be bytes, for callers that TypeScript does
 * not check: arrays of another type, detached arrays, classes that override
 * `byteLength`.
 *
 * The getters of the language say what an array is, not the object: they see
 * through subclasses, own properties and other realms.
 *
 * @module
 */
import { show } from "./show.ts";

const prototype = Object.getPrototypeOf(Uint8Array.prototype);

function intrinsic(key: string | symbol): () => unknown {
  return Object.getOwnPropertyDescriptor(prototype, key)!.get!;
}

const tag = intrinsic(Symbol.toStringTag);
const byteLength = intrinsic("byteLength");
const byteOffset = intrinsic("byteOffset");
const buffer = intrinsic("buffer");

/** The length of an array in bytes, 0 if it is detached. */
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

/** A plain view of an array, or of its first bytes. */
export function viewOf<B extends ArrayBufferLike>(
  bytes: Uint8Array<B>,
  limit = Infinity,
): Uint8Array<B> {
  const length = Math.min(limit, byteLengthOf(bytes));
  return new Uint8Array(bufferOf(bytes), byteOffsetOf(bytes), length);
}

/**
 * Describes what is wrong with a value that should be bytes: `must be a
 * Uint8Array, is "hello"`. Returns `undefined` for a `Uint8Array`, empty or not.
 *
 * @param expected What it should be.
 */
export function bytesProblem(
  value: unknown,
  expected = "a Uint8Array",
): string | undefined {
  if (tag.call(value) !== "Uint8Array") {
    const remedy = ArrayBuffer.isView(value)
      ? ": give its bytes, new Uint8Array(it.buffer, it.byteOffset, it.byteLength)"
      : value instanceof ArrayBuffer || value instanceof SharedArrayBuffer
      ? ": give new Uint8Array(it)"
      : typeof value === "string"
      ? ": give new TextEncoder().encode(it)"
      : "";
    return `must be ${expected}, is ${show(value)}${remedy}`;
  }
  const bytes = value as Uint8Array<ArrayBuffer>;
  // Length 0 is an empty array, or one without memory.
  return byteLengthOf(bytes) > 0 ? undefined : goneProblem(bytes);
}

function goneProblem(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  try {
    // Throws for an array without memory.
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
 * @param action What fails, after "Cannot".
 * @param what What the bytes are, such as `"the data"`.
 * @throws {TypeError} If they are not a `Uint8Array`, or it is detached.
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
