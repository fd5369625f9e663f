import "../support/run/aio_libraries.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { PacketSizes } from "../../src/functionfs/endpoint/packet_sizes.ts";
import {
  type ReadPort,
  ReadQueue,
} from "../../src/functionfs/endpoint/read_queue.ts";
import { Reader } from "../../src/functionfs/endpoint/reader.ts";
import type { CompiledEndpoint } from "../../src/compile/compile.ts";
import type {
  Transfer,
  TransferOwner,
} from "../../src/functionfs/transfer/request.ts";
import {
  AbortedTransferError,
  type TransferErrorFields,
} from "../../src/functionfs/transfer/error.ts";
import type { TransferQueue } from "../../src/functionfs/transfer/queue.ts";

const MIB = 1 << 20;

/** The kernel's requests; the test says how they end. */
class FakeQueue {
  readonly flying: Transfer[] = [];
  readonly cancelled: Transfer[] = [];
  nextConnection = 1;

  take(owner: TransferOwner, memory: Uint8Array<ArrayBuffer>): Transfer {
    return { owner, memory, cancelled: false } as unknown as Transfer;
  }

  give(): void {}

  push(transfer: Transfer): void {
    transfer.owner.prepare(transfer);
    this.flying.push(transfer);
  }

  /** The kernel may have ended it by then. */
  cancel(transfer: Transfer): void {
    transfer.cancelled = true;
    this.cancelled.push(transfer);
  }

  end(result: number): void {
    const transfer = this.flying.shift()!;
    transfer.owner.onEnd(transfer, result);
  }
}

function start() {
  const queue = new FakeQueue();
  const port: ReadPort = {
    name: "rx",
    path: "/ep1",
    maxPacketSize: 1024,
    packetSizes: new PacketSizes({
      maxPacketSize: { full: 64, high: 512, super: 1024 },
      transferType: "bulk",
    } as CompiledEndpoint),
    queue: queue as unknown as TransferQueue,
  };
  const kept: Uint8Array<ArrayBuffer>[] = [];
  const reads = new ReadQueue(port, kept);
  const read = (
    sizeOrTarget: number | Uint8Array<ArrayBuffer>,
    signal?: AbortSignal,
  ) =>
    new Promise<Uint8Array>((resolve, reject) =>
      reads.add(
        new Reader(reads, port, sizeOrTarget, { signal }, resolve, reject),
      )
    );
  return { queue, kept, read };
}

Deno.test("an abort that comes too late for one request of a read ends the read after it", async () => {
  for (const target of [3 * MIB, new Uint8Array(3 * MIB)]) {
    const { queue, kept, read } = start();
    const controller = new AbortController();
    const lost = read(target, controller.signal);
    // Another size: what the kernel has cannot be handed on.
    const next = read(8);
    controller.abort();
    assertEquals(queue.cancelled, queue.flying);
    queue.end(MIB);
    const error = await assertRejects(() => lost, AbortedTransferError);
    assertEquals((error as unknown as TransferErrorFields).transferred, MIB);
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
