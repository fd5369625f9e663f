/**
 * The calls of Linux AIO: through libaio if it is installed, otherwise as raw
 * system calls.
 *
 * Both do the same. libaio's `io_getevents` checks the completion ring first,
 * and saves the system call when it is empty.
 *
 * @module
 */
import { Errno, systemError } from "../errno.ts";
import { exists, readTextFile } from "../file.ts";
import { libc } from "../libc.ts";
import { type AioCalls, systemCalls } from "./system_calls.ts";

const SYMBOLS = {
  io_setup: {
    parameters: [
      "i32", // int maxevents
      "buffer", // io_context_t *ctxp
    ],
    result: "i32",
  },
  io_submit: {
    parameters: [
      "pointer", // io_context_t ctx
      "i64", // long nr
      "buffer", // struct iocb *ios[]
    ],
    result: "i32",
  },
  io_cancel: {
    parameters: [
      "pointer", // io_context_t ctx
      "pointer", // struct iocb *iocb
      "buffer", // struct io_event *evt
    ],
    result: "i32",
  },
  io_getevents: {
    parameters: [
      "pointer", // io_context_t ctx_id
      "i64", // long min_nr
      "i64", // long nr
      "buffer", // struct io_event *events
      "buffer", // struct timespec *timeout
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** Which AIO calls to use. */
export interface AioLibraryOptions {
  /**
   * A library file or soname to open, or `"syscall"` for raw system calls. By
   * default `libaio.so.1t64` (Debian 13, Ubuntu 24.04 and newer), then
   * `libaio.so.1`, then system calls.
   */
  readonly library?: string;
}

/**
 * Finds the AIO calls.
 *
 * @throws {Error} If a named library cannot be opened.
 */
export function openAio(options: AioLibraryOptions = {}): AioCalls {
  const { library } = options;
  libc(); // asks for the permission
  if (library === "syscall") return systemCalls();
  if (library !== undefined) return libaio(library);
  for (const name of ["libaio.so.1t64", "libaio.so.1"]) {
    try {
      return libaio(name);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
    }
  }
  return systemCalls();
}

const MIN_EVENTS = 1n;

const opened = new Map<string, AioCalls>();

function libaio(name: string): AioCalls {
  const known = opened.get(name);
  if (known !== undefined) return known;
  // Never closed: see libc.ts.
  const { io_setup, io_submit, io_cancel, io_getevents } =
    Deno.dlopen(name, SYMBOLS).symbols;
  const calls: AioCalls = {
    library: name,
    setup: (entries, context) => io_setup(entries, context),
    submit: (context, count, requests) => io_submit(context, count, requests),
    cancel: (context, request, event) => io_cancel(context, request, event),
    getEvents: (context, count, events, timeout) =>
      io_getevents(context, MIN_EVENTS, count, events, timeout),
  };
  opened.set(name, calls);
  return calls;
}

const AIO_NR = "/proc/sys/fs/aio-nr";
const AIO_MAX_NR = "/proc/sys/fs/aio-max-nr";

/** Makes the error for a failed {@linkcode AioCalls.setup}. */
export function setupError(
  errno: number,
  capacity: number,
  pending: number,
): Error {
  const call = {
    action:
      `make room for ${capacity} asynchronous requests beside ${pending} pending ones`,
    syscall: "io_setup",
  };
  if (errno !== Errno.EAGAIN || !exists(AIO_MAX_NR)) {
    return systemError(errno, call);
  }
  const used = readTextFile(AIO_NR);
  const limit = readTextFile(AIO_MAX_NR);
  return systemError(errno, {
    ...call,
    hint: `all processes together use ${used} of ${limit} (${AIO_MAX_NR}); ` +
      `raise the limit with "sysctl -w fs.aio-max-nr=${2 * Number(limit)}"`,
  });
}
