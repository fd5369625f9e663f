import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { O_NONBLOCK, O_RDWR, O_WRONLY } from "../../ffi/abi.ts";
import { AioContext } from "../../ffi/aio/context.ts";
import { EventCounter } from "../../ffi/eventfd.ts";
import { close, open, write } from "../../ffi/file.ts";
import {
  FUNCTIONFS_DISABLE,
  FUNCTIONFS_EVENT_SIZE,
  FUNCTIONFS_SETUP,
} from "../../src/compile/functionfs_abi.ts";
import { ControlEndpoint } from "../../src/functionfs/control/endpoint.ts";
import { EarlierData } from "../../src/functionfs/control/earlier_data.ts";
import { Lifecycle } from "../../src/functionfs/lifecycle.ts";
import { aioWrite } from "../support/machine/aio.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
// The first access loads it, and runs microtasks.
await turn();

/** Completions without a kernel: no wait finds one. */
class FakeAio {
  readonly completed = 0;
  drained = 0;
  waits = 0;
  onWait = () => {};
  /** Milliseconds. */
  time = 0;

  drain(): number {
    this.drained++;
    return 0;
  }

  wait([seconds, nanoseconds]: BigInt64Array): number {
    assertEquals(seconds, 0n);
    this.waits++;
    this.time += Number(nanoseconds) / 1e6;
    this.onWait();
    return 0;
  }
}

Deno.test("what the kernel has posted is with the program before a request, behind any number of awaits", async () => {
  const fd = open("/dev/null", O_WRONLY);
  await using aio = new AioContext();
  const earlier = new EarlierData(aio, () => true);
  const order: string[] = [];
  const request = (name: string) => {
    earlier.collect();
    earlier.afterwards(() => order.push(name));
  };
  request("first request");
  const data = aioWrite(aio, fd, new Uint8Array(1));
  const message = async () => await (async () => await data)();
  message().then(() => order.push("data"));
  aio.flush(); // /dev/null completes at once
  request("second request");
  request("third request");
  assertEquals(order, ["first request"]);
  await turn();
  assertEquals(order.slice(1), ["data", "second request", "third request"]);
  // Nothing has completed since.
  request("fourth request");
  assertEquals(order.at(-1), "fourth request");
  close(fd);
});

Deno.test("what the loop has handled in this turn is with the program before a request", async () => {
  const fd = open("/dev/null", O_WRONLY);
  await using aio = new AioContext();
  const earlier = new EarlierData(aio, () => false);
  const order: string[] = [];
  aioWrite(aio, fd, new Uint8Array(1)).then(() => order.push("data"));
  aio.flush();
  aio.drain();
  earlier.collect();
  earlier.afterwards(() => order.push("request"));
  await turn();
  assertEquals(order, ["data", "request"]);
  close(fd);
});

Deno.test("a request waits for completions only if the kernel has requests for data", () => {
  const aio = new FakeAio();
  let isReceiving = false;
  const earlier = new EarlierData(aio, () => isReceiving, () => aio.time);
  earlier.collect();
  assertEquals([aio.drained, aio.waits], [1, 0]);
  isReceiving = true;
  earlier.collect();
  assertEquals([aio.drained, aio.waits], [2, 3]);
  // The last request for data completes in the first wait.
  aio.onWait = () => isReceiving = false;
  earlier.collect();
  assertEquals([aio.drained, aio.waits], [3, 4]);
});

Deno.test("requests in quick succession spend a tenth of the time on waits", () => {
  const aio = new FakeAio();
  const earlier = new EarlierData(aio, () => true, () => aio.time);
  const waitsIn = (requests: number) => {
    const before = aio.waits;
    for (let request = 0; request < requests; request++) {
      earlier.collect();
      aio.time += 0.25;
    }
    return aio.waits - before;
  };
  waitsIn(1000);
  const before = aio.time;
  const waits = waitsIn(10_000);
  assertEquals(Math.round(100 * waits * 0.1 / (aio.time - before)), 10);
  // After a pause, the first ones wait again.
  aio.time += 1000;
  assertEquals(waitsIn(200), 600);
});

/** A control endpoint whose `ep0` is a named pipe: it reads what is written. */
async function openControl() {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/ep0`;
  await new Deno.Command("mkfifo", { args: [path] }).output();
  const fd = open(path, O_RDWR | O_NONBLOCK);
  const order: string[] = [];
  const handled = Promise.withResolvers<void>();
  /** Continues a request. */
  let go = () => {};
  const lifecycle = new Lifecycle();
  lifecycle.enable();
  lifecycle.events.listen(({ type }) => order.push(type));
  const notice = new EventCounter();
  const endpoint = new ControlEndpoint({
    fd,
    path,
    lifecycle,
    notice,
    earlier: {
      collect: () => order.push("data"),
      afterwards: (run) => {
        go = run;
        handled.resolve();
      },
    },
    onSetup: () => order.push("request"),
    reports: {},
    onFailure: (error) => order.push(error.message),
  });
  return {
    endpoint,
    order,
    /** Resolves when a request has been read. */
    handled: handled.promise,
    go: () => go(),
    /** Queues events of these types, and reports them. */
    post(...types: number[]) {
      const bytes = new Uint8Array(FUNCTIONFS_EVENT_SIZE * types.length);
      types.forEach((type, index) => {
        bytes[FUNCTIONFS_EVENT_SIZE * index] = 0x40; // vendor, OUT, no data
        bytes[FUNCTIONFS_EVENT_SIZE * index + 8] = type;
      });
      write(fd, bytes);
      notice.add();
    },
    [Symbol.asyncDispose]: async () => {
      await endpoint.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("earlier data is handled before events change the state, and before a request", async () => {
  await using it = await openControl();
  it.post(FUNCTIONFS_DISABLE, FUNCTIONFS_SETUP);
  await it.handled;
  assertEquals(it.order, ["data", "disable"]);
  it.go();
  assertEquals(it.order, ["data", "disable", "request"]);
});

Deno.test("a request that the host has given up before its handler starts is not handled", async () => {
  await using it = await openControl();
  it.post(FUNCTIONFS_SETUP);
  await it.handled;
  // Any event cancels a request.
  it.post(FUNCTIONFS_DISABLE);
  while (it.order.length < 3) await turn();
  it.go();
  assertEquals(it.order, ["data", "data", "disable"]);
});

Deno.test("a request is not handled after the close", async () => {
  await using it = await openControl();
  it.post(FUNCTIONFS_SETUP);
  await it.handled;
  await it.endpoint.close();
  it.go();
  assertEquals(it.order, ["data"]);
});
