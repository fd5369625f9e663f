/**
 * The options, the result and the error of a transfer over usbfs.
 *
 * @module
 */
import {
  Errno,
  systemError,
  type SystemErrorFields,
} from "../../../ffi/errno.ts";
import type { Urb, UrbCompletion } from "./urbs.ts";

/** How to run a transfer. */
export interface TransferOptions {
  /**
   * Discards the transfer. When the kernel has returned it, the promise rejects with
   * ENOENT and with the signal's reason as the error's cause.
   */
  readonly signal?: AbortSignal;
  /**
   * Milliseconds after which the transfer is discarded and the promise rejects with
   * ETIMEDOUT. `Infinity` waits forever.
   * @default {60000}
   */
  readonly timeout?: number;
}

/**
 * The error of a transfer. `code` is the name of the URB's status:
 * - EPIPE: the endpoint is halted, or a control request was stalled.
 * - EOVERFLOW: the device sent more than requested.
 * - EREMOTEIO: a short packet, with `shortNotOk`.
 * - ENOENT: discarded by a signal, by `close()` or `setInterface()`; or, when submitted: the endpoint does not exist.
 * - ETIMEDOUT: the time limit.
 * - ESHUTDOWN: the interface was released, or the device is gone.
 * - EPROTO, ENODEV: the device is gone.
 * - ENOMEM: more than `/sys/module/usbcore/parameters/usbfs_memory_mb` in flight.
 */
export type TransferError = Error & SystemErrorFields & {
  /** Bytes transferred before the failure. */
  readonly actualLength: number;
  /** Data received before the failure; empty for a transfer to the device. */
  readonly data: Uint8Array<ArrayBuffer>;
};

/** Whether an error is that of a transfer, with the given code if any. */
export function isTransferError(
  error: unknown,
  ...codes: string[]
): error is TransferError {
  return error instanceof Error && "actualLength" in error &&
    "code" in error && typeof error.code === "string" &&
    (codes.length === 0 || codes.includes(error.code));
}

/** The subject of a transfer's error. */
export interface TransferSubject {
  /** The action, for the text after "Cannot": `"read from endpoint 0x81"`. */
  readonly action: string;
  /** The device's file. */
  readonly path: string;
  /** The offset of the data in the URB's buffer, after a setup packet. */
  readonly offset?: number;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * Waits for the end of a URB.
 *
 * @returns The transferred part of its data.
 * @throws {TransferError} If its status is not 0.
 */
export async function finishTransfer(
  urb: Urb,
  { signal, timeout = DEFAULT_TIMEOUT_MS }: TransferOptions,
  subject: TransferSubject,
): Promise<Uint8Array<ArrayBuffer>> {
  let timedOut = false;
  const discard = () => urb.discard();
  const timer = Number.isFinite(timeout)
    ? setTimeout(() => {
      timedOut = true;
      discard();
    }, timeout)
    : undefined;
  signal?.addEventListener("abort", discard);
  if (signal?.aborted) discard();
  const completion = await urb.completion;
  clearTimeout(timer);
  signal?.removeEventListener("abort", discard);

  const { offset = 0 } = subject;
  const { buffer } = urb.request;
  const data = buffer.subarray(offset, offset + completion.actualLength);
  if (completion.status === 0) return data;
  const reason = timedOut
    ? `more than ${timeout} ms`
    : hint(completion, buffer.byteLength);
  const progress = `${completion.actualLength} of ${
    buffer.byteLength - offset
  } bytes were transferred`;
  const error = systemError(errnoOf(completion, timedOut), {
    action: subject.action,
    syscall: "ioctl",
    path: subject.path,
    hint: reason === undefined ? progress : `${reason}, ${progress}`,
  });
  if (signal?.aborted) error.cause = signal.reason;
  const isIn = (urb.request.endpoint & 0x80) !== 0;
  throw Object.assign(error, {
    actualLength: completion.actualLength,
    data: isIn ? data : new Uint8Array(0),
  });
}

function errnoOf({ status }: UrbCompletion, timedOut: boolean): number {
  const discarded = status === -Errno.ENOENT || status === -Errno.ECONNRESET;
  return timedOut && discarded ? Errno.ETIMEDOUT : -status;
}

function hint(
  { status, submitted }: UrbCompletion,
  length: number,
): string | undefined {
  switch (-status) {
    case Errno.EPIPE:
      return "the endpoint is halted, or the request was stalled";
    case Errno.EOVERFLOW:
      return "the device has sent more than was asked for";
    case Errno.ENOENT:
    case Errno.ECONNRESET:
      return submitted
        ? "the transfer was discarded"
        : "there is no such endpoint, or the transfer was discarded before it was submitted";
    case Errno.ENOMEM:
      return `${length} bytes do not fit in what /sys/module/usbcore/parameters/usbfs_memory_mb allows`;
    default:
      return undefined;
  }
}
