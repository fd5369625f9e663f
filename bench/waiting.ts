/**
 * Compares ways to wait for completions: the delay until the event loop notices a
 * completion, and the CPU time.
 *
 * A thread signals an eventfd repeatedly. That completes an AIO poll request, like
 * a device controller that completes transfers.
 *
 * ```sh
 * deno run -A --import-map=tests/import_map.json bench/waiting.ts [GAP_US...]
 * ```
 *
 * @module
 */
import { IOCB_CMD_POLL, POLLIN } from "../ffi/abi.ts";
import { median } from "./results.ts";

const COUNT = 3000;
const gaps = Deno.args.length > 0 ? Deno.args.map(Number) : [50, 300, 3000];

const { symbols: c } = Deno.dlopen("libc.so.6", {
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  poll: {
    parameters: ["buffer", "usize", "i32"],
    result: "i32",
    nonblocking: true,
  },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  syscall: {
    parameters: ["i64", "i64", "i64", "i64", "buffer", "buffer"],
    result: "i32",
  },
  parked: {
    name: "syscall",
    parameters: ["i64", "i64", "i64", "i64", "buffer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  setup: {
    name: "syscall",
    parameters: ["i64", "u32", "buffer"],
    result: "i32",
  },
  submit: {
    name: "syscall",
    parameters: ["i64", "i64", "i64", "buffer"],
    result: "i32",
  },
});
// System call numbers of x86-64.
const SYS_io_setup = 206n, SYS_io_getevents = 208n, SYS_io_submit = 209n;

const stamp = new BigInt64Array(2);
function now(): number {
  c.clock_gettime(1, stamp);
  return Number(stamp[0]) * 1e6 + Number(stamp[1]) / 1e3;
}

/** The code of a thread: waits, records the time, signals the eventfd. */
const setter = `
const { symbols: c } = Deno.dlopen("libc.so.6", {
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  usleep: { parameters: ["u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
});
const one = new BigUint64Array([1n]);
const stamp = new BigInt64Array(2);
onmessage = ({ data: { fd, shared, gap, count } }) => {
  const times = new Float64Array(shared, 8);
  const turn = new Int32Array(shared, 0, 2);
  for (let i = 0; i < count; i++) {
    while (Atomics.load(turn, 0) < i) Atomics.wait(turn, 0, i - 1, 10);
    c.usleep(gap);
    c.clock_gettime(1, stamp);
    times[0] = Number(stamp[0]) * 1e6 + Number(stamp[1]) / 1e3;
    c.write(fd, one, 8n);
  }
  postMessage("done");
};`;

/** A thread that waits in io_getevents, and notifies the event loop. */
const reaper = `
const { symbols: c } = Deno.dlopen("libc.so.6", {
  syscall: { parameters: ["i64", "i64", "i64", "i64", "buffer", "buffer"], result: "i32" },
});
const events = new Uint8Array(32);
onmessage = ({ data: { context, shared, post } }) => {
  const seen = new Int32Array(shared);
  for (;;) {
    if (c.syscall(208n, context, 1n, 1n, events, null) !== 1) continue;
    Atomics.add(seen, 0, 1);
    Atomics.notify(seen, 0);
    if (post) postMessage(0);
  }
};`;

function worker(source: string): Worker {
  return new Worker(`data:text/javascript,${encodeURIComponent(source)}`, {
    type: "module",
  });
}

/** One AIO context with one poll request on one eventfd. */
class Source {
  readonly fd = c.eventfd(0, 0o4000);
  /** Signalled by the kernel with each completion. */
  readonly signal = c.eventfd(0, 0o4000);
  readonly context: bigint;
  readonly #iocb = new ArrayBuffer(64);
  readonly #list = new BigUint64Array(1);
  readonly #count = new Uint8Array(8);

  constructor() {
    const context = new BigUint64Array(1);
    c.setup(SYS_io_setup, 16, context);
    this.context = context[0];
    const view = new DataView(this.#iocb);
    view.setUint16(16, IOCB_CMD_POLL, true);
    view.setUint32(20, this.fd, true);
    view.setBigUint64(24, BigInt(POLLIN), true);
    view.setUint32(56, 1, true);
    view.setUint32(60, this.signal, true);
    this.#list[0] = Deno.UnsafePointer.value(
      Deno.UnsafePointer.of(this.#iocb),
    );
  }

  submit(): void {
    c.read(this.fd, this.#count, 8n);
    c.submit(SYS_io_submit, this.context, 1n, this.#list);
  }

  clearSignal(): void {
    c.read(this.signal, this.#count, 8n);
  }
}

const events = new Uint8Array(32);
const NO_TIME = new BigInt64Array(2);

function take(source: Source, timeout: BigInt64Array<ArrayBuffer>): boolean {
  return c.syscall(
    SYS_io_getevents,
    source.context,
    1n,
    1n,
    events,
    timeout,
  ) === 1;
}

/** A way to wait: calls `seen` once for each completion. */
type Way = (source: Source, seen: () => boolean) => Promise<void>;

const parkedPoll: Way = async (source, seen) => {
  const fds = new DataView(new ArrayBuffer(8));
  fds.setInt32(0, source.signal, true);
  fds.setInt16(4, POLLIN, true);
  do {
    await c.poll(fds, 1n, -1);
    source.clearSignal();
    take(source, NO_TIME);
  } while (seen());
};

const parkedGetEvents: Way = async (source, seen) => {
  do {
    await c.parked(SYS_io_getevents, source.context, 1n, 1n, events, null);
  } while (seen());
};

const threadAndMessage: Way = async (source, seen) => {
  const thread = worker(reaper);
  const shared = new SharedArrayBuffer(8);
  const done = Promise.withResolvers<void>();
  thread.onmessage = () => {
    if (!seen()) done.resolve();
  };
  thread.postMessage({ context: source.context, shared, post: true });
  await done.promise;
  thread.terminate();
};

const threadAndSharedMemory: Way = async (source, seen) => {
  const thread = worker(reaper);
  const shared = new SharedArrayBuffer(8);
  const count = new Int32Array(shared);
  thread.postMessage({ context: source.context, shared, post: false });
  for (let known = 0;; known++) {
    const { async, value } = Atomics.waitAsync(count, 0, known);
    if (async) await value;
    if (!seen()) break;
  }
  thread.terminate();
};

const spin: Way = (source, seen) =>
  new Promise((resolve) => {
    const look = () => {
      if (take(source, NO_TIME) && !seen()) resolve();
      else setImmediate(look);
    };
    look();
  });

const linger: Way = (source, seen) =>
  new Promise((resolve) => {
    const timeout = new BigInt64Array([0n, 500_000n]);
    const look = () => {
      if (take(source, timeout) && !seen()) resolve();
      else setImmediate(look);
    };
    look();
  });

const ways: Record<string, Way> = {
  "parked poll": parkedPoll,
  "parked io_getevents": parkedGetEvents,
  "thread, postMessage": threadAndMessage,
  "thread, waitAsync": threadAndSharedMemory,
  "check in each turn": spin,
  "wait up to 500 us": linger,
};

function processorTime(): number {
  let sum = 0;
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    const text = Deno.readTextFileSync(`/proc/self/task/${name}/schedstat`);
    sum += Number(text.split(" ")[0]) / 1e3;
  }
  return sum;
}

for (const gap of gaps) {
  console.log(`one completion per ${gap} us: p50, p99, CPU time of each`);
  for (const [name, way] of Object.entries(ways)) {
    const source = new Source();
    const thread = worker(setter);
    const shared = new SharedArrayBuffer(16);
    const times = new Float64Array(shared, 8);
    const turn = new Int32Array(shared, 0, 2);
    const count = Math.min(COUNT, 3_000_000 / gap);
    const delays: number[] = [];
    source.submit();
    const before = processorTime();
    thread.postMessage({ fd: source.fd, shared, gap, count });
    await way(source, () => {
      delays.push(now() - times[0]);
      if (delays.length === count) return false;
      source.submit();
      Atomics.add(turn, 0, 1);
      Atomics.notify(turn, 0);
      return true;
    });
    const cost = (processorTime() - before) / count;
    thread.terminate();
    const sorted = delays.toSorted((a, b) => a - b);
    console.log(
      `${name.padEnd(20)} ${median(delays).toFixed(1).padStart(7)} ${
        sorted[Math.floor(count * 0.99)].toFixed(0).padStart(7)
      } ${cost.toFixed(1).padStart(7)}`,
    );
  }
}
Deno.exit(0);
