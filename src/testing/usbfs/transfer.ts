/**
 * The options, the result and the error of a transfer over usbfs.
 *
 * @module
 */
import {
  Errno,
  isSystemError,
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
 * The error of a transfer of the host. Its class is that of other errors of the
 * operating system, such as `Deno.errors.BrokenPipe` for EPIPE; its `code` is:
 *
 * - EPIPE: the endpoint is halted, or a control request was stalled.
 * - EOVERFLOW: the device sent a packet larger than what was left to ask for.
 * - ETIMEDOUT: the time limit.
 * - ENOENT: discarded, by a signal (the error's `cause` is its reason), by
 *   `close()` or by `setInterface()`; or the endpoint is not of a selected
 *   setting.
 * - EREMOTEIO: a short packet where the request forbids it.
 * - ESHUTDOWN: the device was reset or is gone.
 * - EPROTO, ENODEV: the device is gone.
 * - ENOMEM: more than `/sys/module/usbcore/parameters/usbfs_memory_mb` at once.
 *
 * @category Testing
 */
export type HostTransferError = Error & SystemErrorFields & {
  /** Bytes transferred before the failure. */
  readonly transferred: number;
  /** Data received before the failure; empty for a transfer to the device. */
  readonly data: Uint8Array<ArrayBuffer>;
};

/** Whether an error is that of a transfer, with the given code if any. */
export function isTransferError(
  error: unknown,
  ...codes: string[]
): error is HostTransferError {
  return error instanceof Error && "transferred" in error && "data" in error &&
    "code" in error && typeof error.code === "string" &&
    (codes.length === 0 || codes.includes(error.code));
}

/** Makes a system error that of a transfer which has not begun. */
export function withoutData(error: unknown): unknown {
  if (!isSystemError(error)) return error;
  return Object.assign(error, { transferred: 0, data: new Uint8Array(0) });
}

/** The subject of a transfer's error. */
export interface TransferSubject {
  /** The action, for the text after "Cannot": `"read from endpoint 0x81"`. */
  readonly action: string;
  /** The device's file. */
  readonly path: string;
  /** The offset of the data in the URB's buffer, after a setup packet. */
  readonly offset?: number;
  /** Says why it may have timed out, after that many bytes. */
  readonly whyTimedOut?: (transferred: number) => string;
  /** Says why the kernel did not accept it, if that is known. */
  readonly whyRefused?: string;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * Waits for the end of a URB.
 *
 * @returns The transferred part of its data.
 * @throws {HostTransferError} If its status is not 0.
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
  const progress = `${completion.actualLength} of ${
    buffer.byteLength - offset
  } bytes were transferred`;
  const reasons = timedOut
    ? [`more than ${timeout} ms`, subject.whyTimedOut?.(data.byteLength)]
    : [hint(completion, buffer.byteLength, subject)];
  const error = systemError(errnoOf(completion, timedOut), {
    action: subject.action,
    syscall: "ioctl",
    path: subject.path,
    hint: [...reasons, progress].filter((it) => it !== undefined).join(", "),
  });
  if (signal?.aborted) error.cause = signal.reason;
  const isIn = (urb.request.endpoint & 0x80) !== 0;
  throw Object.assign(error, {
    transferred: completion.actualLength,
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
  { whyRefused }: TransferSubject,
): string | undefined {
  switch (-status) {
    case Errno.EPIPE:
      return "the endpoint is halted, or the request was stalled";
    case Errno.EOVERFLOW:
      return "the device has sent more than was asked for: ask for whole packets";
    case Errno.ESHUTDOWN:
      return "the device was reset or is gone";
    case Errno.ENODEV:
      return "the device is gone: it was unplugged, or its gadget bound again";
    case Errno.ENOENT:
    case Errno.ECONNRESET:
      return submitted ? "the transfer was discarded" : whyRefused ??
        "there is no such endpoint, or the transfer was discarded before it was submitted";
    case Errno.ENOMEM:
      return `${length} bytes do not fit in what /sys/module/usbcore/parameters/usbfs_memory_mb allows`;
    default:
      return undefined;
  }
}
