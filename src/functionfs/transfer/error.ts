/**
 * The errors of transfers.
 *
 * @module
 */
import {
  Errno,
  errorOf,
  systemError,
  type SystemErrorFields,
} from "../../../ffi/errno.ts";
import type { SessionEndedError, SessionLife } from "../session.ts";

/**
 * What every error of a `write` or a `read` carries besides its message.
 *
 * @internal
 */
export interface TransferErrorFields {
  /**
   * Bytes of the transfer that are known to have gone over the bus: those of
   * completed kernel requests. Up to 1 MiB more may have: FunctionFS does not
   * report how much of an unfinished request was transferred.
   */
  readonly transferred: number;
}

/** A transfer that was aborted. */
export interface AbortedTransfer extends TransferErrorFields {
  readonly cause: unknown;
  /** The call that carries such transfers. */
  readonly syscall: string;
}

/**
 * Thrown by a transfer whose `signal` was aborted, or that `discard()` has
 * ended. `cause` is the signal's reason. The other fields are those of ECANCELED, the error with which the
 * kernel ends cancelled requests.
 * @category Errors
 */
export class AbortedTransferError extends Error
  implements TransferErrorFields, SystemErrorFields {
  /** The name of errors of aborted operations. */
  override name = "AbortError";
  /** Name of the error number. */
  readonly code: string = "ECANCELED";
  /** The error number, positive. */
  readonly errno: number = Errno.ECANCELED;
  /** The call that carries such transfers: `"read"`, `"write"` or `"ioctl"`. */
  readonly syscall: string;
  readonly transferred: number;

  /** For a transfer that a signal has ended. */
  constructor(message: string, transfer: AbortedTransfer) {
    super(message, { cause: transfer.cause });
    this.syscall = transfer.syscall;
    this.transferred = transfer.transferred;
  }

  /** @ignore For a signal that was aborted before the call. */
  static before(
    action: string,
    name: string,
    signal: AbortSignal,
  ): AbortedTransferError {
    const message =
      `Cannot ${action} endpoint "${name}": the signal is aborted already`;
    const syscall = syscallOf(action);
    return new AbortedTransferError(message, {
      cause: signal.reason,
      syscall,
      transferred: 0,
    });
  }
}

/** A transfer that has ended before it was done. */
export interface FailedTransfer extends TransferErrorFields {
  readonly action: "write to" | "read from";
  readonly endpoint: { readonly name: string; readonly path: string };
  /** See `RequestOwner.onEnd`. */
  readonly result: number | Error;
  readonly signal: AbortSignal | undefined;
  /** The only session that it belongs to, if any. */
  readonly session?: SessionLife;
}

/** Makes the error for a transfer. */
export function transferError(
  { action, endpoint, result, signal, session, transferred }: FailedTransfer,
): Error & TransferErrorFields {
  const aborted = result === -Errno.ECANCELED && signal?.aborted;
  if (session?.ended !== undefined && !aborted) {
    return endedError(action, endpoint.name, session, transferred);
  }
  if (typeof result !== "number") {
    return Object.assign(result, { transferred });
  }
  if (result === -Errno.ECANCELED) {
    if (signal?.aborted) {
      return new AbortedTransferError(
        `Cannot ${action} endpoint "${endpoint.name}": the transfer was aborted after ${transferred} bytes`,
        { cause: signal.reason, syscall: syscallOf(action), transferred },
      );
    }
    const error = closedError(action, endpoint.name);
    return Object.assign(error, { transferred });
  }
  if (result === -Errno.ECONNRESET) {
    return discardedError(action, endpoint.name, transferred);
  }
  const error = systemError(-result, {
    action: `${action} endpoint "${endpoint.name}"`,
    syscall: syscallOf(action),
    path: endpoint.path,
    hint: hint(-result, action),
  });
  return Object.assign(error, { transferred });
}

function hint(errno: number, action: string): string | undefined {
  switch (errno) {
    case Errno.ESHUTDOWN:
      return "the endpoint was disabled: by a reset, another configuration, an unplugged cable or unbind()";
    case Errno.EOVERFLOW:
      return "the host has sent more than the endpoint's descriptor allows, and the data of this request is lost";
    case Errno.ENOMEM:
      return action === "write to"
        ? "the kernel copies each request into contiguous memory"
        : "the kernel receives each request into contiguous memory";
    default:
      return undefined;
  }
}

/** Makes the error for a transfer that `discard()` has ended. */
function discardedError(
  action: string,
  name: string,
  transferred: number,
): AbortedTransferError {
  const message = `Cannot ${action} endpoint "${name}": discard() was called`;
  const syscall = syscallOf(action);
  const cause = new DOMException(message, "AbortError");
  return new AbortedTransferError(message, { cause, syscall, transferred });
}

/** Makes the error for an endpoint whose function is closed. */
export function closedError(action: string, name: string): Error {
  return errorOf(
    Errno.EBADF,
    `Cannot ${action} endpoint "${name}": its function is closed`,
    { syscall: syscallOf(action) },
  );
}

/** Makes the error for an endpoint whose session has ended. */
export function endedError(
  action: string,
  name: string,
  session: SessionLife,
  transferred = 0,
): SessionEndedError {
  return session.error(`Cannot ${action} endpoint "${name}"`, {
    syscall: syscallOf(action),
    transferred,
  });
}

function syscallOf(action: string): string {
  switch (action) {
    case "write to":
      return "write";
    case "read from":
      return "read";
    default:
      return "ioctl";
  }
}
