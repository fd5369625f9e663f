/**
 * The calls of Linux AIO: by libaio where it is installed, by raw system
 * calls elsewhere.
 *
 * Both do the same. libaio's `io_getevents` looks into the completion ring
 * first and saves the system call when that is empty.
 *
 * @module
 */
import { architectureNumbers } from "../abi.ts";
import { lastErrno } from "../errno.ts";
import { libc } from "../libc.ts";

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

type Pointer = Deno.PointerObject;
type Bytes = BufferSource & ArrayBufferView<ArrayBuffer>;

/**
 * The AIO calls. Each returns 0 or a count, or a negative error number.
 *
 * Counts are BigInt because that is the fast way into a `long` parameter.
 */
export interface AioCalls {
  /** Where the calls come from, such as `"libaio.so.1"` or `"syscall"`. */
  readonly source: string;
  /** Makes a context for `entries` requests; its address is put into `context`. */
  setup(entries: number, context: BigUint64Array<ArrayBuffer>): number;
  /** Submits `count` requests, whose addresses stand in `requests`. */
  submit(context: Pointer, count: bigint, requests: Bytes): number;
  /** Asks for the end of a request. -EINPROGRESS means that it was accepted. */
  cancel(context: Pointer, request: Pointer, event: Bytes): number;
  /**
   * Takes up to `count` completions.
   *
   * @param timeout A `struct timespec`: how long to wait for the first one.
   */
  getEvents(
    context: Pointer,
    count: bigint,
    events: Bytes,
    timeout: Bytes,
  ): number;
}

/**
 * Cancels what is left in a context and frees it. Resolves when it is gone.
 *
 * That takes the kernel about 30 ms, so it runs on a thread of Deno's pool, which
 * can outlive the isolate. libaio's function would be unloaded with the isolate
 * then, while it runs; libc's stays.
 */
export async function destroyContext(context: Pointer): Promise<void> {
  const { SYS_io_destroy } = architectureNumbers();
  await libc().syscall_io_destroy(BigInt(SYS_io_destroy), context);
}

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
 * @throws {Error} If a library was named and cannot be opened.
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
  const calls = openLibaio(name);
  opened.set(name, calls);
  return calls;
}

function openLibaio(name: string): AioCalls {
  // Never closed: see libc.ts.
  const { io_setup, io_submit, io_cancel, io_getevents } =
    Deno.dlopen(name, SYMBOLS).symbols;
  return {
    source: name,
    setup: (entries, context) => io_setup(entries, context),
    submit: (context, count, requests) => io_submit(context, count, requests),
    cancel: (context, request, event) => io_cancel(context, request, event),
    getEvents: (context, count, events, timeout) =>
      io_getevents(context, MIN_EVENTS, count, events, timeout),
  };
}

function systemCalls(): AioCalls {
  const {
    syscall_io_setup,
    syscall_io_submit,
    syscall_io_cancel,
    syscall_io_getevents,
  } = libc();
  const numbers = architectureNumbers();
  const setup = BigInt(numbers.SYS_io_setup);
  const submit = BigInt(numbers.SYS_io_submit);
  const cancel = BigInt(numbers.SYS_io_cancel);
  const getEvents = BigInt(numbers.SYS_io_getevents);
  // libaio returns negative error numbers; here they come by errno.
  const result = (value: number) => value < 0 ? -lastErrno() : value;
  return {
    source: "syscall",
    setup: (entries, context) =>
      result(syscall_io_setup(setup, entries, context)),
    submit: (context, count, requests) =>
      result(syscall_io_submit(submit, context, count, requests)),
    cancel: (context, request, event) =>
      result(syscall_io_cancel(cancel, context, request, event)),
    getEvents: (context, count, events, timeout) =>
      result(
        syscall_io_getevents(
          getEvents,
          context,
          MIN_EVENTS,
          count,
          events,
          timeout,
        ),
      ),
  };
}
