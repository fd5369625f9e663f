import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals } from "@std/assert";
import type { AioRequest } from "../../ffi/aio/ring.ts";
import { IOCB_CMD_PWRITE } from "../../ffi/abi.ts";
import { Errno } from "../../ffi/errno.ts";
import { RequestQueue } from "../../src/functionfs/transfer/queue.ts";
import type {
  KernelRequest,
  RequestOwner,
} from "../../src/functionfs/transfer/request.ts";
import { FakeAio } from "../support/gadgets/fake_aio.ts";

/** A queue of named requests, and what happens around it. */
class Bench implements RequestOwner {
  readonly aio = new FakeAio();
  readonly connection = {
    enabled: true,
    enableCount: 1,
    works: true,
    probe() {
      return this.works;
    },
    use() {},
    /** The answers to the next questions. */
    doubts: [] as boolean[],
    get doubtful() {
      return this.doubts.shift() ?? false;
    },
  };
  readonly queue = new RequestQueue({
    aio: this.aio,
    fd: -1,
    opcode: IOCB_CMD_PWRITE,
    connection: this.connection,
  });
  readonly names = new Map<AioRequest, string>();
  readonly ends: string[] = [];
  resume = true;

  push(name: string): KernelRequest {
    const request = this.queue.take(this, new Uint8Array(8));
    this.names.set(request, name);
    this.queue.push(request);
    return request;
  }

  /** The names of what is with the kernel. */
  get kernel(): string[] {
    return this.aio.inKernel.map((request) => this.names.get(request)!);
  }

  disable(): void {
    this.connection.enabled = false;
    this.queue.onDisable();
  }

  enable(): void {
    this.connection.enabled = true;
    this.connection.enableCount++;
    this.queue.onEnable();
  }

  /** The next piece of an open request. */
  more?: (rest: KernelRequest) => KernelRequest | undefined;

  prepare(): boolean {
    return true;
  }

  resumes(): boolean {
    return this.resume;
  }

  onEnd(request: KernelRequest, result: number | Error): void {
    this.ends.push(`${this.names.get(request)} ${result}`);
  }
}

Deno.test("requests that a disable has ended are submitted again before later ones", () => {
  const bench = new Bench();
  const [a, b] = [bench.push("a"), bench.push("b")];
  bench.aio.turn();
  bench.aio.complete(a, -Errno.ESHUTDOWN);
  bench.push("c");
  bench.aio.turn();
  assertEquals(bench.kernel, ["b"]);
  bench.disable();
  bench.enable();
  bench.aio.complete(b, -Errno.ESHUTDOWN);
  bench.aio.turn();
  assertEquals(bench.kernel, ["a", "b", "c"]);
  assertEquals(bench.ends, []);
});

Deno.test("a request that went into the new connection too early is called back", () => {
  const bench = new Bench();
  const [a, b] = [bench.push("a"), bench.push("b")];
  bench.aio.turn();
  // The host has selected the setting anew, and only the event is known.
  bench.enable();
  const c = bench.push("c");
  bench.aio.turn();
  assertEquals(bench.kernel, ["a", "b", "c"]);
  bench.aio.complete(a, -Errno.ESHUTDOWN);
  bench.aio.turn();
  assertEquals(bench.aio.cancelled, [c, b]);
  bench.aio.complete(b, -Errno.ESHUTDOWN);
  bench.aio.complete(c, -Errno.ECONNRESET);
  bench.aio.turn();
  assertEquals(bench.kernel, ["a", "b", "c"]);
  for (const each of [a, b, c]) bench.aio.complete(each, 8);
  assertEquals(bench.ends, ["a 8", "b 8", "c 8"]);
});

Deno.test("a request that completes before it can be called back is not sent again", () => {
  const bench = new Bench();
  const a = bench.push("a");
  bench.aio.turn();
  bench.enable();
  const b = bench.push("b");
  bench.aio.turn();
  bench.aio.complete(a, -Errno.ESHUTDOWN);
  bench.aio.turn();
  bench.aio.complete(b, 8);
  bench.aio.turn();
  assertEquals(bench.kernel, ["a"]);
  bench.aio.complete(a, 8);
  assertEquals(bench.ends, ["b 8", "a 8"]);
});

Deno.test("requests refused with EAGAIN by a disabled endpoint wait for the next ENABLE", () => {
  const bench = new Bench();
  const a = bench.push("a");
  bench.aio.turn();
  bench.connection.works = false;
  bench.aio.complete(a, -Errno.EAGAIN);
  bench.aio.turn();
  assertEquals(bench.kernel, []);
  bench.push("b");
  bench.aio.turn();
  assertEquals(bench.kernel, []);
  bench.disable();
  bench.connection.works = true;
  bench.enable();
  bench.aio.turn();
  assertEquals(bench.kernel, ["a", "b"]);
});

Deno.test("requests refused with EAGAIN by an enabled endpoint are tried again later, in order", async () => {
  const bench = new Bench();
  const [a, b] = [bench.push("a"), bench.push("b")];
  bench.aio.turn();
  bench.aio.complete(a, -Errno.EAGAIN);
  bench.aio.turn();
  assertEquals(bench.aio.cancelled, [b]);
  bench.aio.complete(b, -Errno.ECONNRESET);
  bench.aio.turn();
  assertEquals(bench.kernel, []);
  while (bench.kernel.length === 0) {
    await delay(1);
    bench.aio.turn();
  }
  assertEquals(bench.kernel, ["a", "b"]);
});

Deno.test("requests of one connection end with it, wherever they are", () => {
  const bench = new Bench();
  bench.resume = false;
  const [a, b] = [bench.push("a"), bench.push("b")];
  bench.aio.turn();
  bench.push("c");
  bench.aio.complete(a, -Errno.ESHUTDOWN);
  bench.disable();
  // Refused since the disable, of which the event was quicker.
  bench.aio.complete(b, -Errno.EAGAIN);
  bench.push("d");
  bench.aio.turn();
  const lost = -Errno.ESHUTDOWN;
  assertEquals(bench.ends, [`a ${lost}`, `c ${lost}`, `b ${lost}`]);
  bench.enable();
  bench.aio.turn();
  assertEquals(bench.kernel, ["d"]);
});

Deno.test("an action has its place among the requests, and is tried until it is done", async () => {
  const bench = new Bench();
  const a = bench.push("a");
  const results = [-Errno.EAGAIN, 0];
  const attempts: string[][] = [];
  let end: number | undefined;
  bench.queue.run({
    ordered: true,
    attempt: () => {
      attempts.push(bench.kernel);
      return results.shift()!;
    },
    onEnd: (result) => end = result,
  });
  bench.push("b");
  bench.aio.turn();
  assertEquals(bench.kernel, ["a"]);
  assertEquals(attempts, []);
  bench.aio.complete(a, 8);
  bench.aio.turn();
  assertEquals([attempts, end], [[[]], undefined]);
  while (end === undefined) {
    await delay(1);
    bench.aio.turn();
  }
  assertEquals(end, 0);
  assertEquals(bench.kernel, ["b"]);
});

Deno.test("every request ends once, whatever happens", () => {
  const bench = new Bench();
  const seed = Math.floor(Math.random() * 2 ** 31);
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fff_ffff;
    return (state >> 8) % below;
  };
  const transfers: KernelRequest[] = [];
  let pushed = 0;
  for (let step = 0; step < 20_000; step++) {
    switch (random(8)) {
      case 0:
      case 1:
        transfers.push(bench.push(`${pushed++}`));
        break;
      case 2:
        bench.aio.turn();
        break;
      case 3:
      case 4: {
        const [first] = bench.aio.inKernel;
        if (first !== undefined) bench.aio.complete(first, 8);
        break;
      }
      case 5: {
        // All in the kernel end with a disable; handled at once, or one by one.
        const ended = [...bench.aio.inKernel];
        if (random(2) === 0) bench.disable();
        for (const each of ended) {
          bench.aio.complete(each, -Errno.ESHUTDOWN);
          if (random(3) === 0) bench.aio.turn();
        }
        bench.enable();
        break;
      }
      case 6: {
        const victim = transfers[random(transfers.length + 1)];
        if (victim === undefined) break;
        bench.queue.cancel(victim);
        break;
      }
      case 7:
        for (const each of bench.aio.cancelled.splice(0)) {
          if (!each.pending) continue;
          bench.aio.complete(each, random(2) ? -Errno.ECONNRESET : 8);
        }
    }
  }
  bench.queue.close();
  for (const each of bench.aio.inKernel.slice()) {
    bench.aio.complete(each, -Errno.ECONNRESET);
  }
  const ended = bench.ends.map((each) => Number(each.split(" ")[0]));
  assertEquals(ended.length, pushed, `seed ${seed}`);
  assertEquals(new Set(ended).size, pushed, `seed ${seed}`);
});

Deno.test("requests of one connection wait for the event that ends them, also in the kernel", () => {
  const bench = new Bench();
  const old = bench.push("old");
  bench.aio.turn();
  bench.push("waits");
  bench.aio.complete(old, -Errno.ESHUTDOWN);
  bench.push("behind it");
  bench.aio.turn();
  assertEquals(bench.ends, []);
  bench.resume = false;
  bench.disable();
  assertEquals(
    bench.ends,
    ["old", "waits", "behind it"].map((name) => `${name} ${-Errno.ESHUTDOWN}`),
  );
  bench.resume = true;
  bench.enable();
  // Submitted before the event: it may reach the next host.
  const early = bench.push("early");
  bench.aio.turn();
  bench.resume = false;
  bench.disable();
  assertEquals(bench.aio.cancelled, []);
  bench.enable();
  assertEquals(bench.aio.cancelled, [early]);
});

Deno.test("discard() ends what waits and what is in the kernel, and later requests follow", async () => {
  const bench = new Bench();
  const first = bench.push("first");
  bench.aio.turn();
  bench.push("waits");
  let gone = false;
  const discarded = bench.queue.discard().then(() => gone = true);
  assertEquals(bench.ends, [`waits ${-Errno.ECONNRESET}`]);
  assertEquals(bench.aio.cancelled, [first]);
  const again = bench.queue.discard();
  await Promise.resolve();
  assertEquals(gone, false);
  bench.aio.complete(first, -Errno.ECONNRESET);
  await Promise.all([discarded, again]);
  bench.push("later");
  bench.aio.turn();
  assertEquals(bench.ends.slice(1), [`first ${-Errno.ECONNRESET}`]);
  assertEquals(bench.kernel, ["later"]);
});

Deno.test("a request that comes back because the file is in use leaves those before it alone", () => {
  const bench = new Bench();
  const [a, b, c] = ["a", "b", "c"].map((name) => bench.push(name));
  bench.aio.turn();
  // Part of "a" may be on the wire.
  bench.aio.complete(b, -Errno.EAGAIN);
  bench.aio.turn();
  assertEquals(bench.aio.cancelled, [c]);
  bench.aio.complete(c, -Errno.ECONNRESET);
  bench.aio.turn();
  assertEquals(bench.kernel, ["a"]);
  bench.aio.complete(a, 8);
  assertEquals(bench.ends, ["a 8"]);
});

Deno.test("any number of requests waits while a connection ends and another begins", () => {
  const bench = new Bench();
  const first = bench.push("first");
  bench.aio.turn();
  const count = 200_000;
  for (let index = 0; index < count; index++) bench.push(`${index}`);
  bench.aio.turn();
  const inKernel = [...bench.aio.inKernel];
  assert(inKernel[0] === first);
  bench.disable();
  for (const request of inKernel) {
    bench.aio.complete(request, -Errno.ESHUTDOWN);
  }
  bench.enable();
  bench.aio.turn();
  const again = bench.aio.inKernel;
  assertEquals(again.length, inKernel.length);
  assert(again.every((request, index) => request === inKernel[index]));
  assertEquals(bench.ends, []);
});

Deno.test("nothing is submitted while events are unread that may begin another connection", () => {
  const bench = new Bench();
  bench.connection.doubts = [true];
  bench.push("a");
  bench.aio.turn();
  assertEquals(bench.kernel, []);
  bench.queue.onApply();
  bench.aio.turn();
  assertEquals(bench.kernel, ["a"]);
});

/** A bench with a request in the kernel, whose connection is in doubt. */
function doubtfulRequest(inPieces: boolean) {
  const bench = new Bench();
  let request: KernelRequest;
  if (inPieces) {
    const rest = bench.queue.take(bench, new Uint8Array(0));
    rest.open = true;
    request = bench.queue.take(bench, new Uint8Array(8));
    const pieces = [request];
    bench.more = () => pieces.shift();
    bench.queue.push(rest);
  } else {
    request = bench.push("a");
  }
  bench.names.set(request, "a");
  bench.connection.doubts = [false, true];
  bench.aio.turn();
  return { bench, request };
}

Deno.test("data belongs to the connection that unread events of its submission begin, whenever it comes", () => {
  for (const inPieces of [false, true]) {
    for (const isEarly of [false, true]) {
      const { bench, request } = doubtfulRequest(inPieces);
      const complete = () => bench.aio.complete(request, 8);
      if (isEarly) complete();
      assertEquals(bench.ends, []);
      bench.enable();
      bench.queue.onApply();
      if (!isEarly) complete();
      assertEquals(request.connection, 2);
      assertEquals(bench.ends, ["a 8"]);
    }
  }
});

Deno.test("data stays with its connection if the unread events change nothing", () => {
  const { bench, request } = doubtfulRequest(false);
  bench.queue.onApply();
  bench.enable();
  bench.aio.complete(request, 8);
  assertEquals(request.connection, 1);
  assertEquals(bench.ends, ["a 8"]);
});

Deno.test("a doubtful request that its connection has ended does not end the next one", () => {
  const { bench, request } = doubtfulRequest(false);
  bench.enable();
  bench.queue.onApply();
  bench.aio.complete(request, -Errno.ESHUTDOWN);
  bench.aio.turn();
  assertEquals(bench.kernel, ["a"]);
});

Deno.test("what has ended in doubt can be cancelled, and ends with the queue", async () => {
  const { bench, request } = doubtfulRequest(false);
  bench.aio.complete(request, 8);
  bench.queue.cancel(request);
  assertEquals(bench.ends, []);
  await bench.queue.close();
  assertEquals(bench.ends, ["a 8"]);
});
