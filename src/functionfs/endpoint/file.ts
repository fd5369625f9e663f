/**
 * The open file of an endpoint, for everything but transfers.
 *
 * @module
 */
import { ERRNO, libc } from "../../../ffi/libc.ts";
import type { Direction } from "../../usb/endpoint_attributes.ts";

/** Calls on an endpoint. None of them waits; all return a negative error number if they fail. */
export interface EndpointFile {
  /** Makes an ioctl. */
  ioctl(request: number, argument: number | Uint8Array<ArrayBuffer>): number;
  /** Halts the endpoint: I/O in the direction that it does not have. */
  reverse(direction: Direction): number;
}

/** The calls of the kernel on an open file. */
export function kernelFile(fd: number): EndpointFile {
  return {
    ioctl(request, argument) {
      const { ioctl, ioctl_pointer } = libc();
      const result = typeof argument === "number"
        ? ioctl(fd, BigInt(request), BigInt(argument))
        : ioctl_pointer(fd, BigInt(request), argument);
      return result < 0 ? -ERRNO[0] : result;
    },
    reverse(direction) {
      const { read, write } = libc();
      const result = direction === "in"
        ? read(fd, BUFFER, 1n)
        : write(fd, BUFFER, 1n);
      return result < 0 ? -ERRNO[0] : 0;
    },
  };
}

const BUFFER = new Uint8Array(8);
