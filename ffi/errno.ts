/**
 * Linux error numbers, and errors in the shape of Deno's own.
 *
 * An error that the kernel reports becomes the class that Deno itself would
 * throw for it (`Deno.errors.NotFound` for ENOENT), or a {@linkcode SystemError}
 * if Deno has no class for it. Either way it has `code`, `errno` and `syscall`.
 *
 * @module
 */
import { libc } from "./libc.ts";

/** Error numbers of Linux (`asm-generic/errno.h`: the same on x86-64 and arm64). */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  ENOTBLK: 15,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  EDOM: 33,
  ERANGE: 34,
  EDEADLK: 35,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  EIDRM: 43,
  EL2HLT: 51,
  ENODATA: 61,
  ETIME: 62,
  ECOMM: 70,
  EPROTO: 71,
  EBADMSG: 74,
  EOVERFLOW: 75,
  EBADFD: 77,
  EILSEQ: 84,
  EMSGSIZE: 90,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ENOTCONN: 107,
  ESHUTDOWN: 108,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  EALREADY: 114,
  EINPROGRESS: 115,
  ESTALE: 116,
  EREMOTEIO: 121,
  EDQUOT: 122,
  ECANCELED: 125,
  // Not for user space, but some drivers return it.
  ENOTSUPP: 524,
} as const;

const NAMES = new Map<number, string>(
  Object.entries(Errno).map(([name, value]) => [value, name]),
);

/** Returns the name of an error number: `"EBUSY"` for 16, `"E999"` for 999. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `E${errno}`;
}

/**
 * What every error of the operating system has besides its message.
 * @category Errors
 */
export interface SystemErrorFields {
  /** Name of the error number, such as `"ENODEV"`. */
  readonly code: string;
  /** The error number itself, positive. */
  readonly errno: number;
  /** The call that failed, such as `"open"`, or that was known to fail. */
  readonly syscall: string;
  /** The file of the call, if there is one. */
  readonly path?: string;
}

/**
 * An error of the operating system for which `Deno.errors` has no class.
 * @category Errors
 */
export class SystemError extends Error implements SystemErrorFields {
  /** The name of the class. */
  override name = "SystemError";
  /** Name of the error number, such as `"ESHUTDOWN"`. */
  readonly code: string;
  /** The error number itself, positive. */
  readonly errno: number;
  /** The call that failed, such as `"ioctl"`. */
  readonly syscall: string;
  /** The file of the call, if there is one. */
  readonly path?: string;

  /** For a failed call. */
  constructor(message: string, fields: SystemErrorFields) {
    super(message);
    this.code = fields.code;
    this.errno = fields.errno;
    this.syscall = fields.syscall;
    if (fields.path !== undefined) this.path = fields.path;
  }
}

type MessageErrorClass = new (message: string) => Error;

/** The same choice as Deno's own file and network calls. */
const DENO_CLASSES: Readonly<Record<number, MessageErrorClass>> = {
  [Errno.EPERM]: Deno.errors.PermissionDenied,
  [Errno.ENOENT]: Deno.errors.NotFound,
  [Errno.EINTR]: Deno.errors.Interrupted,
  [Errno.EBADF]: Deno.errors.BadResource,
  [Errno.EAGAIN]: Deno.errors.WouldBlock,
  [Errno.EACCES]: Deno.errors.PermissionDenied,
  [Errno.EBUSY]: Deno.errors.Busy,
  [Errno.EEXIST]: Deno.errors.AlreadyExists,
  [Errno.ENOTDIR]: Deno.errors.NotADirectory,
  [Errno.EISDIR]: Deno.errors.IsADirectory,
  [Errno.EPIPE]: Deno.errors.BrokenPipe,
  [Errno.ENOSYS]: Deno.errors.NotSupported,
  [Errno.ELOOP]: Deno.errors.FilesystemLoop,
  [Errno.EOPNOTSUPP]: Deno.errors.NotSupported,
  [Errno.EADDRINUSE]: Deno.errors.AddrInUse,
  [Errno.EADDRNOTAVAIL]: Deno.errors.AddrNotAvailable,
  [Errno.ECONNABORTED]: Deno.errors.ConnectionAborted,
  [Errno.ECONNRESET]: Deno.errors.ConnectionReset,
  [Errno.ENOTCONN]: Deno.errors.NotConnected,
  [Errno.ETIMEDOUT]: Deno.errors.TimedOut,
};

/** Describes the call that failed. */
export interface FailedCall {
  /** Follows "Cannot": `"open endpoint"`. */
  readonly action: string;
  /** The call that failed, such as `"open"`. */
  readonly syscall: string;
  /** The file of the call, if there is one. */
  readonly path?: string;
  /** The cause or the remedy, after a colon. */
  readonly hint?: string;
}

/**
 * Makes the error for a failed call.
 *
 * The message reads `Cannot open endpoint: No such device (os error 19): PATH`.
 *
 * @param errno The error number, positive.
 */
export function systemError(
  errno: number,
  call: FailedCall,
): Error & SystemErrorFields {
  const { action, syscall, path, hint } = call;
  let message = `Cannot ${action}: ${strerror(errno)} (os error ${errno})`;
  if (path !== undefined) message += `: ${path}`;
  if (hint !== undefined) message += `: ${hint}`;
  return errorOf(errno, message, { syscall, path });
}

/**
 * Makes the error for an error number with our own message, for a failure
 * detected without a call.
 *
 * @param errno The error number, positive.
 */
export function errorOf(
  errno: number,
  message: string,
  { syscall, path }: Pick<FailedCall, "syscall" | "path">,
): Error & SystemErrorFields {
  const fields: SystemErrorFields = {
    code: errnoName(errno),
    errno,
    syscall,
    ...(path === undefined ? {} : { path }),
  };
  const DenoClass = DENO_CLASSES[errno];
  if (DenoClass === undefined) return new SystemError(message, fields);
  return Object.assign(new DenoClass(message), fields);
}

/** Makes an error of the same class and fields, with another message. */
export function rephrase(
  cause: Error & SystemErrorFields,
  message: string,
): Error & SystemErrorFields {
  return Object.assign(errorOf(cause.errno, message, cause), { cause });
}

/** Whether an error is a system error, with one of `codes` if given. */
export function isSystemError(
  error: unknown,
  ...codes: string[]
): error is Error & SystemErrorFields {
  return error instanceof Error && "code" in error && "errno" in error &&
    typeof error.code === "string" &&
    (codes.length === 0 || codes.includes(error.code));
}

/** The operating system's message for an error number. */
export function strerror(errno: number): string {
  if (errno === Errno.ENOTSUPP) return "Operation is not supported";
  const text = libc().strerror(errno);
  return text === null
    ? `Unknown error ${errno}`
    : Deno.UnsafePointerView.getCString(text);
}

/**
 * Returns the result of a call, or throws its error if it is negative.
 *
 * @param errno `ERRNO[0]`, read right after the call.
 */
export function check(result: number, errno: number, call: FailedCall): number {
  if (result < 0) throw systemError(errno, call);
  return result;
}
