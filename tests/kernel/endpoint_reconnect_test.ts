import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bulkPair, SessionEndedError } from "@usb/gadget";
import { eventAfter } from "../support/waiting/life_events.ts";
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

Deno.test("transfers of the function go on in order after SET_INTERFACE", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const writes = [1, 2, 3].map((n) => link.write(pattern(SIZE, n)));
  const reads = [1, 2, 3].map(() => link.read(SIZE));
  for (let round = 0; round < 5; round++) await host.setInterface(0, 0);
  writes.push(link.write(pattern(SIZE, 4)));
  reads.push(link.read(SIZE));
  for (const n of [1, 2, 3, 4]) {
    const chunk = await host.read(link, SIZE);
    assertEquals(firstDifference(chunk, pattern(SIZE, n)), -1, `chunk ${n}`);
    await host.write(link, pattern(SIZE, n));
  }
  assertEquals(await Promise.all(writes), [SIZE, SIZE, SIZE, SIZE]);
  for (const [index, chunk] of (await Promise.all(reads)).entries()) {
    assertEquals(firstDifference(chunk, pattern(SIZE, index + 1)), -1);
  }
});

Deno.test("calls of a session end with it, all with the same error, and reach no other host", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, gadget, host } = test;
  const udc = gadget.udc.name;
  const { link: old } = await test.session();
  const pending = [
    old.write(pattern(SIZE)),
    old.write(pattern(3 << 20)),
    old.read(SIZE),
    old.read(100),
    old.readExactly(1),
    old.transfers().next(),
    old.in.halt(),
  ].map(ended);
  const resumed = link.write(pattern(PACKET, 9));
  unplug(gadget);
  const late = () =>
    [
      old.write(pattern(1)),
      old.read(1),
      old.readExactly(1),
      old.out.clearHalt(),
      old.in.flush(),
      old.discard(),
    ].map(ended);
  const errors = await Promise.all(pending);
  for (const error of [...errors, ...await Promise.all(late())]) {
    assert(error instanceof SessionEndedError, String(error));
    assertEquals([error.code, error.transferred], ["ESHUTDOWN", 0]);
    // The kernel drops DISABLE where UNBIND follows before it was read.
    assert(["disabled", "unbound"].includes(error.reason), error.reason);
  }
  for (const open of [() => old.readable, () => old.writable]) {
    assertThrows(open, SessionEndedError);
  }
  plug(gadget, udc);
  await host.plug();
  const { link: next } = await test.session();
  const written = next.write(pattern(700));
  const reading = next.read(SIZE);
  assertEquals(await host.read(next, PACKET), pattern(PACKET, 9));
  assertEquals(await host.read(next, SIZE), pattern(700));
  await host.write(next, pattern(900));
  assertEquals(await reading, pattern(900));
  assertEquals(await written, 700);
  assertEquals(await resumed, PACKET);
});

Deno.test("a session receives nothing that came before it", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  // Frames of the first session that are not read.
  const { link: old } = await test.session();
  const first = old.readExactly(10);
  await host.write(link, pattern(500));
  assertEquals(await first, pattern(500).subarray(0, 10));
  const partial = ended(old.readExactly(1000));
  await eventAfter(test.fs, "enable", () => host.setInterface(0, 0));
  const error = await partial;
  assert(error instanceof SessionEndedError);
  assertEquals([error.transferred, error.reason], [490, "reconfigured"]);
  const { link: next } = await test.session();
  const second = next.readExactly(4);
  await host.write(link, Uint8Array.of(1, 2, 3, 4));
  assertEquals(await second, Uint8Array.of(1, 2, 3, 4));
  await link.discard();
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
