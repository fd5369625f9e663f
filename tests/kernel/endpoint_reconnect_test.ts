import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { bulkPair, SystemError } from "@usb/gadget";
import { plug, unplug } from "../support/gadgets/cable.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();
const SIZE = 16 * 1024;

/** Waits for the end of a promise, however it is. */
function ended(promise: Promise<unknown>): Promise<unknown> {
  return promise.then((value) => value, (error) => error);
}

Deno.test('reconnect: "resume" sends and receives in order after SET_INTERFACE', async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, device, addresses: [input, out] } = test;
  const writes = [1, 2, 3].map((n) => link.write(pattern(SIZE, n)));
  const reads = [1, 2, 3].map(() => link.read(SIZE));
  for (let round = 0; round < 5; round++) await device.setInterface(0, 0);
  writes.push(link.write(pattern(SIZE, 4)));
  reads.push(link.read(SIZE));
  for (const n of [1, 2, 3, 4]) {
    const chunk = await device.bulkIn(input, SIZE);
    assertEquals(firstDifference(chunk, pattern(SIZE, n)), -1, `chunk ${n}`);
    await device.bulkOut(out, pattern(SIZE, n));
  }
  assertEquals(await Promise.all(writes), [SIZE, SIZE, SIZE, SIZE]);
  for (const [index, chunk] of (await Promise.all(reads)).entries()) {
    assertEquals(firstDifference(chunk, pattern(SIZE, index + 1)), -1);
  }
});

Deno.test('reconnect: "end" fails with ESHUTDOWN, once, and not before there was a host', async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, gadget } = test;
  const udc = gadget.udc.name;
  const reconnect = "end";
  await test.device.setInterface(0, 0); // our own events are up to date
  await test.fs.enabled();
  const pending = [
    link.write(pattern(SIZE), { reconnect }),
    link.write(pattern(3 << 20), { reconnect }),
    link.read(SIZE, { reconnect }),
    link.read(100, { reconnect }),
  ].map(ended);
  const resumed = link.write(pattern(PACKET, 9));
  unplug(gadget);
  for (const error of await Promise.all(pending)) {
    assert(error instanceof SystemError, String(error));
    assertEquals(error.code, "ESHUTDOWN");
    assertEquals((error as { transferred?: number }).transferred, 0);
  }
  // Called without a host: these wait for the next one.
  const written = link.write(pattern(700), { reconnect });
  const reading = link.read(SIZE, { reconnect });
  plug(gadget, udc);
  const device = await test.reopen();
  const [input, out] = test.addresses;
  assertEquals(await device.bulkIn(input, PACKET), pattern(PACKET, 9));
  assertEquals(await device.bulkIn(input, SIZE), pattern(700));
  await device.bulkOut(out, pattern(900));
  assertEquals(await reading, pattern(900));
  assertEquals(await written, 700);
  assertEquals(await resumed, PACKET);
});

Deno.test('transfers({ reconnect: "end" }) ends with the connection, after what had come', async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, device, addresses: [, out], gadget } = test;
  const options = { size: 4096, depth: 4, reconnect: "end" } as const;
  const udc = gadget.udc.name;
  const transfers = link.transfers(options);
  const first = transfers.next();
  for (const n of [0, 1, 2]) await device.bulkOut(out, pattern(500, n));
  assertEquals((await first).value, pattern(500, 0));
  const lost = test.fs.events[Symbol.asyncIterator]();
  unplug(gadget);
  for (;;) {
    const { value } = await lost.next();
    if (value?.type === "disable") break;
  }
  await lost.return!();
  assertEquals((await transfers.next()).value, pattern(500, 1));
  assertEquals((await transfers.next()).value, pattern(500, 2));
  assertEquals(await transfers.next(), { done: true, value: undefined });
  plug(gadget, udc);
  await test.reopen();
  const waiting = link.transfers(options).next();
  await test.device.setInterface(0, 0);
  await test.device.setInterface(0, 0);
  assertEquals(await waiting, { done: true, value: undefined });
});

Deno.test("pending calls end when the function is closed", async () => {
  const test = await startEndpoints({ link: bulkPair() });
  const { link } = test.endpoints;
  const calls = [
    link.write(pattern(10 << 20)),
    link.read(SIZE),
    link.read(100),
    link.read(SIZE),
    link.out.clearHalt().then(() => link.read(1)),
    link.in.halt(),
  ].map((each) =>
    assertRejects(() => each, Deno.errors.BadResource, "function is closed")
  );
  const iteration = link.transfers().next();
  await test[Symbol.asyncDispose]();
  await Promise.all(calls);
  assertEquals((await iteration).done, true);
  await assertRejects(() => link.in.fifoStatus(), Deno.errors.BadResource);
});
