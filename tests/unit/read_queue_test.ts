import "../support/run/aio_libraries.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { ReadQueue } from "../../src/functionfs/read/queue.ts";
import { Reader } from "../../src/functionfs/read/reader.ts";
import { AbortedTransferError } from "../../src/functionfs/transfer/error.ts";
import {
  fakeReadPort,
  FakeRequests,
} from "../support/gadgets/fake_requests.ts";

const MIB = 1 << 20;

function start() {
  const queue = new FakeRequests();
  const port = fakeReadPort(queue);
  const reads = new ReadQueue(port);
  const read = (
    sizeOrTarget: number | Uint8Array<ArrayBuffer>,
    signal?: AbortSignal,
  ) =>
    new Promise<Uint8Array>((resolve, reject) =>
      reads.add(
        new Reader(reads, port, sizeOrTarget, { signal }, resolve, reject),
      )
    );
  return { queue, kept: port.kept, read };
}

Deno.test("an abort that comes too late for one request of a read ends the read after it", async () => {
  for (const target of [3 * MIB, new Uint8Array(3 * MIB)]) {
    const { queue, kept, read } = start();
    // The kernel is quicker.
    queue.cancel = (request) => queue.cancelled.push(request);
    const controller = new AbortController();
    const lost = read(target, controller.signal);
    // Another size: the request of the first read is of no use for it.
    const next = read(8);
    controller.abort();
    assertEquals(queue.cancelled, queue.flying);
    queue.end(MIB);
    const error = await assertRejects(() => lost, AbortedTransferError);
    assertEquals(error.transferred, MIB);
    // What had come is for the next one.
    assertEquals(await next, new Uint8Array(8));
    assertEquals(kept.map((each) => each.byteLength), [MIB - 8]);
    assertEquals(queue.flying, []);
  }
});

Deno.test("a size for which there is no memory fails alone", async () => {
  const { queue, read } = start();
  const before = read(1024);
  await assertRejects(
    () => read(2 ** 52),
    RangeError,
    'Cannot read from endpoint "rx": there is no memory for 4503599627370496 bytes',
  );
  const after = read(1024);
  queue.end(1024);
  queue.end(1);
  assertEquals((await before).byteLength, 1024);
  assertEquals((await after).byteLength, 1);
});
