/**
 * The DMABUF requests of FunctionFS, on an endpoint's file that is open with
 * O_NONBLOCK: none of them waits.
 *
 * While the function is not bound to a UDC, DETACH and TRANSFER follow a null
 * pointer in the kernel (Linux 6.9 to 7.3 at least), which kills the process
 * and leaves locks behind. Both are sent only from here, right after the kernel
 * has reported that the function is bound. Another process could still unbind
 * it within that microsecond.
 *
 * @module
 */
import { Errno } from "../../../ffi/errno.ts";
import { ERRNO, libc } from "../../../ffi/libc.ts";
import {
  FUNCTIONFS_DMABUF_ATTACH,
  FUNCTIONFS_DMABUF_DETACH,
  FUNCTIONFS_DMABUF_TRANSFER,
} from "../../compile/functionfs_abi.ts";

/**
 * Tries to attach a descriptor that does not exist, which changes nothing.
 *
 * @returns `"bound"` to a UDC that can scatter-gather; `"refused"` without a
 * UDC, or by one that cannot; `"unknown"` to this kernel.
 */
export function askForDmabufs(fd: number): "bound" | "refused" | "unknown" {
  switch (ioctl(fd, FUNCTIONFS_DMABUF_ATTACH, int(-1))) {
    case Errno.EBADF:
      return "bound";
    case Errno.EPERM:
      return "refused";
    default:
      // ENOTTY, or EAGAIN: an unknown request waits for the host first.
      return "unknown";
  }
}

/** Attaches a DMABUF. Returns 0 or an error number. */
export function attachDmabuf(fd: number, dmabuf: number): number {
  return ioctl(fd, FUNCTIONFS_DMABUF_ATTACH, int(dmabuf));
}

/**
 * Detaches a DMABUF; a pending transfer ends with ECONNRESET. Returns 0, an
 * error number, or `"unbound"` if nothing was done.
 */
export function detachDmabuf(fd: number, dmabuf: number): number | "unbound" {
  if (askForDmabufs(fd) !== "bound") return "unbound";
  return ioctl(fd, FUNCTIONFS_DMABUF_DETACH, int(dmabuf));
}

/** Begins a transfer. Returns the same as {@linkcode detachDmabuf}. */
export function transferDmabuf(
  fd: number,
  dmabuf: number,
  length: number,
): number | "unbound" {
  if (askForDmabufs(fd) !== "bound") return "unbound";
  // struct usb_ffs_dmabuf_transfer_req, packed: int fd, u32 flags, u64 length
  const request = new DataView(new ArrayBuffer(16));
  request.setInt32(0, dmabuf, true);
  request.setBigUint64(8, BigInt(length), true);
  return ioctl(fd, FUNCTIONFS_DMABUF_TRANSFER, new Uint8Array(request.buffer));
}

function ioctl(
  fd: number,
  request: number,
  argument: Uint8Array<ArrayBuffer>,
): number {
  while (libc().ioctl_pointer(fd, BigInt(request), argument) < 0) {
    const errno = ERRNO[0];
    if (errno !== Errno.EINTR) return errno;
  }
  return 0;
}

function int(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Int32Array([value]).buffer);
}
