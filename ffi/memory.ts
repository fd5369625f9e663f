/**
 * Memory that has an address: mappings, memory files, and addresses of arrays.
 *
 * @module
 */
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "./abi.ts";
import { check, Errno, lastErrno, systemError } from "./errno.ts";
import { cString, libc } from "./libc.ts";

/** Address of an array's first byte. True as long as the array is reachable. */
export function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return libc().address_of(bytes, NOTHING, 0n);
}

const NOTHING = new Uint8Array(0);

/** Makes an unnamed file that lives in memory, and returns its descriptor. */
export function memfd(name: string, size: number, flags: number): number {
  const fd = check(libc().memfd_create(cString(name), flags), {
    action: "make memory file",
    syscall: "memfd_create",
  });
  if (libc().ftruncate(fd, BigInt(size)) < 0) {
    const errno = lastErrno();
    libc().close(fd);
    throw systemError(errno, {
      action: `give memory file ${size} bytes`,
      syscall: "ftruncate",
    });
  }
  return fd;
}

/** A file's pages in this process's memory. */
export interface Mapping extends Disposable {
  /** The mapped bytes. An array of length 0 once {@linkcode unmap} was called. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Takes the mapping away. A second call does nothing. */
  unmap(): void;
}

const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/** Maps `length` bytes of a file, shared, for reading and writing. */
export function mmap(fd: number, length: number): Mapping {
  if (!Number.isSafeInteger(length) || length <= 0) {
    throw new RangeError(`Cannot map ${length} bytes`);
  }
  const pointer = libc().mmap(
    null,
    BigInt(length),
    PROT_READ | PROT_WRITE,
    MAP_SHARED,
    fd,
    0n,
  );
  if (
    pointer === null ||
    BigInt.asUintN(64, Deno.UnsafePointer.value(pointer)) === MAP_FAILED
  ) {
    throw systemError(pointer === null ? Errno.ENOMEM : lastErrno(), {
      action: `map ${length} bytes`,
      syscall: "mmap",
    });
  }
  const bytes = new Uint8Array(
    Deno.UnsafePointerView.getArrayBuffer(pointer, length),
  );
  let mapped = true;
  const unmap = () => {
    if (!mapped) return;
    mapped = false;
    // Detached first: an access to memory that is gone would end the process.
    bytes.buffer.transfer();
    libc().munmap(pointer, BigInt(length));
  };
  return { bytes, unmap, [Symbol.dispose]: unmap };
}
