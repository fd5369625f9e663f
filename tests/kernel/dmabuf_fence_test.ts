// VM: --udc sg
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  AbortedTransferError,
  bulkIn,
  bulkPair,
  type EndpointDefinition,
  SessionEndedError,
  SystemError,
} from "@usb/gadget";
import { DmaBuffer } from "@usb/gadget/dmabuf";
import { plug, unplug } from "../support/gadgets/cable.ts";
import {
  assertSame,
  bufferWith,
  content,
  fill,
  outcome,
} from "../support/dmabuf/buffers.ts";
import {
  type EndpointGadget,
  startEndpoints,
} from "../support/gadgets/endpoints.ts";
import { openFiles } from "../support/machine/leftovers.ts";
import { pattern } from "../support/data/pattern.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();
const SIZE = 65_536;

/** A pair with a buffer on each side. */
async function startPair() {
  const test = await startEndpoints({ link: bulkPair() });
  const { in: tx, out: rx } = test.endpoints.link;
  const sent = await bufferWith(pattern(SIZE));
  const received = DmaBuffer.allocate(SIZE);
  return {
    test,
    tx,
    rx,
    sent: await tx.attach(sent),
    received: await rx.attach(received),
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]();
      await sent.close();
      await received.close();
    },
  };
}

/** What a host can do that ends its connection. */
function disturbances(
  test: EndpointGadget<{ link: EndpointDefinition }>,
): (() => Promise<unknown>)[] {
  const { gadget, host } = test;
  const udc = gadget.udc.name;
  return [
    () => host.setInterface(0, 0),
    () => host.reset(),
    async () => {
      unplug(gadget);
      plug(gadget, udc);
      await host.plug();
    },
  ];
}

Deno.test("transfers fail with ESHUTDOWN when the host sets an interface or unplugs, and the next ones work", async () => {
  await using pair = await startPair();
  const { test, sent, received } = pair;
  const { host, endpoints: { link } } = test;
  for (const disable of disturbances(test)) {
    const before = [sent.transfer(SIZE), received.transfer(SIZE)];
    const ends = before.map((transfer) => assertRejects(() => transfer));
    await disable();
    for (const end of ends) {
      const error = await end;
      assert(error instanceof SystemError, String(error));
      assertEquals(error.code, "ESHUTDOWN");
      assertEquals(
        error.message,
        `Cannot transfer a DMABUF on endpoint "link": ` +
          `Cannot send after transport endpoint shutdown (os error 108): ` +
          `${error.path}: the endpoint was disabled: by a reset, another configuration, an unplugged cable or unbind()`,
      );
    }
    const transfers = [sent.transfer(SIZE), received.transfer(SIZE)];
    assertSame(await host.read(link, SIZE), pattern(SIZE));
    await host.write(link, pattern(SIZE, 2));
    await Promise.all(transfers);
    assertSame(await content(received.buffer), pattern(SIZE, 2));
  }
});

Deno.test("what is attached in a session ends with it, and can be attached in the next", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { host, endpoints: { link } } = test;
  await using sent = await bufferWith(pattern(SIZE));
  await using received = DmaBuffer.allocate(SIZE);
  const attach = async () => {
    const { link: { in: tx, out: rx } } = await test.session();
    return { tx, all: [await tx.attach(sent), await rx.attach(received)] };
  };
  let { tx, all } = await attach();
  for (const disturb of disturbances(test)) {
    // The second one of each waits for its turn.
    const ends = [...all, ...all].map((each) =>
      assertRejects(() => each.transfer(SIZE), SessionEndedError)
    );
    await disturb();
    await Promise.all(ends);
    const old = all;
    await assertRejects(() => tx.attach(sent), SessionEndedError);
    ({ tx, all } = await attach());
    for (const each of old) {
      await assertRejects(() => each.transfer(SIZE), SessionEndedError);
      assert(each.detached);
    }
    // The next host gets nothing of it.
    const transfers = all.map((each) => each.transfer(SIZE));
    assertSame(await host.read(link, SIZE), pattern(SIZE));
    await host.write(link, pattern(SIZE, 2));
    await Promise.all(transfers);
    assertSame(await content(received), pattern(SIZE, 2));
  }
});

Deno.test("a transfer that waits for its turn outlives a reset, and runs after it", async () => {
  await using pair = await startPair();
  const { sent, tx, test: { host } } = pair;
  const transfers = [sent.transfer(SIZE), sent.transfer(PACKET - 1)];
  const first = outcome(transfers[0]);
  await host.setInterface(0, 0);
  assertEquals(await first, "ESHUTDOWN");
  const chunk = await host.read(tx, SIZE);
  assertSame(chunk, pattern(SIZE).subarray(0, PACKET - 1));
  await transfers[1];
});

Deno.test("detach() ends transfers with ECONNRESET", async () => {
  await using pair = await startPair();
  const { sent, received } = pair;
  for (const attachment of [sent, received]) {
    const transfers = [attachment.transfer(SIZE), attachment.transfer(SIZE)];
    const ends = transfers.map((each) =>
      assertRejects(() => each, Deno.errors.ConnectionReset, "was detached")
    );
    await attachment.detach();
    await Promise.all(ends);
    assert(attachment.detached);
    await assertRejects(
      () => attachment.transfer(SIZE),
      Deno.errors.BadResource,
      "it is detached",
    );
    await attachment.detach();
  }
  // The same buffer can be attached again, and works.
  const again = await pair.tx.attach(sent.buffer);
  const [chunk] = await Promise.all([
    pair.test.host.read(pair.tx, SIZE),
    again.transfer(SIZE),
  ]);
  assertSame(chunk, pattern(SIZE));
});

Deno.test("an aborted transfer is withdrawn, whether it waits or is with the controller", async () => {
  await using pair = await startPair();
  const { sent, received, tx, rx, test: { host } } = pair;
  for (const attachment of [sent, received]) {
    const flying = new AbortController();
    const waiting = new AbortController();
    const transfers = [
      attachment.transfer(SIZE, { signal: flying.signal }),
      attachment.transfer(SIZE, { signal: waiting.signal }),
      attachment.transfer(PACKET - 1),
    ];
    const ends = transfers.slice(0, 2).map((each) =>
      assertRejects(() => each, AbortedTransferError, "was aborted")
    );
    waiting.abort(new Error("second"));
    assertEquals((await ends[1]).cause, waiting.signal.reason);
    flying.abort(new Error("first"));
    const error = await ends[0];
    assertEquals(error.cause, flying.signal.reason);
    assertEquals(error.transferred, 0);
    // The third one is what the host meets.
    if (attachment === sent) {
      const chunk = await host.read(tx, SIZE);
      assertSame(chunk, pattern(SIZE).subarray(0, PACKET - 1));
    } else {
      await host.write(rx, pattern(PACKET - 1, 3));
    }
    await transfers[2];
  }
  await assertRejects(
    () => sent.transfer(SIZE, { signal: AbortSignal.abort() }),
    AbortedTransferError,
    "the signal is aborted already",
  );
});

Deno.test("an abort after the end changes nothing", async () => {
  await using pair = await startPair();
  const { sent, tx, test: { host } } = pair;
  for (let round = 0; round < 20; round++) {
    const controller = new AbortController();
    const transfer = sent.transfer(SIZE, { signal: controller.signal });
    const chunk = await host.read(tx, SIZE);
    // The host has all of it, whether the fence has been read or not.
    controller.abort();
    await transfer;
    assertSame(chunk, pattern(SIZE));
  }
});

Deno.test("closing the function ends transfers and attachments, and leaves no descriptor open", async () => {
  const files = openFiles();
  const pair = await startPair();
  const { test, sent, received } = pair;
  const { gadget } = test;
  const transfers = [sent, received].flatMap((attachment) => [
    attachment.transfer(SIZE),
    attachment.transfer(SIZE),
  ]);
  const ends = transfers.map((each) =>
    assertRejects(() => each, Deno.errors.BadResource, "function is closed")
  );
  await gadget.stop();
  await Promise.all(ends);
  assert(sent.detached && received.detached);
  await assertRejects(
    () => pair.tx.attach(sent.buffer),
    Deno.errors.BadResource,
    "function is closed",
  );
  // The buffers themselves live on.
  assertSame(await content(sent.buffer), pattern(SIZE));
  await pair[Symbol.asyncDispose]();
  assertEquals(openFiles(), files);
});

Deno.test("closing a buffer detaches it first", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, host } = test;
  const buffer = await bufferWith(pattern(SIZE));
  const attachment = await tx.attach(buffer);
  const transfer = outcome(attachment.transfer(SIZE));
  await buffer.close();
  assertEquals(await transfer, "ECONNRESET");
  assert(attachment.detached && buffer.closed);
  await assertRejects(
    () => buffer.access("read", () => {}),
    Deno.errors.BadResource,
    "the DMABUF is closed",
  );
  await assertRejects(() => tx.attach(buffer), Deno.errors.BadResource);
  // The endpoint is free for others.
  await using other = await bufferWith(pattern(SIZE, 1));
  const [chunk] = await Promise.all([
    host.read(tx, SIZE),
    (await tx.attach(other)).transfer(SIZE),
  ]);
  assertSame(chunk, pattern(SIZE, 1));
});

Deno.test("what is called before there is a host waits for it", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, gadget, host } = test;
  const udc = gadget.udc.name;
  unplug(gadget);
  await using buffer = await bufferWith(pattern(SIZE));
  const sent = tx.attach(buffer).then((attachment) =>
    attachment.transfer(SIZE)
  );
  plug(gadget, udc);
  await host.plug();
  assertSame(await host.read(tx, SIZE), pattern(SIZE));
  await sent;
});

Deno.test("access() waits for the transfer, and a transfer during an access is refused", async () => {
  await using pair = await startPair();
  const { received, rx, test: { host } } = pair;
  const transfer = received.transfer(SIZE);
  const reading = content(received.buffer);
  await host.write(rx, pattern(SIZE, 4));
  await transfer;
  assertSame(await reading, pattern(SIZE, 4));

  const { promise, resolve } = Promise.withResolvers<void>();
  const writing = received.buffer.access("write", () => promise);
  const second = fill(received.buffer, pattern(1));
  while (received.buffer.gate.accesses === 0) await Promise.resolve();
  await assertRejects(
    () => received.transfer(SIZE),
    Deno.errors.Busy,
    "the access must end first",
  );
  resolve();
  await Promise.all([writing, second]);

  // A wait for the memory can be given up.
  const held = received.transfer(SIZE);
  const controller = new AbortController();
  const waiting = received.buffer.access("read", () => {}, controller);
  controller.abort(new Error("enough"));
  await assertRejects(() => waiting, Error, "enough");
  await host.write(rx, pattern(SIZE));
  await held;
});
