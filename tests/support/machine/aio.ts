/**
 * Requests of an AIO context as promises.
 *
 * @module
 */
import {
  IOCB_CMD_POLL,
  IOCB_CMD_PREAD,
  IOCB_CMD_PWRITE,
} from "../../../ffi/abi.ts";
import type { AioContext } from "../../../ffi/aio/context.ts";
import { AioRequest } from "../../../ffi/aio/ring.ts";
import { Errno, systemError } from "../../../ffi/errno.ts";
import { addressOf } from "../../../ffi/memory.ts";

/** Reads into `buffer`; resolves with the number of bytes. */
export function aioRead(
  aio: AioContext,
  fd: number,
  buffer: Uint8Array<ArrayBuffer>,
): Promise<number> {
  return run(aio, IOCB_CMD_PREAD, fd, buffer);
}

/** Writes `bytes`; resolves with the number of bytes. */
export function aioWrite(
  aio: AioContext,
  fd: number,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<number> {
  return run(aio, IOCB_CMD_PWRITE, fd, bytes);
}

/** Waits once until a file is ready; resolves with the bits that are set. */
export function aioPoll(
  aio: AioContext,
  fd: number,
  events: number,
  signal?: AbortSignal,
): Promise<number> {
  return run(aio, IOCB_CMD_POLL, fd, events, signal);
}

function run(
  aio: AioContext,
  opcode: number,
  fd: number,
  memory: Uint8Array<ArrayBuffer> | number,
  signal?: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new AioRequest((result) => {
      signal?.removeEventListener("abort", abort);
      // A cancelled poll completes with no bits instead of an error.
      if (result === 0 && opcode === IOCB_CMD_POLL) result = -Errno.ECANCELED;
      if (result >= 0) resolve(result);
      else if (signal?.aborted) reject(signal.reason);
      else {
        const action = "run an asynchronous request";
        reject(systemError(-result, { action, syscall: "io_submit" }));
      }
    });
    const abort = () => aio.cancel(request);
    if (typeof memory === "number") {
      aio.submit(request, opcode, fd, BigInt(memory), 0, undefined);
    } else {
      const { byteLength } = memory;
      aio.submit(request, opcode, fd, addressOf(memory), byteLength, memory);
    }
    signal?.addEventListener("abort", abort);
  });
}
