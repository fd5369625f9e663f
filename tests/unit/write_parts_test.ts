import "../support/run/aio_libraries.ts";
import { setImmediate as turn } from "node:timers/promises";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { IOCB_CMD_PWRITE } from "../../ffi/abi.ts";
import type { AioRequest } from "../../ffi/aio/ring.ts";
import { Errno } from "../../ffi/errno.ts";
import { AbortedTransferError } from "../../src/functionfs/transfer/error.ts";
import {
  SessionEndedError,
  SessionLife,
} from "../../src/functionfs/session.ts";
import { PacketSizes } from "../../src/functionfs/transfer/packet_sizes.ts";
import { RequestQueue } from "../../src/functionfs/transfer/queue.ts";
import type { KernelRequest } from "../../src/functionfs/transfer/request.ts";
import { transferData } from "../../src/functionfs/write/data.ts";
import { PieceMemory } from "../../src/functionfs/write/parts.ts";
import {
  Write,
  type WriteLife,
  type WritePort,
} from "../../src/functionfs/write/write.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { FakeAio } from "../support/gadgets/fake_aio.ts";

const MIB = 1 << 20;
const SIZES = { full: 64, high: 512, super: 1024 };

/** What the kernel has of a request: its bytes, as they were when it came. */
interface Submitted {
  readonly write: Write;
  readonly bytes: Uint8Array;
  /** Whether the kernel adds a zero-length packet on a packet border. */
  readonly zero: boolean;
}

/** A request that the host has taken. */
interface Taken {
  readonly write: Write;
  readonly bytes: Uint8Array;
  readonly packet: number;
  /** Whether the host sees the end of a transfer. */
  readonly ends: boolean;
  readonly connection: number;
}

type Data = Uint8Array | readonly Uint8Array[] | AsyncIterable<Uint8Array>;

/** An endpoint whose kernel and host do what the test says. */
class Bench {
  readonly aio = new FakeAio();
  readonly connection = {
    enabled: true,
    enableCount: 1,
    probe: () => true,
    use() {},
    doubtful: false,
  };
  readonly queue = new RequestQueue({
    aio: this.aio,
    fd: -1,
    opcode: IOCB_CMD_PWRITE,
    connection: this.connection,
  });
  /** Transfers as the host sees them; the last one has no end yet. */
  transfers: Uint8Array[][] = [[]];
  readonly taken: Taken[] = [];
  readonly writes: Write[] = [];
  /** The current session. */
  session = new SessionLife(1);
  readonly submitted = new Map<AioRequest, Submitted>();
  packet = 1024;
  mode: "kernel" | "request" = "kernel";
  #zero = false;
  readonly port: WritePort;

  constructor(pieceSize?: number) {
    const sizes = new PacketSizes({
      transferType: "bulk",
      maxPacketSize: SIZES,
      bytesPerInterval: SIZES,
    });
    const packet = () => this.packet;
    const mode = () => this.mode;
    this.port = {
      name: "tx",
      path: "/ep1",
      get maxPacketSize() {
        return packet();
      },
      largestTransfer: Infinity,
      pieceSize: pieceSize ?? sizes.largestRequest(1024),
      pieceStep: sizes.smallestRequest(1024),
      pieceMemory: new PieceMemory(),
      queue: this.queue,
      zeroLengthPackets: {
        get mode() {
          return mode();
        },
        set: (on: boolean) => this.#zero = on,
      } as unknown as WritePort["zeroLengthPackets"],
    };
    const { submit } = this.aio;
    this.aio.submit = (request) => {
      const { memory, length, owner } = request as KernelRequest;
      this.submitted.set(request, {
        write: owner as Write,
        bytes: memory.slice(0, length),
        zero: this.#zero && this.mode === "kernel",
      });
      submit.call(this.aio, request);
    };
  }

  write(data: Data, options: WriteLife = {}, zlp = false) {
    return new Promise<number>((resolve, reject) => {
      const taken = transferData(data, this.port);
      const write = new Write(this.port, options, resolve, reject);
      this.writes.push(write);
      write.start(taken, zlp);
    });
  }

  get bytesInKernel(): number {
    return this.aio.inKernel.reduce(
      (sum, each) => sum + (each as KernelRequest).length,
      0,
    );
  }

  /** Lets everything happen that does not depend on the host. */
  async settle(): Promise<void> {
    for (let count = 0; count < 4; count++) {
      this.aio.turn();
      await turn();
    }
    this.aio.turn();
  }

  /** The host takes the oldest request. */
  take(): void {
    const [request] = this.aio.inKernel;
    const { write, bytes, zero } = this.submitted.get(request)!;
    this.transfers.at(-1)!.push(bytes);
    const wholePackets = bytes.length > 0 && bytes.length % this.packet === 0;
    const ends = !wholePackets || zero;
    if (ends) this.transfers.push([]);
    const { packet, connection: { enableCount: connection } } = this;
    this.taken.push({ write, bytes, packet, ends, connection });
    this.aio.complete(request, bytes.length);
  }

  /** The host takes all that comes, until nothing has come for a while. */
  async takeAll(): Promise<void> {
    for (let idle = 0; idle < 4; idle++) {
      await this.settle();
      for (; this.aio.inKernel.length > 0; idle = 0) this.take();
    }
  }

  /** The kernel ends the requests that were withdrawn. */
  finishCancelled(): void {
    for (const each of this.aio.cancelled.splice(0)) {
      if (each.pending) this.aio.complete(each, -Errno.ECONNRESET);
    }
  }

  /**
   * The host resets the device.
   *
   * @param packet The packet size from now on.
   * @param late Whether the completions come later than the events.
   */
  reset(packet = this.packet, late = false): void {
    const old = [...this.aio.inKernel];
    const end = () => {
      for (const each of old) this.aio.complete(each, -Errno.ESHUTDOWN);
    };
    this.session.end("disabled");
    this.connection.enabled = false;
    this.queue.onDisable();
    if (!late) end();
    this.packet = packet;
    this.connection.enabled = true;
    this.connection.enableCount++;
    this.session = new SessionLife(this.connection.enableCount);
    this.queue.onEnable();
    if (!late) return;
    this.aio.turn();
    // What went into the new connection too early is called back.
    end();
    this.aio.turn();
    this.finishCancelled();
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, it) => sum + it.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Cuts an array into parts of up to `most` bytes, with empty ones among them. */
function cut(bytes: Uint8Array, random: Random, most: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = random.chance(0.1) ? 0 : random.int(1, most);
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}

/** Yields parts from memory that is used again, and counts what becomes of it. */
class Source implements AsyncIterable<Uint8Array> {
  asked = 0;
  given = 0;
  returned = 0;
  over = false;
  readonly #parts: readonly Uint8Array[];
  readonly #wait: (asked: number) => Promise<void>;

  constructor(
    parts: readonly Uint8Array[],
    wait: (asked: number) => Promise<void> = () => Promise.resolve(),
  ) {
    this.#parts = parts;
    this.#wait = wait;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const memory = new Uint8Array(
      Math.max(0, ...this.#parts.map((part) => part.length)),
    );
    return {
      next: async () => {
        const part = this.#parts[this.asked++];
        memory.fill(0xee);
        await this.#wait(this.asked);
        this.over = part === undefined;
        if (part === undefined) return { done: true, value: undefined };
        this.given += part.length;
        memory.set(part);
        return { done: false, value: memory.subarray(0, part.length) };
      },
      return: () => {
        this.returned++;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}

async function* yieldAll<T>(...parts: T[]): AsyncGenerator<T> {
  yield* parts;
}

Deno.test("parts become one transfer, with a zero-length packet where one is needed", async () => {
  const random = new Random(1);
  for (const size of [0, 1, 511, 512, 1024, 1025, MIB, 2 * MIB, 3 * MIB + 5]) {
    for (const mode of ["kernel", "request"] as const) {
      for (const zlp of [true, false]) {
        for (const streamed of [true, false]) {
          const bench = new Bench();
          Object.assign(bench, { mode, packet: 512 });
          const bytes = pattern(size);
          const parts = cut(bytes, random, Math.max(1, size / 4 | 0));
          const written = bench.write(
            streamed ? new Source(parts) : parts,
            {},
            zlp,
          );
          await bench.takeAll();
          const what = `${size} bytes, ${mode}, ${zlp}, ${streamed}`;
          assertEquals(await written, size, what);
          const [transfer, ...others] = bench.transfers;
          assertEquals(firstDifference(join(transfer), bytes), -1, what);
          const ends = size === 0 || size % 512 > 0 || zlp;
          assertEquals(others, ends ? [[]] : [], what);
        }
      }
    }
  }
});

Deno.test("no more than 4 MiB wait for the host, and an iterable is asked only when there is room", async () => {
  const part = 64 << 10;
  const source = new Source(Array(256).fill(pattern(part)));
  const bench = new Bench();
  bench.connection.enabled = false;
  const written = bench.write(source);
  await bench.settle();
  assertEquals(source.asked, 0, "without a host");
  bench.connection.enabled = true;
  bench.queue.onEnable();
  let taken = 0;
  for (;;) {
    for (let turn = 0; turn < 12; turn++) await bench.settle();
    if (bench.aio.inKernel.length === 0) break;
    assert(bench.bytesInKernel <= 4 * MIB);
    assert(source.given <= taken + 4 * MIB, `${source.given} of ${taken}`);
    const before = bench.bytesInKernel;
    bench.take();
    taken += before - bench.bytesInKernel;
  }
  assertEquals(await written, 256 * part);
  assertEquals(source.returned, 0);
});

Deno.test("what a slow iterable has given so far goes to the host, in whole packets", async () => {
  const bench = new Bench();
  let go = Promise.withResolvers<void>();
  const source = new Source(
    [100, 3000, 1500, 2000].map((size) => pattern(size, size)),
    () => go.promise,
  );
  const written = bench.write(source, {}, true);
  const give = async () => {
    const { resolve } = go;
    go = Promise.withResolvers();
    resolve();
    await bench.settle();
  };
  await bench.settle();
  assertEquals(bench.bytesInKernel, 0);
  await give();
  assertEquals(bench.bytesInKernel, 0, "less than a packet");
  await give();
  assertEquals(bench.bytesInKernel, 3072);
  await give();
  assertEquals(bench.bytesInKernel, 3072, "it waits for the one before");
  await give();
  bench.take();
  await bench.settle();
  assertEquals(bench.bytesInKernel, 3072);
  await give();
  assertEquals(bench.bytesInKernel, 3072 + 456, "the last one does not wait");
  await bench.takeAll();
  assertEquals(await written, 6600);
  assertEquals(bench.transfers.length, 2);
});

Deno.test("a later write waits for the end of an iterable, and a halt as well", async () => {
  const bench = new Bench();
  const go = Promise.withResolvers<void>();
  const slow = new Source([pattern(2048), pattern(5, 1)], () => go.promise);
  const first = bench.write(slow);
  let halted = false;
  bench.queue.run({
    ordered: true,
    attempt: () => {
      assertEquals(bench.aio.inKernel, []);
      halted = true;
      return 0;
    },
    onEnd: () => {},
  });
  const second = bench.write(pattern(7, 2));
  const third = bench.write([pattern(3, 3), pattern(3, 4)]);
  await bench.settle();
  assertEquals([bench.aio.inKernel.length, halted], [0, false]);
  go.resolve();
  await bench.settle();
  assertEquals(halted, false);
  await bench.takeAll();
  assert(halted);
  assertEquals(await Promise.all([first, second, third]), [2053, 7, 6]);
  assertEquals(bench.transfers.map(join), [
    join([pattern(2048), pattern(5, 1)]),
    pattern(7, 2),
    join([pattern(3, 3), pattern(3, 4)]),
    new Uint8Array(0),
  ]);
});

Deno.test("an abort withdraws what the kernel has, and closes the iterator", async () => {
  for (const pending of [true, false]) {
    const bench = new Bench();
    const controller = new AbortController();
    const source = new Source(
      Array(9).fill(pattern(MIB)),
      (asked) =>
        pending && asked === 3 ? new Promise(() => {}) : Promise.resolve(),
    );
    const writing = bench.write(source, { signal: controller.signal });
    const next = bench.write(pattern(9));
    await bench.settle();
    bench.take();
    await bench.settle();
    controller.abort("enough");
    await bench.settle();
    bench.finishCancelled();
    const error = await assertRejects(() => writing, AbortedTransferError);
    assertEquals([error.cause, error.transferred], ["enough", MIB]);
    assertEquals(source.returned, 1);
    await bench.takeAll();
    assertEquals(await next, 9);
  }
});

Deno.test("an abort withdraws the last piece first, or the host would get it alone", async () => {
  const bench = new Bench();
  bench.mode = "request";
  const controller = new AbortController();
  const { signal } = controller;
  const parts = [pattern(3 * MIB), pattern(1024)];
  const writing = bench.write(parts, { signal }, true);
  await bench.settle();
  const pieces = [...bench.aio.inKernel];
  assertEquals(
    pieces.map((each) => (each as KernelRequest).length),
    [MIB, MIB, MIB, 1024, 0],
  );
  controller.abort();
  assertEquals(bench.aio.cancelled, pieces.toReversed());
  bench.finishCancelled();
  await assertRejects(() => writing, AbortedTransferError);
});

Deno.test("a write fails with what its iterable throws, and cuts the transfer short", async () => {
  for (
    const reason of [
      new Error("no paper"),
      "text",
      undefined,
      Object.freeze(new Error()),
    ]
  ) {
    const bench = new Bench();
    const writing = bench.write(
      (async function* () {
        yield pattern(3000);
        throw reason;
      })(),
      {},
      true,
    );
    let thrown: unknown = "nothing";
    writing.catch((error) => thrown = error);
    await bench.settle();
    bench.finishCancelled();
    await bench.settle();
    assert(thrown === reason);
    await bench.takeAll();
    assertEquals(bench.transfers, [[]]);
  }
  const bench = new Bench();
  let closed = false;
  const writing = bench.write((async function* () {
    try {
      yield pattern(3000);
      yield "text" as never;
    } finally {
      closed = true;
    }
  })());
  await bench.settle();
  bench.finishCancelled();
  await assertRejects(
    () => writing,
    TypeError,
    'Cannot write to endpoint "tx": a part of the data must be a Uint8Array, is "text": give new TextEncoder().encode(it)',
  );
  assert(closed);
});

Deno.test("an iterator that was not asked yet is closed, and one that fails to close changes nothing", async () => {
  const bench = new Bench();
  bench.connection.enabled = false;
  const source = new Source([pattern(1)]);
  const writes = [
    bench.write(source),
    bench.write({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: () => {
          throw new Error("no");
        },
      }),
    }),
    bench.write(yieldAll(pattern(1))),
    bench.write([pattern(1)]),
  ];
  const ends = Promise.allSettled(writes);
  await bench.queue.close();
  for (const { status, reason } of await ends as PromiseRejectedResult[]) {
    assertEquals(status, "rejected");
    assert(/function is closed/.test(reason.message), reason.message);
  }
  assertEquals([source.asked, source.returned], [0, 1]);
});

Deno.test("a part that was detached before its turn fails its write", async () => {
  const bench = new Bench();
  const parts = [pattern(5), pattern(6 * MIB), pattern(5)];
  const writing = bench.write(parts);
  await bench.settle();
  bench.take();
  parts[2].buffer.transfer();
  const failed = assertRejects(
    () => writing,
    TypeError,
    "the data was detached before it was sent",
  );
  await bench.takeAll();
  await failed;
});

Deno.test("a session ends its write, also between two parts", async () => {
  const bench = new Bench();
  const { session } = bench;
  const go = Promise.withResolvers<void>();
  const source = new Source([pattern(1024), pattern(5)], async (asked) => {
    if (asked > 1) await go.promise;
  });
  const writing = bench.write(source, { session });
  await bench.takeAll();
  bench.reset();
  const error = await writing.catch((it) => it);
  assertEquals([error.code, error.transferred], ["ESHUTDOWN", 1024]);
  assertEquals(source.returned, 1);
  go.resolve();
  await bench.takeAll();
  assertEquals(bench.transfers, [[pattern(1024)]]);
});

Deno.test("the zero-length packet of a transfer does not come in another connection", async () => {
  const bench = new Bench();
  const go = Promise.withResolvers<void>();
  const source = new Source([pattern(1024)], async (asked) => {
    if (asked > 1) await go.promise;
  });
  const writing = bench.write(source, {}, true);
  await bench.takeAll();
  bench.reset();
  go.resolve();
  await bench.takeAll();
  assertEquals(await writing, 1024);
  assertEquals(bench.transfers, [[pattern(1024)]]);
});

/** A write of the random test. */
interface Job {
  readonly bytes: Uint8Array;
  readonly zlp: boolean;
  readonly session: SessionLife | undefined;
  readonly controller: AbortController;
  readonly source?: Source;
  result?: number;
  error?: unknown;
}

Deno.test("whatever happens, the host gets each write once, in order, in whole packets but for its end", async () => {
  const seed = testSeed();
  const random = new Random(seed);
  for (let round = 0; round < 200; round++) {
    const what = `seed ${seed}, round ${round}`;
    const bench = new Bench(4096);
    bench.mode = random.pick(["kernel", "request"]);
    const jobs: Job[] = [];
    const begin = () => {
      const bytes = pattern(
        random.chance(0.2) ? random.int(0, 8) * 1024 : random.int(0, 40_000),
        jobs.length,
      );
      const parts = cut(bytes, random, random.pick([50, 1024, 9000]));
      const kind = random.int(0, 2);
      const source = new Source(
        parts,
        () => random.chance() ? Promise.resolve() : turn(),
      );
      const controller = new AbortController();
      const zlp = random.chance();
      const session = random.chance(0.2) ? bench.session : undefined;
      const job: Job = {
        bytes,
        zlp,
        session,
        controller,
        source: kind === 0 ? source : undefined,
      };
      jobs.push(job);
      const { signal } = controller;
      bench.write(
        kind === 0 ? source : kind === 1 ? parts : bytes,
        { signal, session },
        zlp,
      ).then((count) => job.result = count, (error) => job.error = error);
    };
    for (let step = 0; step < 60; step++) {
      switch (random.int(0, 9)) {
        case 0:
        case 1:
          begin();
          break;
        case 2:
        case 3:
        case 4:
          bench.aio.turn();
          if (random.chance()) await turn();
          break;
        case 5:
        case 6:
        case 7:
          if (bench.aio.inKernel.length > 0) bench.take();
          break;
        case 8:
          if (random.chance(0.3)) jobs.at(-1)?.controller.abort();
          if (random.chance()) bench.finishCancelled();
          break;
        case 9:
          if (random.chance(0.3)) {
            bench.reset(random.pick([64, 512, 1024]), random.chance());
          }
      }
    }
    if (random.chance(0.2)) bench.queue.close();
    for (let more = true; more;) {
      bench.finishCancelled();
      await bench.takeAll();
      more = jobs.some((job) => !("result" in job || "error" in job));
    }
    check(bench, jobs, what);
  }
});

/** Compares what the host has taken with what was written. */
function check(bench: Bench, jobs: readonly Job[], what: string): void {
  const order = bench.taken.map(({ write }) => bench.writes.indexOf(write));
  assertEquals(order, order.toSorted((a, b) => a - b), what);
  for (const [index, job] of jobs.entries()) {
    const taken = bench.taken.filter((_, at) => order[at] === index);
    const got = join(taken.map(({ bytes }) => bytes));
    const sent = job.bytes.subarray(0, got.length);
    assertEquals(firstDifference(got, sent), -1, what);
    const early = taken.slice(0, -1);
    assert(early.every(({ ends }) => !ends), what);
    if (job.session !== undefined) {
      const connections = new Set(taken.map(({ connection }) => connection));
      assert(connections.size <= 1, what);
    }
    const { error, source } = job;
    if (error !== undefined) {
      const expected = error instanceof AbortedTransferError ||
        error instanceof Deno.errors.BadResource ||
        job.session !== undefined && error instanceof SessionEndedError;
      assert(expected, `${what}: ${error}`);
      // It was closed, unless it had ended.
      if (source?.over === false) assertEquals(source.returned, 1, what);
      continue;
    }
    assertEquals(
      [job.result, got.length],
      Array(2).fill(job.bytes.length),
      what,
    );
    assertEquals(source?.returned ?? 0, 0, what);
    const { ends, packet, connection } = taken.at(-1)!;
    const onBorder = got.length > 0 && got.length % packet === 0;
    if (ends) assert(!onBorder || job.zlp, what);
    if (ends || !onBorder) continue;
    // Its zero-length packet is not sent to the next connection.
    const over = connection < bench.connection.enableCount;
    assert(!job.zlp || over, what);
  }
}
