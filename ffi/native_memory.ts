/**
 * Memory outside of V8, which the kernel or another thread may access after the
 * call that received it has returned.
 *
 * An isolate can end at any moment (see isolate.ts). Its arrays are then freed
 * and reused by other isolates, while the kernel still has requests and calls
 * on threads of Deno's pool continue. Memory from `malloc()` stays: it belongs
 * to the process, and leaks if the isolate ends before freeing it.
 *
 * @module
 */
import { Errno, systemError } from "./errno.ts";
import { libc } from "./libc.ts";

/** What malloc() aligns memory to. */
const MALLOC_ALIGNMENT = 16;

/**
 * Allocates memory without clearing it.
 *
 * @param alignment The address is a multiple of it: a power of 2.
 */
export function allocate(size: number, alignment = MALLOC_ALIGNMENT): bigint {
  const { malloc, aligned_alloc } = libc();
  const address = alignment <= MALLOC_ALIGNMENT
    ? malloc(BigInt(size))
    : aligned_alloc(BigInt(alignment), BigInt(size));
  if (address === 0n) {
    throw systemError(Errno.ENOMEM, {
      action: `allocate ${size} bytes`,
      syscall: "malloc",
    });
  }
  return address;
}

/** Frees memory from {@linkcode allocate}. */
export function free(address: bigint): void {
  libc().free(address);
}

/** A view of native memory. Must not be used after the memory is freed. */
export function viewOf(
  address: bigint,
  size: number,
): DataView<ArrayBuffer> {
  const pointer = Deno.UnsafePointer.create(address)!;
  return new DataView(Deno.UnsafePointerView.getArrayBuffer(pointer, size));
}

/** Copies `count` bytes to the beginning of `bytes`. */
export function copyOut(
  address: bigint,
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
): void {
  libc().copy_from_native(bytes, address, BigInt(count));
}

/** Copies all of `bytes` to native memory. */
export function copyIn(address: bigint, bytes: Uint8Array<ArrayBuffer>): void {
  libc().copy_to_native(address, bytes, BigInt(bytes.byteLength));
}

/** Smaller blocks get this size. */
const SMALLEST_BITS = 10;
/** The most free bytes in a pool. */
const MAX_KEPT = 16 << 20;

/** Reusable blocks of native memory. */
export class NativePool {
  /** Free blocks, by the binary logarithm of their size. */
  readonly #free: bigint[][] = [];
  readonly #alignment: number | undefined;
  #kept = 0;

  /** @param alignment Of the blocks: a power of 2. */
  constructor(alignment?: number) {
    this.#alignment = alignment;
  }

  /** Takes a block of at least `length` bytes. */
  take(length: number): bigint {
    const bits = bitsFor(length);
    const address = this.#free[bits]?.pop();
    if (address === undefined) return allocate(2 ** bits, this.#alignment);
    this.#kept -= 2 ** bits;
    return address;
  }

  /** Returns a block that was taken for `length` bytes. */
  give(address: bigint, length: number): void {
    const bits = bitsFor(length);
    if (this.#kept + 2 ** bits > MAX_KEPT) return free(address);
    this.#kept += 2 ** bits;
    (this.#free[bits] ??= []).push(address);
  }

  /** Frees all blocks that are not in use. */
  clear(): void {
    for (const addresses of this.#free.splice(0)) addresses?.forEach(free);
    this.#kept = 0;
  }
}

function bitsFor(length: number): number {
  return Math.max(SMALLEST_BITS, 32 - Math.clz32(Math.max(1, length) - 1));
}
