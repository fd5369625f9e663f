/**
 * Memory with an address: mappings, memory files, and addresses of arrays.
 *
 * @module
 */
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
} from "./abi.ts";
import { check, systemError } from "./errno.ts";
import { cString, ERRNO, libc } from "./libc.ts";

/** Address of an array's first byte. Valid as long as the array is reachable. */
export function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return libc().address_of(bytes, NOTHING, 0n);
}

const NOTHING = new Uint8Array(0);

/** Makes an unnamed file in memory, and returns its descriptor. */
export function memfd(name: string, size: number, flags: number): number {
  const fd = check(libc().memfd_create(cString(name), flags), ERRNO[0], {
    action: "make memory file",
    syscall: "memfd_create",
  });
  if (libc().ftruncate(fd, BigInt(size)) < 0) {
    const errno = ERRNO[0];
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
  /**
   * The mapped bytes. Their buffer cannot be transferred. The length is 0 after
   * {@linkcode unmap}.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Unmaps the file. A second call has no effect. */
  unmap(): void;
}

const MAP_FAILED = 0xffff_ffff_ffff_ffffn;
/** Bytes of a page of a WebAssembly memory. */
const WASM_PAGE = 65_536;

/**
 * Maps `length` bytes of a file, shared, for reading and writing.
 *
 * The pages replace those of a WebAssembly memory, whose buffer is the only
 * kind that a program cannot transfer: any other array could be moved, and used
 * after its pages are gone. V8 owns the address range, which stays mapped as
 * long as an array or a call needs it; {@linkcode Mapping.unmap} puts empty
 * pages there.
 *
 * @param length At most 4 GiB.
 */
export function mmap(fd: number, length: number): Mapping {
  if (!Number.isSafeInteger(length) || length <= 0) {
    throw new RangeError(`Cannot map ${length} bytes`);
  }
  const pages = Math.ceil(length / WASM_PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const bytes = new Uint8Array(memory.buffer as ArrayBuffer, 0, length);
  const address = Deno.UnsafePointer.of(bytes);
  const place = (flags: number, fd: number) => {
    const { mmap } = libc();
    const protection = PROT_READ | PROT_WRITE;
    const size = BigInt(length);
    const at = mmap(address, size, protection, MAP_FIXED | flags, fd, 0n);
    const errno = ERRNO[0];
    const placed = at !== null &&
      BigInt.asUintN(64, Deno.UnsafePointer.value(at)) !== MAP_FAILED;
    return placed ? 0 : errno;
  };
  const errno = place(MAP_SHARED, fd);
  if (errno !== 0) {
    throw systemError(errno, {
      action: `map ${length} bytes`,
      syscall: "mmap",
    });
  }
  let mapped = true;
  const unmap = () => {
    if (!mapped) return;
    mapped = false;
    memory.grow(0); // detaches `bytes`, and leaves the address range to V8
    place(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  };
  return { bytes, unmap, [Symbol.dispose]: unmap };
}
