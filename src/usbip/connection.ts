/**
 * A client before the kernel has its connection: bytes that come and go without
 * blocking.
 *
 * @module
 */
import { POLLIN, POLLOUT } from "../../ffi/abi.ts";
import { isSystemError } from "../../ffi/errno.ts";
import { read, write } from "../../ffi/file.ts";
import { watch } from "../../ffi/reactor.ts";

/** The client has closed the connection. */
export class ClosedError extends Error {
  override name = "ClosedError";
}

/**
 * Reads so many bytes, and no more.
 *
 * @throws {ClosedError} If the client closes the connection before.
 */
export async function receive(
  fd: number,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let done = 0;
  await repeat(fd, POLLIN, signal, () => {
    const count = read(fd, bytes.subarray(done));
    if (count === 0) throw new ClosedError("The client has left");
    done += count;
    return done === length;
  });
  return bytes;
}

/** Writes all bytes. */
export async function send(
  fd: number,
  bytes: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<void> {
  let done = 0;
  await repeat(fd, POLLOUT, signal, () => {
    done += write(fd, bytes.subarray(done));
    return done === bytes.length;
  });
}

/** Calls `step` whenever the file is ready, until it returns true. */
async function repeat(
  fd: number,
  events: number,
  signal: AbortSignal,
  step: () => boolean,
): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort);
  const watching = watch(fd, events, () => {
    try {
      if (step()) {
        watching.pause();
        resolve();
      }
    } catch (error) {
      if (isSystemError(error, "EAGAIN")) return;
      watching.pause();
      reject(error);
    }
  });
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", abort);
    await watching.stop();
  }
}
