/**
 * libc, opened on first use.
 *
 * Importing this module needs no permission. The first call of {@linkcode libc}
 * requests `--allow-ffi`.
 *
 * @module
 */
import { SYMBOLS } from "./symbols.ts";

/** The functions of libc by name. */
export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let symbols: Libc | undefined;

/**
 * Opens libc on the first call, and returns its functions.
 *
 * @throws {Deno.errors.NotCapable} Without `--allow-ffi`, or with paths in it.
 * @throws {Deno.errors.NotSupported} Where the system is not Linux.
 */
export function libc(): Libc {
  return symbols ??= openLibc(SYMBOLS);
}

/** Opens libc for functions that {@linkcode libc} does not have. */
export function openLibc<S extends Deno.ForeignLibraryInterface>(
  symbols: S,
): Deno.DynamicLibrary<S>["symbols"] {
  if (Deno.build.os !== "linux") {
    throw Object.assign(
      new Deno.errors.NotSupported(
        `Cannot use USB gadgets: they need Linux, this is "${Deno.build.os}"`,
      ),
      { code: "ENOSYS", errno: 38, syscall: "dlopen" },
    );
  }
  // Ask for the whole permission first: answering "y" to the prompt of dlopen
  // itself would allow one path only, and then dlopen fails.
  const { state, partial } = Deno.permissions.requestSync({ name: "ffi" });
  if (state !== "granted" || partial) {
    throw Object.assign(
      new Deno.errors.NotCapable(
        "Cannot use USB gadgets: they need --allow-ffi, without paths (--allow-ffi=PATH and --deny-ffi=PATH forbid pointers)",
      ),
      { code: "EPERM", errno: 1, syscall: "dlopen" },
    );
  }
  // Never closed: fast calls into a closed library are undefined behaviour.
  return Deno.dlopen("libc.so.6", symbols).symbols;
}

/** Address of this thread's errno. */
export function errnoPointer(): Deno.PointerObject {
  const pointer = libc().__errno_location();
  if (pointer === null) throw new Error("Cannot find errno");
  return pointer;
}

const encoder = new TextEncoder();

/**
 * Encodes a string for C, with a NUL at its end.
 *
 * @throws {TypeError} If the text has a NUL inside: C would cut it there.
 */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new TypeError(
      `Cannot pass text with a NUL character to the kernel: ${
        JSON.stringify(text)
      }`,
    );
  }
  return encoder.encode(text + "\0");
}
