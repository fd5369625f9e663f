import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type ChunkWrite,
  makeWritable,
  type WritablePort,
} from "../../src/functionfs/write/writable.ts";
import { failureOf } from "../support/waiting/settling.ts";

/** An endpoint whose transfers end when the test says so. */
class FakeEndpoint implements WritablePort {
  readonly name = "tx";
  readonly log: string[] = [];
  readonly flying: {
    chunk: number;
    resolve: (count: number) => void;
    reject: (reason: unknown) => void;
  }[] = [];
  overs = 0;
  /** How many transfers were submitted together. */
  readonly batches: number[] = [];
  #unsubmitted = 0;

  begin(
    data: Uint8Array,
    resolve: (count: number) => void,
    reject: (reason: unknown) => void,
  ): ChunkWrite {
    const transfer = { chunk: data[0], resolve, reject };
    this.flying.push(transfer);
    this.log.push(`begin ${data[0]}`);
    const cancel = () => {
      if (!this.flying.includes(transfer)) return;
      this.flying.splice(this.flying.indexOf(transfer), 1);
      this.log.push(`cancel ${data[0]}`);
      reject(new Error("cancelled"));
    };
    this.#unsubmitted++;
    const isUnderWay = () => this.flying.includes(transfer);
    return {
      get ended() {
        return !isUnderWay();
      },
      cancel,
    };
  }

  wake(): void {
    this.batches.push(this.#unsubmitted);
    this.#unsubmitted = 0;
  }

  onOver(): void {
    this.overs++;
  }

  take(): void {
    const { chunk, resolve } = this.flying.shift()!;
    this.log.push(`take ${chunk}`);
    resolve(1);
  }
}

const turns = () => delay(0);
const chunk = (n: number) => new Uint8Array([n]);

Deno.test("chunks that follow each other are submitted together", async () => {
  const endpoint = new FakeEndpoint();
  const writer = makeWritable(endpoint, 8).getWriter();
  // The kernel has none; half of the depth waits; the depth is reached.
  for (let n = 0; n < 7; n++) await writer.write(chunk(n));
  writer.write(chunk(7));
  await turns();
  assertEquals(endpoint.batches.splice(0), [1, 4, 3]);
  // In the next turn there is room for two, of which the second fills it.
  endpoint.take();
  endpoint.take();
  writer.write(chunk(8));
  writer.write(chunk(9));
  await turns();
  assertEquals(endpoint.batches, [2]);
});

Deno.test("a chunk without another behind it is submitted at the end of the turn", async () => {
  const endpoint = new FakeEndpoint();
  const writer = makeWritable(endpoint, 8).getWriter();
  await writer.write(chunk(0));
  await writer.write(chunk(1));
  assertEquals(endpoint.batches, [1]);
  await turns();
  assertEquals(endpoint.batches, [1, 1]);
});

Deno.test("a stream of depth n has n transfers under way, and resolves a write when fewer are", async () => {
  for (const depth of [1, 2, 3]) {
    const endpoint = new FakeEndpoint();
    const writer = makeWritable(endpoint, depth).getWriter();
    const done: number[] = [];
    for (let n = 0; n < 6; n++) writer.write(chunk(n)).then(() => done.push(n));
    for (let taken = 0; taken < 6; taken++) {
      await turns();
      assertEquals(endpoint.flying.length, Math.min(depth, 6 - taken));
      assertEquals(done.length, Math.min(6, taken + depth - 1));
      endpoint.take();
    }
    await turns();
    assertEquals(done, [0, 1, 2, 3, 4, 5]);
    await writer.close();
    assertEquals(endpoint.overs, 1);
  }
});

Deno.test("an aborted stream withdraws its transfers, the last one first, and waits for that", async () => {
  const endpoint = new FakeEndpoint();
  const writer = makeWritable(endpoint, 3).getWriter();
  for (let n = 0; n < 5; n++) writer.write(chunk(n)).catch(() => {});
  writer.closed.catch(() => {});
  await turns();
  await writer.abort(new Error("enough"));
  assertEquals(endpoint.log, [
    "begin 0",
    "begin 1",
    "begin 2",
    "cancel 2",
    "cancel 1",
    "cancel 0",
  ]);
  assert(endpoint.overs > 0);
});

Deno.test("a transfer that fails ends the stream and all its transfers at once", async () => {
  const endpoint = new FakeEndpoint();
  const writer = makeWritable(endpoint, 3).getWriter();
  await writer.write(chunk(0));
  await writer.write(chunk(1));
  const { reject } = endpoint.flying.shift()!;
  reject(new TypeError("no memory"));
  await assertRejects(() => writer.closed, TypeError, "no memory");
  await assertRejects(() => writer.write(chunk(2)), TypeError, "no memory");
  assertEquals(endpoint.log.at(-1), "cancel 1");
  assertEquals(endpoint.flying, []);
});

Deno.test("a stream that belongs to one connection ends with it, idle or not", async () => {
  for (const busy of [false, true]) {
    const endpoint = new FakeEndpoint();
    const connection = new AbortController();
    const { signal: lost } = connection;
    const target = Object.assign(endpoint, { lost });
    const writer = makeWritable(target, 1).getWriter();
    const first = writer.write(chunk(1));
    await turns();
    if (!busy) endpoint.take();
    const error = new Error("the connection has ended");
    connection.abort(error);
    // The host has got it, and the completion comes later than the end.
    if (busy) endpoint.take();
    await first;
    assertEquals(await failureOf(writer.closed), error);
    assertEquals(await failureOf(writer.write(chunk(2))), error);
    assertEquals(endpoint.flying, []);
    assertEquals(endpoint.overs, 1);
  }
});
