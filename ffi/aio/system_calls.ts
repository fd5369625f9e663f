/**
 * The calls of Linux AIO, and how to make them without libaio: with `syscall()`
 * of libc.
 *
 * @module
 */
import { architectureNumbers } from "../abi.ts";
import { ERRNO, openLibc } from "../libc.ts";

type Bytes = BufferSource & ArrayBufferView<ArrayBuffer>;

/**
 * The AIO calls. Each returns 0 or a count, or a negative error number.
 *
 * Counts are BigInt because that is the fastest way to pass a `long`.
 */
export interface AioCalls {
  /** What makes the calls, such as `"libaio.so.1"` or `"syscall"`. */
  readonly library: string;
  /** Makes a context for `entries` requests, and stores its address in `context`. */
  setup(entries: number, context: BigUint64Array<ArrayBuffer>): number;
  /** Submits `count` requests, whose addresses are in `requests`. */
  submit(context: Deno.PointerObject, count: bigint, requests: Bytes): number;
  /** Cancels a request. -EINPROGRESS means success. */
  cancel(
    context: Deno.PointerObject,
    request: Deno.PointerObject,
    event: Bytes,
  ): number;
  /**
   * Takes up to `count` completions.
   *
   * @param timeout A `struct timespec`: how long to wait for the first one.
   */
  getEvents(
    context: Deno.PointerObject,
    count: bigint,
    events: Bytes,
    timeout: Bytes,
  ): number;
}

const SYMBOLS = {
  io_setup: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "u32", // unsigned nr_events
      "buffer", // aio_context_t *ctx_idp
    ],
    result: "i32", // long: 0 or -1
  },
  io_destroy: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "pointer", // aio_context_t ctx_id
    ],
    result: "i32",
    nonblocking: true,
  },
  io_submit: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "pointer", // aio_context_t ctx_id
      "i64", // long nr
      "buffer", // struct iocb **iocbpp
    ],
    result: "i32", // long: at most nr
  },
  io_cancel: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "pointer", // aio_context_t ctx_id
      "pointer", // struct iocb *iocb
      "buffer", // struct io_event *result
    ],
    result: "i32",
  },
  io_getevents: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "pointer", // aio_context_t ctx_id
      "i64", // long min_nr
      "i64", // long nr
      "buffer", // struct io_event *events
      "buffer", // struct timespec *timeout
    ],
    result: "i32", // long: at most nr
  },
} as const satisfies Deno.ForeignLibraryInterface;

let symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

function open() {
  return symbols ??= openLibc(SYMBOLS);
}

/**
 * Cancels what is left in a context and frees it. Resolves when it is gone.
 *
 * That takes the kernel about 30 ms, so it runs on a thread of Deno's pool,
 * which can outlive the isolate. libaio's function would then be unloaded with
 * the isolate while it runs; libc's stays.
 */
export async function destroyContext(
  context: Deno.PointerObject,
): Promise<void> {
  const { SYS_io_destroy } = architectureNumbers();
  await open().io_destroy(BigInt(SYS_io_destroy), context);
}

const MIN_EVENTS = 1n;

/** The AIO calls as system calls. */
export function systemCalls(): AioCalls {
  const { io_setup, io_submit, io_cancel, io_getevents } = open();
  const numbers = architectureNumbers();
  const setup = BigInt(numbers.SYS_io_setup);
  const submit = BigInt(numbers.SYS_io_submit);
  const cancel = BigInt(numbers.SYS_io_cancel);
  const getEvents = BigInt(numbers.SYS_io_getevents);
  const result = (value: number, errno: number) => value < 0 ? -errno : value;
  return {
    library: "syscall",
    setup: (entries, context) =>
      result(io_setup(setup, entries, context), ERRNO[0]),
    submit: (context, count, requests) =>
      result(io_submit(submit, context, count, requests), ERRNO[0]),
    cancel: (context, request, event) =>
      result(io_cancel(cancel, context, request, event), ERRNO[0]),
    getEvents: (context, count, events, timeout) =>
      result(
        io_getevents(getEvents, context, MIN_EVENTS, count, events, timeout),
        ERRNO[0],
      ),
  };
}
