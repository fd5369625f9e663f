/**
 * Files of sysfs whose reading can wait.
 *
 * Some of them take the device's lock, which the kernel's host side holds while
 * a class driver reads a new device's descriptors. If that device is a gadget of
 * this process, its event loop must run to answer: they are read on another
 * thread.
 *
 * @module
 */
import { O_RDONLY, O_WRONLY } from "../../../ffi/abi.ts";
import { Errno, errorOf, isSystemError } from "../../../ffi/errno.ts";
import { close, open } from "../../../ffi/file.ts";
import { libc } from "../../../ffi/libc.ts";
import { allocate, copyIn, copyOut, free } from "../../../ffi/native_memory.ts";

/** More than any attribute of a USB device has. */
const SIZE = 4096;

/** Calls `look`, and ignores that the device is gone or disappearing. */
export function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENODEV", "EPROTO", "ESHUTDOWN")) {
      return undefined;
    }
    throw error;
  }
}

/** Reads an attribute without its newline; `undefined` if it or its device is gone. */
export async function readAttribute(path: string): Promise<string | undefined> {
  const fd = unlessGone(() => open(path, O_RDONLY));
  if (fd === undefined) return undefined;
  const memory = allocate(SIZE);
  try {
    const count = await libc().read_blocking(fd, memory, BigInt(SIZE));
    // The error number of a failure is on the other thread: ENODEV.
    if (count < 0) return undefined;
    const bytes = new Uint8Array(count);
    if (count > 0) copyOut(memory, bytes, count);
    return new TextDecoder().decode(bytes).replace(/\n$/, "");
  } finally {
    free(memory);
    close(fd);
  }
}

/**
 * Writes an attribute.
 *
 * @throws {Error} If the kernel refuses it. Its error number is on the other
 * thread.
 */
export async function writeAttribute(
  path: string,
  value: string,
): Promise<void> {
  const fd = open(path, O_WRONLY);
  const bytes = new TextEncoder().encode(value);
  const memory = allocate(bytes.byteLength);
  copyIn(memory, bytes);
  try {
    const size = BigInt(bytes.byteLength);
    const count = await libc().write_blocking(fd, memory, size);
    if (count === bytes.byteLength) return;
    throw errorOf(
      Errno.EIO,
      `Cannot write "${value}": the kernel refuses it: ${path}`,
      { syscall: "write", path },
    );
  } finally {
    free(memory);
    close(fd);
  }
}

/** Waits for some milliseconds, to look again. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
