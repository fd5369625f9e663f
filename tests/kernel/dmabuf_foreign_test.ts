// VM: --udc sg, any speed
import { setTimeout as delay } from "node:timers/promises";
import { assertEquals, assertRejects } from "@std/assert";
import { bulkPair } from "@usb/gadget";
import { DmaBuffer } from "@usb/gadget/dmabuf";
import { close } from "../../ffi/file.ts";
import {
  assertSame,
  content,
  fill,
  outcome,
} from "../support/dmabuf/buffers.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { pattern } from "../support/data/pattern.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { Vgem } from "../support/dmabuf/vgem.ts";
import "../support/run/aio_libraries.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();
const SIZE = 65_536;

/** A pair, and a buffer of another driver that is attached to both sides. */
async function startForeign() {
  const test = await startEndpoints({ link: bulkPair() });
  const { in: tx, out: rx } = test.endpoints.link;
  const vgem = await Vgem.open();
  const foreign = vgem.allocate(SIZE);
  const buffer = DmaBuffer.fromFileDescriptor(foreign.fd);
  close(foreign.fd);
  return {
    test,
    foreign,
    buffer,
    sent: await tx.attach(buffer),
    received: await rx.attach(buffer),
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]();
      await buffer.close();
      vgem[Symbol.dispose]();
    },
  };
}

Deno.test("the buffer of another driver is received and sent", async () => {
  await using it = await startForeign();
  const { host, endpoints: { link } } = it.test;
  assertEquals(it.buffer.size, SIZE);
  for (const size of [1, PACKET, SIZE]) {
    const transfers = [it.received.transfer(size), it.sent.transfer(size)];
    await host.write(link, pattern(size, size));
    const rounded = Math.ceil(size / PACKET) * PACKET;
    assertSame(await host.read(link, rounded), pattern(size, size));
    await Promise.all(transfers);
    assertSame(await content(it.buffer, size), pattern(size, size));
  }
});

Deno.test("a transfer begins when the other driver is done with the buffer", async () => {
  await using it = await startForeign();
  const { host, endpoints: { link } } = it.test;
  await fill(it.buffer, pattern(SIZE));
  const end = it.foreign.use("write");
  const sending = it.sent.transfer(SIZE);
  await assertRejects(
    () => host.read(link, SIZE, { timeout: 100 }),
    Error,
    "0 of 65536 bytes",
  );
  end();
  assertSame(await host.read(link, SIZE), pattern(SIZE));
  await sending;

  const endReading = it.foreign.use("read");
  const receiving = it.received.transfer(SIZE);
  await assertRejects(
    () => host.write(link, pattern(SIZE, 1), { timeout: 100 }),
    Error,
    "0 of 65536 bytes",
  );
  endReading();
  await host.write(link, pattern(SIZE, 2));
  await receiving;
  assertSame(await content(it.buffer), pattern(SIZE, 2));
});

Deno.test("what waits for another driver can be aborted, detached and closed", async () => {
  for (const how of ["abort", "detach", "close"] as const) {
    await using it = await startForeign();
    const end = it.foreign.use("write");
    const controller = new AbortController();
    const waiting = outcome(it.sent.transfer(SIZE, controller));
    const access = outcome(it.buffer.access("read", () => {}));
    if (how === "abort") controller.abort();
    else if (how === "detach") await it.sent.detach();
    else await it.buffer.close();
    const ends = {
      abort: "ECANCELED",
      detach: "ECONNRESET",
      close: "ECONNRESET",
    };
    assertEquals(await waiting, ends[how]);
    if (how !== "close") end();
    assertEquals(await access, how === "close" ? "EBADF" : "done");
    if (how === "close") end();
  }
});

Deno.test("access() waits for the other driver, without standing still", async () => {
  await using it = await startForeign();
  await fill(it.buffer, pattern(SIZE));
  const end = it.foreign.use("write");
  const order: string[] = [];
  const reading = content(it.buffer).then((bytes) => {
    order.push("read");
    assertSame(bytes, pattern(SIZE));
  });
  for (let turn = 0; turn < 3; turn++) {
    await delay(0);
    order.push("turn");
  }
  end();
  await reading;
  assertEquals(order, ["turn", "turn", "turn", "read"]);
});
