/**
 * libc, opened on first use.
 *
 * Importing this module needs no permission. The first call of {@linkcode libc}
 * requests `--allow-ffi`.
 *
 * @module
 */
import { SYMBOLS } from "./symbols.ts";

// On import, before a module fails by the name that it does not find.
if (typeof Deno === "undefined") {
  throw new Error(
    "@usb/gadget runs on Deno only (https://deno.com): Node.js, Bun and browsers lack the calls by which it reaches the kernel",
  );
}

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
  ERRNO = findErrno();
  // Never closed: fast calls into a closed library are undefined behaviour.
  return Deno.dlopen("libc.so.6", symbols).symbols;
}

/**
 * `ERRNO[0]` is the error number of the last failed call on this thread.
 *
 * Read it before anything else runs: not only `await` changes it, but also a
 * garbage collection, which waits for its threads (EAGAIN from a futex). Any
 * allocation can start one, as can the entry of a function:
 *
 * ```ts ignore
 * check(libc().rmdir(path), ERRNO[0], { action, syscall: "rmdir" });
 * ```
 *
 * After a nonblocking call, which fails on another thread, it is meaningless.
 */
export let ERRNO: Int32Array = new Int32Array(1);

function findErrno(): Int32Array {
  const { __errno_location } = Deno.dlopen("libc.so.6", {
    __errno_location: { parameters: [], result: "pointer" },
  }).symbols;
  const address = __errno_location();
  if (address === null) throw new Error("Cannot find errno");
  return new Int32Array(Deno.UnsafePointerView.getArrayBuffer(address, 4));
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
