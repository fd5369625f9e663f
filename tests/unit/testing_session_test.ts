import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  AbortedTransferError,
  bulkIn,
  bulkOut,
  bulkPair,
  interruptIn,
  SessionEndedError,
  usbFunction,
} from "@usb/gadget";
import { fakeSession } from "@usb/gadget/testing";
import { pattern } from "../support/data/pattern.ts";

const tool = usbFunction({
  name: "tool",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});

const pieces = usbFunction({
  name: "pieces",
  interfaces: [{
    class: 0xff,
    endpoints: {
      tx: bulkIn(),
      rx: bulkOut(),
      events: interruptIn({ maxPacketSize: 8, intervalMs: 1 }),
    },
  }],
});

Deno.test("fakeSession() has the endpoints of the definition, at the speed that is asked for", async () => {
  using session = fakeSession(pieces);
  const { tx, rx, events } = session.endpoints;
  assertEquals([tx, rx, events].map((it) => it.maxPacketSize), [1024, 1024, 8]);
  assertEquals((await events.descriptor()).transferType, "interrupt");
  using slower = fakeSession(pieces, { speed: "high" });
  assertEquals(slower.endpoints.tx.maxPacketSize, 512);
  const { transferType, direction } = await slower.endpoints.tx.descriptor();
  assertEquals([transferType, direction], ["bulk", "in"]);
  const slow = usbFunction({ ...tool, speeds: ["full"] });
  using full = fakeSession(slow);
  assertEquals(full.endpoints.link.in.maxPacketSize, 64);
  assertThrows(
    () => fakeSession(slow, { speed: "super" }),
    RangeError,
    'function "tool" has no descriptors for super speed',
  );
});

Deno.test("transfers of all sizes come whole, in order, in both directions", async () => {
  using session = fakeSession(tool, { speed: "high" });
  const { host, endpoints: { link } } = session;
  for (const size of [1, 511, 513, 4000, (1 << 20) + 1, 3_000_001]) {
    const sent = host.write(link, pattern(size, size));
    assertEquals(await link.read(size + 511), pattern(size, size));
    assertEquals(await sent, size);
    const written = link.write(pattern(size, size));
    const room = Math.ceil(size / 512) * 512;
    assertEquals(await host.read(link, room), pattern(size, size));
    assertEquals(await written, size);
  }
  const reads = [1, 2, 3].map(() => link.read(64));
  for (const n of [1, 2, 3]) await host.write(link, pattern(n));
  assertEquals(await Promise.all(reads), [1, 2, 3].map((n) => pattern(n)));
});

Deno.test("a zero-length packet is seen by both sides, and its absence as well", async () => {
  using session = fakeSession(tool, { speed: "full" });
  const { host, endpoints: { link } } = session;
  const reading = link.read(256);
  await host.write(link, pattern(64), { zlp: "auto" });
  assertEquals(await reading, pattern(64));
  const empty = link.read(64);
  assertEquals(await host.write(link, new Uint8Array(0)), 0);
  assertEquals((await empty).byteLength, 0);

  // Without an end, the next transfer goes on in it.
  using other = fakeSession(tool, { speed: "full" });
  const rest = other.endpoints.link.read(256);
  await other.host.write(other.endpoints.link, pattern(64));
  await other.host.write(other.endpoints.link, pattern(10));
  assertEquals((await rest).byteLength, 74);

  link.autoZlp = true;
  const ended = link.write(pattern(128));
  assertEquals(await host.read(link, 256), pattern(128));
  assertEquals(await ended, 128);
  const open = link.write(pattern(128), { zlp: "never" });
  const error = await assertRejects(
    () => host.read(link, 256, { timeout: 20 }),
    Deno.errors.TimedOut,
    "more than 20 ms, the session has not written so much",
  );
  assertEquals((error as { transferred?: number }).transferred, 128);
  assertEquals(await open, 128);
});

Deno.test("readExactly(), parts, discard() and streams are those of a real session", async () => {
  using session = fakeSession(tool);
  const { host, endpoints: { link } } = session;
  const frame = link.readExactly(10);
  for (const n of [4, 4, 4]) await host.write(link, pattern(n, n));
  assertEquals((await frame).byteLength, 10);
  assertEquals(await link.readExactly(2), pattern(4, 4).subarray(2));

  const written = link.write([pattern(3), pattern(5)]);
  assertEquals((await host.read(link, 1024)).byteLength, 8);
  assertEquals(await written, 8);

  await host.write(link, pattern(9));
  const waiting = link.in.write(pattern(2000));
  await Promise.all([
    assertRejects(() => waiting, AbortedTransferError),
    link.discard(),
  ]);
  await host.write(link, pattern(7));
  const reader = link.readable.getReader();
  assertEquals((await reader.read()).value, pattern(7));
  const writer = link.writable.getWriter();
  const chunk = writer.write(pattern(6));
  assertEquals(await host.read(link, 1024), pattern(6));
  await chunk;
});

Deno.test("a halt stalls the host until one side clears it, and only delays the session", async () => {
  using session = fakeSession(tool);
  const { host, endpoints: { link } } = session;
  const reading = link.read(10);
  await link.out.halt();
  await assertRejects(
    () => host.write(link, pattern(10)),
    Deno.errors.BrokenPipe,
    "the endpoint is halted, 0 of 10 bytes were transferred",
  );
  await host.clearHalt(link.out);
  await host.write(link, pattern(10));
  assertEquals(await reading, pattern(10));

  const order: string[] = [];
  const all = [
    link.write(pattern(5)).then(() => order.push("first")),
    link.in.halt().then(() => order.push("halt")),
    link.write(pattern(6)).then(() => order.push("second")),
  ];
  assertEquals(await host.read(link, 1024), pattern(5));
  await all[1];
  await assertRejects(() => host.read(link, 1024), Deno.errors.BrokenPipe);
  await link.in.clearHalt();
  assertEquals(await host.read(link, 1024), pattern(6));
  await Promise.all(all);
  assertEquals(order, ["first", "halt", "second"]);
});

Deno.test("end() ends what is pending on both sides, and the signal", async () => {
  for (const reason of ["disabled", "unbound", "closed"] as const) {
    using session = fakeSession(tool);
    const { host, endpoints: { link }, signal } = session;
    const ends = [
      assertRejects(() => link.read(10), SessionEndedError),
      assertRejects(() => link.write(pattern(10)), SessionEndedError),
      assertRejects(() => host.read(link, 10), Error, "the session has ended"),
    ].slice(0, 2);
    session.end(reason);
    await Promise.all(ends);
    assert(signal.reason instanceof SessionEndedError);
    assertEquals(signal.reason.reason, reason);
    await assertRejects(() => link.read(10), SessionEndedError);
    await assertRejects(
      () => host.read(link, 10),
      Error,
      "the session has ended",
    );
    session.end();
  }
});

Deno.test("serve() runs what the definition serves, until the end of the session", async () => {
  const echo = usbFunction({
    ...tool,
    async serve({ endpoints: { link } }) {
      for await (const request of link.transfers()) {
        if (request[0] === 0) throw new RangeError("zero");
        await link.write(request);
      }
    },
  });
  using session = fakeSession(echo);
  const served = session.serve();
  const { host, endpoints: { link } } = session;
  for (const n of [1, 2, 3]) {
    await host.write(link, pattern(10, n));
    assertEquals(await host.read(link, 1024), pattern(10, n));
  }
  session.end();
  await served;

  using other = fakeSession(echo);
  const fails = assertRejects(() => other.serve(), RangeError, "zero");
  await other.host.write(other.endpoints.link, new Uint8Array(1));
  await fails;
  using lazy = fakeSession(tool);
  await assertRejects(() => lazy.serve(), TypeError, 'has no "serve"');
});

Deno.test("the host refuses wrong endpoints, and gives up when its signal is aborted", async () => {
  using session = fakeSession(pieces);
  using other = fakeSession(tool);
  const { host, endpoints: { tx, rx } } = session;
  await assertRejects(
    // @ts-expect-error an OUT endpoint
    () => host.read(rx, 10),
    TypeError,
    "a host reads from IN endpoints and pairs",
  );
  await assertRejects(
    // @ts-expect-error an IN endpoint
    () => host.write(tx, pattern(1)),
    TypeError,
    "a host writes to OUT endpoints and pairs",
  );
  await assertRejects(
    () => host.read(other.endpoints.link, 10),
    TypeError,
    'Cannot read from endpoint "link": it belongs to another session',
  );
  const abort = new AbortController();
  const reading = host.read(tx, 10, { signal: abort.signal });
  abort.abort("enough");
  const error = await assertRejects(() => reading, Error, "was discarded");
  assertEquals((error as Error).cause, "enough");
  // What was given up takes nothing from the next one.
  const written = tx.write(pattern(10));
  assertEquals(await host.read(tx, 10), pattern(10));
  await written;
  const large = tx.write(pattern(100));
  await assertRejects(
    () => host.read(tx, 10),
    Error,
    "the device has sent more than was asked for",
  );
  await large;
});
