// VM: any speed
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { bulkPair } from "@usb/gadget";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { soak } from "../support/run/soak.ts";
import { bulkEndpoints } from "../support/host/echo.ts";
import { UrbType } from "../../src/testing/usbfs/abi.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";

/**
 * One kernel request of the device, one URB of the host. The host's are not those
 * of `TestHost`, which has other memory for each transfer.
 */
const SIZE = 1 << 20;

/** How many of them each side has under way in each direction. */
const DEPTH = 2;

/** Bytes of a part: neither packets nor requests are a multiple of it. */
const PART = 10_000;

/** Every so many chunks all bytes are compared. */
const COMPARE_EVERY = 32;

/** A chunk with its number at the beginning and the end. */
function stamp(chunk: Uint8Array<ArrayBuffer>, number: number): void {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  view.setUint32(0, number, true);
  view.setUint32(SIZE - 4, number, true);
}

const content = pattern(SIZE);

function assertChunk(chunk: Uint8Array, number: number, what: string): void {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  assertEquals(
    [chunk.byteLength, view.getUint32(0, true), view.getUint32(SIZE - 4, true)],
    [SIZE, number, number],
    what,
  );
  if (number % COMPARE_EVERY > 0) return;
  const middle = [chunk, content].map((bytes) => bytes.subarray(4, SIZE - 4));
  assertEquals(firstDifference(middle[0], middle[1]), -1, what);
}

/**
 * Runs `move` for the numbers below `count`, as many at once as the depth says,
 * each with memory of its own that is used again and again.
 */
async function moveAll(
  count: number,
  move: (
    memory: Uint8Array<ArrayBuffer>,
    number: number,
  ) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: DEPTH }, async () => {
    let memory = content.slice();
    while (next < count) memory = await move(memory, next++);
  }));
}

Deno.test("a long run keeps the order of all data, and its memory", async () => {
  const total = soak(10 * 2 ** 30, 64 << 20);
  const count = total / 2 / SIZE; // in each direction
  await using test = await startEndpoints({ link: bulkPair() });
  const { gadget, endpoints: { link } } = test;
  await using device = await UsbfsDevice.find(gadget.definition);
  const { input, output } = bulkEndpoints(device);
  await device.claimInterface(0);
  /** Resident memory, each time when so many chunks have come to the host. */
  const memory: number[] = [];
  const host = async (endpoint: number, buffer: Uint8Array<ArrayBuffer>) => {
    const urb = device.submit({ type: UrbType.bulk, endpoint, buffer });
    const { status, actualLength } = await urb.completion;
    assertEquals([status, actualLength], [0, SIZE]);
    return buffer;
  };
  const started = performance.now();
  await Promise.all([
    moveAll(count, async (chunk, number) => {
      stamp(chunk, number);
      assertEquals(await link.write(chunk), SIZE);
      return chunk;
    }),
    moveAll(count, async (chunk, number) => {
      assertChunk(await host(input, chunk), number, "to the host");
      if (number % COMPARE_EVERY === 0) memory.push(Deno.memoryUsage().rss);
      return chunk;
    }),
    moveAll(count, async (chunk, number) => {
      stamp(chunk, number);
      return await host(output, chunk);
    }),
    moveAll(count, async (chunk, number) => {
      const received = await link.read(chunk);
      assertChunk(received, number, "from the host");
      return received;
    }),
  ]);
  assertFlat(memory, total, started);
});

Deno.test("an async iterable of 1 GiB is one transfer, and takes no memory", async () => {
  const count = soak(1024, 64);
  await using test = await startEndpoints({ link: bulkPair() });
  const { gadget, endpoints: { link } } = test;
  await using device = await UsbfsDevice.find(gadget.definition);
  const { input } = bulkEndpoints(device);
  await device.claimInterface(0);
  const memory: number[] = [];
  let given = 0;
  async function* parts() {
    const part = content.slice();
    for (let number = 0; number < count; number++) {
      stamp(part, number);
      for (let at = 0; at < SIZE; at += PART) {
        given += Math.min(PART, SIZE - at);
        yield part.subarray(at, at + PART);
      }
    }
    yield content.subarray(0, 5);
  }
  const started = performance.now();
  const receive = async (buffer: Uint8Array<ArrayBuffer>) => {
    const urb = device
      .submit({ type: UrbType.bulk, endpoint: input, buffer });
    const { status, actualLength } = await urb.completion;
    assertEquals(status, 0);
    return actualLength;
  };
  let taken = 0;
  const [written] = await Promise.all([
    link.write(parts(), { zlp: "auto" }),
    moveAll(count, async (chunk, number) => {
      assert(given <= (taken + DEPTH + 4) * SIZE);
      // A short packet would end it early.
      assertEquals(await receive(chunk), SIZE);
      taken++;
      assertChunk(chunk, number, "to the host");
      if (number % 8 === 0) memory.push(Deno.memoryUsage().rss);
      return chunk;
    }).then(async () => {
      const end = content.slice();
      assertEquals(await receive(end), 5);
      assertEquals(end.subarray(0, 5), content.subarray(0, 5));
    }),
  ]);
  assertEquals(written, count * SIZE + 5);
  assertFlat(memory, written, started);
});

/** Compares what was resident early with what was late. */
function assertFlat(
  memory: readonly number[],
  total: number,
  started: number,
): void {
  const seconds = (performance.now() - started) / 1000;
  if (memory.length < 100) return; // too short to say anything about memory
  // The first tenth warms up. The garbage collector lets it rise and fall
  // later on: compare the medians of two long spans.
  const median = (values: number[]) =>
    values.toSorted((a, b) => a - b)[values.length >> 1];
  const tenth = Math.floor(memory.length / 10);
  const early = median(memory.slice(tenth, 4 * tenth));
  const late = median(memory.slice(-3 * tenth));
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  console.log(
    `${(total / 2 ** 30).toFixed(1)} GiB in ${seconds.toFixed(0)} s; ` +
      `${mib(early)} MiB resident early, ${mib(late)} late, ` +
      `${mib(memory[0])} first, ${mib(memory.at(-1)!)} last`,
  );
  assert(late < 1.05 * early, `${mib(early)} MiB, later ${mib(late)}`);
}
