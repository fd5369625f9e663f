/**
 * Arguments of types that TypeScript would refuse, and the assertion that a call
 * refuses them.
 *
 * @module
 */
import { assert } from "@std/assert";

/** An argument of a call, and the values that the call must refuse. */
export interface ArgumentRow {
  /** The call, such as `"InEndpoint.write"`. */
  readonly call: string;
  /** The name of the argument in messages. */
  readonly argument: string;
  readonly wrong: readonly unknown[];
  /** Makes the call with a value of the argument. */
  // deno-lint-ignore no-explicit-any -- the types are wrong on purpose
  readonly use: (value: any) => unknown;
  /** Whether the call returns a promise, and must not throw. */
  readonly isAsync: boolean;
  /** The class of the error. */
  readonly errorClass: typeof TypeError | typeof RangeError;
}

/** Returns the rows of a call. */
export function rowsFor(
  call: string,
  kind: "async" | "sync",
  // deno-lint-ignore no-explicit-any -- the types are wrong on purpose
  ...columns: [string, readonly unknown[], (value: any) => unknown][]
): ArgumentRow[] {
  return columns.map(([argument, wrong, use]) => {
    const isAsync = kind === "async";
    return { call, argument, wrong, use, isAsync, errorClass: TypeError };
  });
}

/** Tries all wrong values of all rows. */
export async function assertRefused(
  rows: readonly ArgumentRow[],
): Promise<void> {
  for (const { call, argument, wrong, use, isAsync, errorClass } of rows) {
    for (const value of wrong) {
      const what = `${call}, ${argument}: ${show(value)}`;
      let result: unknown;
      let error: unknown;
      try {
        result = use(value);
      } catch (thrown) {
        assert(!isAsync, `${what}: thrown instead of rejected: ${thrown}`);
        error = thrown;
      }
      if (error === undefined) {
        assert(isAsync && result instanceof Promise, `${what}: accepted`);
        error = await result.then(
          () => new Error("was accepted"),
          (reason) => reason,
        );
      }
      assert(error instanceof Error, what);
      const text = `${what}: ${error.name}: ${error.message}`;
      assert(error instanceof errorClass, text);
      assert(error.message.startsWith("Cannot "), text);
      assert(error.message.includes(argument), text);
      // The engine's messages for a value that was not checked.
      assert(!/reading '|is not a function|undefined \(/.test(error.message));
    }
  }
}

function show(value: unknown): string {
  return typeof value === "symbol"
    ? String(value)
    : Deno.inspect(value, { compact: true, breakLength: Infinity });
}

/** An array whose buffer was transferred. */
export function detachedBytes(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  bytes.buffer.transfer();
  return bytes;
}

/** An array outside its buffer, which was shrunk. */
export function shrunkBytes(length?: number): Uint8Array<ArrayBuffer> {
  const buffer = new ArrayBuffer(16, { maxByteLength: 16 });
  const bytes = new Uint8Array(buffer, 8, length);
  buffer.resize(4);
  return bytes;
}

/** Values that are not objects. */
export const NO_OBJECTS: readonly unknown[] = [null, "text", 5, true, 1n];
/** Values that are not booleans. */
export const NO_FLAGS: readonly unknown[] = [null, "true", 0, 1, {}];
/** Values that are not numbers. */
export const NO_NUMBERS: readonly unknown[] = [null, "4", {}, true, 4n];
/** Values that are not strings. */
export const NO_TEXTS: readonly unknown[] = [null, 5, {}, ["a"], Symbol("a")];
/** Values that are not functions. */
export const NO_CALLBACKS: readonly unknown[] = [null, "f", {}, 5];
/** Values that are not signals. */
export const NO_SIGNALS: readonly unknown[] = [
  null,
  "stop",
  {},
  new AbortController(),
  new EventTarget(),
];
/** Values that are not byte arrays. */
export const NO_BYTES: readonly unknown[] = [
  undefined,
  null,
  "hello",
  5,
  true,
  1n,
  Symbol("bytes"),
  () => new Uint8Array(1),
  {},
  [1, 2, 3],
  new Float64Array(4),
  new Int8Array(4),
  new Uint8ClampedArray(4),
  new DataView(new ArrayBuffer(4)),
  new ArrayBuffer(4),
  new SharedArrayBuffer(4),
  { byteLength: 4, byteOffset: 0, buffer: new ArrayBuffer(4) },
  Object.create(Uint8Array.prototype),
  new Proxy(new Uint8Array(4), {}),
  detachedBytes(),
  shrunkBytes(),
  shrunkBytes(4),
];
