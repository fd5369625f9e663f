// VM: --udc sg, any speed
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bulkIn, bulkOut, bulkPair } from "@usb/gadget";
import { DmaBuffer } from "@usb/gadget/dmabuf";
import { O_NONBLOCK, O_RDWR } from "../../ffi/abi.ts";
import { close, open } from "../../ffi/file.ts";
import { plug, unplug } from "../support/gadgets/cable.ts";
import { assertSame, bufferWith, outcome } from "../support/dmabuf/buffers.ts";
import { attachmentRows } from "../support/arguments/rows.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { pattern } from "../support/data/pattern.ts";
import { assertRefused } from "../support/arguments/wrong_values.ts";

const SIZE = 65_536;

Deno.test("H1: without a UDC, transfers wait and detach() works", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, gadget, host } = test;
  const udc = gadget.udc.name;
  const buffers = await Promise.all(
    [0, 1, 2, 3].map((n) => bufferWith(pattern(SIZE, n))),
  );
  const [kept, dropped, aborted] = await Promise.all(
    buffers.slice(0, 3).map((buffer) => link.in.attach(buffer)),
  );
  const received = await link.out.attach(buffers[3]);
  for (let round = 0; round < 10; round++) {
    unplug(gadget);
    // Both called right behind the unbinding, before its event was read.
    const transfers = [kept.transfer(SIZE), received.transfer(SIZE)];
    const controller = new AbortController();
    const { signal } = controller;
    const withdrawn = outcome(aborted.transfer(SIZE, { signal }));
    if (round === 5) await dropped.detach();
    controller.abort();
    assertEquals(await withdrawn, "ECANCELED");
    plug(gadget, udc);
    await host.plug();
    assertSame(await host.read(link, SIZE), pattern(SIZE));
    await host.write(link, pattern(SIZE, 9));
    await Promise.all(transfers);
  }
  assert(dropped.detached);
  // Detached for good in the kernel as well: it can be attached again.
  const again = await link.in.attach(dropped.buffer);
  const [chunk] = await Promise.all([
    host.read(link, SIZE),
    again.transfer(SIZE),
  ]);
  assertSame(chunk, pattern(SIZE, 1));
  for (const buffer of buffers) await buffer.close();
});

Deno.test("H1: detach() and close() right behind an unbinding", async () => {
  for (const how of ["detach", "close the buffer", "stop"]) {
    await using test = await startEndpoints({ tx: bulkIn() });
    const { endpoints: { tx }, gadget } = test;
    const buffer = await bufferWith(pattern(SIZE));
    const attachment = await tx.attach(buffer);
    const flying = outcome(attachment.transfer(SIZE));
    const waiting = outcome(attachment.transfer(SIZE));
    unplug(gadget);
    if (how === "detach") await attachment.detach();
    else if (how === "close the buffer") await buffer.close();
    else await gadget.stop();
    // The controller has given it up first, or is made to.
    const first = how === "stop" ? "EBADF" : "ESHUTDOWN";
    assert([first, "ESHUTDOWN"].includes(await flying), how);
    const second = how === "stop" ? "EBADF" : "ECONNRESET";
    assertEquals(await waiting, second, how);
    await buffer.close();
  }
});

Deno.test("H3: two transfers of one buffer are never with the kernel at once", async () => {
  await using test = await startEndpoints({ tx: bulkIn(), other: bulkIn() });
  const { endpoints: { tx, other }, host } = test;
  await using buffer = await bufferWith(pattern(SIZE));
  const attachment = await tx.attach(buffer);
  const elsewhere = await other.attach(buffer);
  // Under other descriptors and objects, too.
  await using same = DmaBuffer.fromFileDescriptor(buffer.fd);
  await assertRejects(
    () => tx.attach(same),
    Deno.errors.AlreadyExists,
    "it is attached there already",
  );
  for (let round = 0; round < 20; round++) {
    const transfers = [
      attachment.transfer(SIZE),
      attachment.transfer(1000),
      elsewhere.transfer(SIZE),
      attachment.transfer(SIZE),
    ];
    assertSame(await host.read(tx, SIZE), pattern(SIZE));
    assertSame(
      await host.read(tx, SIZE),
      pattern(SIZE).subarray(0, 1000),
    );
    assertSame(await host.read(other, SIZE), pattern(SIZE));
    assertSame(await host.read(tx, SIZE), pattern(SIZE));
    await Promise.all(transfers);
  }
});

Deno.test("another program that closes the endpoint's file does not stop later transfers", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  await using one = await bufferWith(pattern(SIZE, 1));
  await using two = await bufferWith(pattern(SIZE, 2));
  for (const endpoint of [link.in, link.out]) {
    const first = await endpoint.attach(one);
    const second = await endpoint.attach(two);
    // Not while a transfer is under way: the kernel frees its fence's lock.
    close(open(endpoint.path, O_RDWR | O_NONBLOCK));
    for (const [index, attachment] of [first, second].entries()) {
      const transfer = attachment.transfer(SIZE);
      if (endpoint === link.in) {
        const chunk = await host.read(link, SIZE);
        assertSame(chunk, pattern(SIZE, index + 1));
      } else {
        await host.write(link, pattern(SIZE, index + 1));
      }
      await transfer;
    }
    await first.detach();
    await second.detach();
  }
});

Deno.test("bad lengths and pairs are refused", async () => {
  await using test = await startEndpoints({ link: bulkPair(), rx: bulkOut() });
  const { endpoints: { link, rx } } = test;
  await using buffer = DmaBuffer.allocate(1);
  assert(buffer.size >= 4096);
  const attachment = await rx.attach(buffer);
  for (const length of [0, -1, 1.5, NaN, buffer.size + 1]) {
    await assertRejects(
      () => attachment.transfer(length),
      RangeError,
      `the length must be an integer from 1 to ${buffer.size}, is ${length}`,
    );
  }
  await assertRefused(attachmentRows(link.in, attachment));
  assertThrows(
    () => link.attach(buffer),
    TypeError,
    `Cannot attach a DMABUF to pair "link": attach it to "link.in" (${link.in.path})`,
  );
});
