// VM: --udc sg
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { bulkIn } from "@usb/gadget";
import { assertSame, bufferWith, outcome } from "../support/dmabuf/buffers.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { pattern } from "../support/data/pattern.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

// On Linux 7.3 the kernel sends zero-length packets behind DMABUFs, on an
// older one they are requests of their own: the host sees the same.

const { bulkPacketSize: PACKET } = gadgetSpeed();

async function startSource() {
  const test = await startEndpoints({ tx: bulkIn() });
  const bytes = pattern(16 * PACKET);
  const buffers = await Promise.all([0, 1].map(() => bufferWith(bytes)));
  const { tx } = test.endpoints;
  const [first, second] = await Promise.all(
    buffers.map((buffer) => tx.attach(buffer)),
  );
  return {
    test,
    tx,
    bytes,
    first,
    second,
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]();
      for (const buffer of buffers) await buffer.close();
    },
  };
}

Deno.test("autoZlp ends transfers of DMABUFs visibly, and only those on a packet border", async () => {
  await using source = await startSource();
  const { tx, bytes, first, second, test } = source;
  const { host } = test;
  tx.autoZlp = true;
  for (const size of [PACKET, 4 * PACKET, PACKET - 1, 3 * PACKET + 1, 1]) {
    // Both at once: a zero-length packet belongs behind its own transfer.
    const transfers = [first.transfer(size), second.transfer(2 * PACKET)];
    // A host that asks for more gets one transfer each time.
    for (const expected of [size, 2 * PACKET]) {
      const chunk = await host.read(tx, 16 * PACKET);
      assertSame(chunk, bytes.subarray(0, expected), `${size} bytes`);
    }
    await Promise.all(transfers);
  }
  // A host that asks for exactly the bytes has to ask once more.
  const transfer = first.transfer(PACKET);
  assertSame(await host.read(tx, PACKET), bytes.subarray(0, PACKET));
  assertEquals((await host.read(tx, PACKET)).byteLength, 0);
  await transfer;
});

Deno.test("a change of autoZlp holds for the transfers that are called after it, among writes", async () => {
  await using source = await startSource();
  const { tx, bytes, first, second, test } = source;
  const { host } = test;
  tx.autoZlp = true;
  const terminated = first.transfer(PACKET);
  tx.autoZlp = false;
  const open = second.transfer(PACKET);
  assertSame(
    await host.read(tx, 4 * PACKET),
    bytes.subarray(0, PACKET),
  );
  await terminated;
  // Without an end that the host sees, both are one transfer to it.
  const reading = host.read(tx, 4 * PACKET);
  await open;
  tx.autoZlp = true;
  const written = tx.write(bytes.slice(0, PACKET));
  assertEquals((await reading).byteLength, 2 * PACKET);
  await written;
  tx.autoZlp = false;
  const last = first.transfer(PACKET);
  assertSame(await host.read(tx, PACKET), bytes.subarray(0, PACKET));
  await last;
});

Deno.test("a transfer with its zero-length packet can be aborted and survives what the host does", async () => {
  await using source = await startSource();
  const { tx, bytes, first, test } = source;
  const { host } = test;
  tx.autoZlp = true;
  const controller = new AbortController();
  const aborted = outcome(first.transfer(2 * PACKET, controller));
  const behind = first.transfer(PACKET);
  controller.abort();
  assertEquals(await aborted, "ECANCELED");
  assertSame(
    await host.read(tx, 4 * PACKET),
    bytes.subarray(0, PACKET),
  );
  await behind;
  const lost = outcome(first.transfer(2 * PACKET));
  await host.setInterface(0, 0);
  assertEquals(await lost, "ESHUTDOWN");
  const again = first.transfer(2 * PACKET);
  assertSame(
    await host.read(tx, 4 * PACKET),
    bytes.subarray(0, 2 * PACKET),
  );
  await again;
});
