/**
 * DMABUFs: memory that devices share, each behind a file descriptor; and the
 * fences that are signalled when a device is done with one.
 *
 * @module
 */
import {
  DMA_BUF_IOCTL_EXPORT_SYNC_FILE,
  DMA_BUF_IOCTL_SYNC,
  DMA_HEAP_IOCTL_ALLOC,
  F_ADD_SEALS,
  F_DUPFD_CLOEXEC,
  F_SEAL_SHRINK,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  O_CLOEXEC,
  O_RDWR,
  POLLIN,
  POLLOUT,
  SYNC_IOC_FILE_INFO,
  UDMABUF_CREATE,
  UDMABUF_FLAGS_CLOEXEC,
} from "./abi.ts";
import { check, Errno, isSystemError, systemError } from "./errno.ts";
import { close, exists, ioctl, list, open, readTextFile } from "./file.ts";
import { ERRNO, libc } from "./libc.ts";
import { memfd } from "./memory.ts";

const UDMABUF = "/dev/udmabuf";
const HEAPS = "/dev/dma_heap";

/** What the kernel reports about a DMABUF. */
export interface DmabufInfo {
  /** Bytes. */
  readonly size: number;
  /** The same for all descriptors of one DMABUF, and unique to it. */
  readonly inode: string;
  /** Its exporter, such as `"udmabuf"` or `"system"`. */
  readonly exporter: string;
}

/**
 * Makes a DMABUF of ordinary memory with udmabuf; returns its descriptor.
 *
 * @param size Bytes; rounded up to whole pages.
 */
export function createUdmabuf(size: number): number {
  const call = { action: `make a DMABUF of ${size} bytes`, path: UDMABUF };
  const device = open(UDMABUF, O_RDWR, {
    action: "open udmabuf",
    hint: exists(UDMABUF)
      ? undefined
      : 'the kernel needs CONFIG_UDMABUF; "sudo modprobe udmabuf" loads it where it is a module',
  });
  try {
    const page = libc().getpagesize();
    const bytes = Math.ceil(size / page) * page;
    const memory = memfd("udmabuf", bytes, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    try {
      // Its pages must not disappear under a device.
      const seals = libc().fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK);
      check(seals, ERRNO[0], { ...call, syscall: "fcntl" });
      // struct udmabuf_create: u32 memfd, u32 flags, u64 offset, u64 size
      const view = new DataView(new ArrayBuffer(24));
      view.setUint32(0, memory, true);
      view.setUint32(4, UDMABUF_FLAGS_CLOEXEC, true);
      view.setBigUint64(16, BigInt(bytes), true);
      const argument = new Uint8Array(view.buffer);
      return ioctl(device, UDMABUF_CREATE, argument, call);
    } catch (error) {
      throw explainSize(error, bytes);
    } finally {
      close(memory);
    }
  } finally {
    close(device);
  }
}

const SIZE_LIMIT = "/sys/module/udmabuf/parameters/size_limit_mb";

/** Adds the limit to the error for a size above it. */
function explainSize(error: unknown, bytes: number): unknown {
  if (!isSystemError(error, "EINVAL") || !exists(SIZE_LIMIT)) return error;
  const limit = readTextFile(SIZE_LIMIT);
  if (bytes > Number(limit) * 2 ** 20) {
    error.message += `: the limit is ${limit} MiB (${SIZE_LIMIT})`;
  }
  return error;
}

function heapsHint(): string {
  const names = exists(HEAPS) ? list(HEAPS).map(({ name }) => name) : [];
  return names.length === 0
    ? "this kernel has no DMA heaps (CONFIG_DMABUF_HEAPS)"
    : `this kernel has ${names.map((it) => `"${it}"`).join(", ")}`;
}

/**
 * Takes a DMABUF from one of the kernel's heaps; returns its descriptor.
 *
 * @param heap Name of a file in `/dev/dma_heap`, such as `"system"`.
 * @param size Bytes; rounded up to whole pages by the heap.
 */
export function allocateFromHeap(heap: string, size: number): number {
  const path = `${HEAPS}/${heap}`;
  const device = open(path, O_RDWR, {
    action: `open DMA heap "${heap}"`,
    hint: exists(path) ? undefined : heapsHint(),
  });
  try {
    // struct dma_heap_allocation_data: u64 len, u32 fd, u32 fd_flags, u64 flags
    const view = new DataView(new ArrayBuffer(24));
    view.setBigUint64(0, BigInt(size), true);
    view.setUint32(12, O_RDWR | O_CLOEXEC, true);
    ioctl(device, DMA_HEAP_IOCTL_ALLOC, new Uint8Array(view.buffer), {
      action: `take ${size} bytes from DMA heap "${heap}"`,
      path,
    });
    return view.getUint32(8, true);
  } finally {
    close(device);
  }
}

/** Makes a separate descriptor for the same file. */
export function duplicate(fd: number): number {
  return check(libc().fcntl(fd, F_DUPFD_CLOEXEC, 0), ERRNO[0], {
    action: `duplicate file descriptor ${fd}`,
    syscall: "fcntl",
  });
}

/** Returns undefined for a descriptor of something else. */
export function dmabufInfo(fd: number): DmabufInfo | undefined {
  const text = readTextFile(`/proc/self/fdinfo/${fd}`, {
    action: `inspect file descriptor ${fd}`,
  });
  const field = (name: string) =>
    new RegExp(`^${name}:\\s*(.*)$`, "m").exec(text)?.[1];
  const exporter = field("exp_name");
  if (exporter === undefined) return undefined;
  return {
    exporter,
    size: Number(field("size")),
    inode: field("ino") ?? `descriptor ${fd}`,
  };
}

/**
 * What the processor does with the memory of a DMABUF.
 * @category DMABUF
 */
export type CpuAccessMode = "read" | "write" | "readwrite";

/** DMA_BUF_SYNC_* */
const SYNC_BITS: Readonly<Record<CpuAccessMode, number>> = {
  read: 1,
  write: 2,
  readwrite: 3,
};
const DMA_BUF_SYNC_END = 4;

/**
 * Announces to the owner of a DMABUF that the processor begins or ends an
 * access to its memory. The beginning waits in the kernel for the fences of
 * devices: call it only when {@linkcode isIdle}.
 */
export function syncForCpu(
  fd: number,
  mode: CpuAccessMode,
  edge: "begin" | "end",
): void {
  const flags = SYNC_BITS[mode] | (edge === "end" ? DMA_BUF_SYNC_END : 0);
  const argument = new Uint8Array(new BigUint64Array([BigInt(flags)]).buffer);
  const request = BigInt(DMA_BUF_IOCTL_SYNC);
  while (libc().ioctl_pointer(fd, request, argument) < 0) {
    const errno = ERRNO[0];
    if (errno === Errno.EINTR || errno === Errno.EAGAIN) continue;
    const action = `${edge} to use the memory of a DMABUF`;
    throw systemError(errno, { action, syscall: "ioctl" });
  }
}

/**
 * The poll bit that is set when the memory may be used: for reading when no
 * device writes it, for writing when no device uses it.
 */
export function idleEvent(mode: CpuAccessMode): number {
  return mode === "read" ? POLLIN : POLLOUT;
}

/** Whether the memory may be used right now. */
export function isIdle(fd: number, mode: CpuAccessMode): boolean {
  const event = idleEvent(mode);
  POLL.setInt32(0, fd, true);
  POLL.setInt16(4, event, true);
  libc().poll_now(POLL, 1n, 0);
  return (POLL.getInt16(6, true) & event) !== 0;
}

const POLL = new DataView(new ArrayBuffer(8)); // struct pollfd

/**
 * Returns a descriptor of one file for all current fences of a DMABUF, which is
 * readable (POLLIN) when all of them are signalled. Fences that are already
 * signalled are missing, and so are their errors.
 *
 * @param mode `"read"` for the fences of devices that write the buffer, which a
 * reader has to wait for; `"write"` for those of all devices.
 */
export function exportFences(fd: number, mode: CpuAccessMode): number {
  // struct dma_buf_export_sync_file: u32 flags, s32 fd
  const argument = new Int32Array([SYNC_BITS[mode], -1]);
  const bytes = new Uint8Array(argument.buffer);
  const action = "take the fences of a DMABUF";
  ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, bytes, { action });
  return argument[1];
}

/** Bytes of `struct sync_file_info`: char name[32], s32 status, ... */
const FILE_INFO_SIZE = 56;

/**
 * Returns the status of the file of {@linkcode exportFences}: 0 while a fence
 * is not signalled, 1 after success, or a negative error number.
 */
export function fenceStatus(fences: number): number {
  const info = new Uint8Array(FILE_INFO_SIZE);
  ioctl(fences, SYNC_IOC_FILE_INFO, info, {
    action: "read the status of a fence",
  });
  return new DataView(info.buffer).getInt32(32, true);
}
