import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { AbortedTransferError, bulkIn, bulkOut, bulkPair } from "@usb/gadget";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { isTransferError } from "../../src/testing/usbfs/transfer.ts";
import "../support/run/aio_libraries.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();
const MIB = 1 << 20;

/** Ends after a random time of up to `most` turns and timers. */
async function someTime(most: number): Promise<void> {
  const turns = Math.floor(Math.random() * most);
  for (let turn = 0; turn < turns; turn++) {
    if (turn % 4 === 3) await delay(0);
    else await Promise.resolve();
  }
}

Deno.test("an aborted write says how much had gone, and the host gets nothing after that", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, host } = test;
  const bytes = pattern(3 * MIB);
  const controller = new AbortController();
  const writing = tx.write(bytes, { signal: controller.signal });
  // All of the first kernel request, and a part of the second one.
  const taken = MIB + 64 * PACKET;
  const chunk = await host.read(tx, taken);
  assertEquals(firstDifference(chunk, bytes.subarray(0, taken)), -1);
  controller.abort("enough");
  const error = await assertRejects(() => writing, AbortedTransferError);
  assertEquals(error.cause, "enough");
  assertEquals(error.name, "AbortError");
  assertEquals(error.transferred, MIB);
  assertEquals(
    error.message,
    `Cannot write to endpoint "tx": the transfer was aborted after ${MIB} bytes`,
  );
  const next = tx.write(pattern(700, 7));
  assertEquals(await host.read(tx, 8192), pattern(700, 7));
  await next;
});

Deno.test("a signal that is aborted before the call, or after the end, changes nothing", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const signal = AbortSignal.abort();
  await assertRejects(
    () => link.write(pattern(9), { signal }),
    Error,
    "already",
  );
  await assertRejects(() => link.read(9, { signal }), AbortedTransferError);
  const controller = new AbortController();
  const options = { signal: controller.signal };
  const written = link.write(pattern(900), options);
  assertEquals(await host.read(link, PACKET * 16), pattern(900));
  await written;
  const reading = link.read(900, options);
  await host.write(link, pattern(900));
  assertEquals(await reading, pattern(900));
  controller.abort();
});

Deno.test("an aborted read loses nothing of a transfer that has begun", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { endpoints: { rx }, host } = test;
  const bytes = pattern(8 * PACKET);
  const controller = new AbortController();
  const reading = rx.read(16 * PACKET, { signal: controller.signal });
  await host.write(rx, bytes.slice(0, 3 * PACKET));
  controller.abort();
  await assertRejects(() => reading, AbortedTransferError);
  const again = rx.read(16 * PACKET);
  await host.write(rx, bytes.slice(3 * PACKET), { zlp: "auto" });
  assertEquals(firstDifference(await again, bytes), -1);
});

Deno.test("a read of another size gets what comes after the abort", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { endpoints: { rx }, host } = test;
  for (const [first, second] of [[16, 1], [1, 16], [16, 0.5], [0.5, 16]]) {
    const controller = new AbortController();
    const { signal } = controller;
    const reading = rx.read(first * PACKET, { signal });
    const behind = rx.read(first * PACKET, { signal });
    await someTime(8);
    controller.abort();
    await assertRejects(() => reading, AbortedTransferError);
    await assertRejects(() => behind, AbortedTransferError);
    const next = rx.read(second * PACKET);
    await host.write(rx, pattern(PACKET / 2, second));
    assertEquals(await next, pattern(PACKET / 2, second));
  }
});

Deno.test("aborting one of several reads leaves the order of the others", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { endpoints: { rx }, host } = test;
  for (const sizes of [[4096, 4096, 4096, 4096], [4096, 2048, 8192, 1024]]) {
    for (let victim = 0; victim < sizes.length; victim++) {
      const controller = new AbortController();
      const { signal } = controller;
      const reads = sizes.map((size, index) =>
        rx.read(size, index === victim ? { signal } : {})
      );
      await someTime(8);
      controller.abort();
      await assertRejects(() => reads[victim], AbortedTransferError);
      const others = reads.filter((_, index) => index !== victim);
      for (const [index] of others.entries()) {
        await host.write(rx, pattern(100 + index, victim));
      }
      for (const [index, each] of others.entries()) {
        assertEquals(await each, pattern(100 + index, victim));
      }
    }
  }
});

Deno.test("an aborted read into a buffer keeps the buffer, and the next read works", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { endpoints: { rx }, host } = test;
  for (const size of [16 * PACKET, 100]) {
    const controller = new AbortController();
    const { signal } = controller;
    const reading = rx.read(new Uint8Array(size), { signal });
    const behind = rx.read(new Uint8Array(size));
    await someTime(8);
    controller.abort();
    await assertRejects(() => reading, AbortedTransferError);
    await host.write(rx, pattern(60));
    assertEquals(await behind, pattern(60));
  }
});

Deno.test("aborted at random moments, reads lose and double nothing", async () => {
  const aborts = soak(5000, 150);
  await using test = await startEndpoints({ rx: bulkOut() });
  const { endpoints: { rx }, host } = test;
  const size = 8 * PACKET;
  let sending = true;
  const expected: number[] = [];
  const send = async () => {
    for (let n = 0; sending; n++) {
      const length = 1 + Math.floor(Math.random() * (size - 1));
      expected.push(length);
      await host.write(rx, pattern(length, n), {
        zlp: "auto",
        timeout: 60_000,
      });
    }
  };
  const sent = send();
  let received = 0;
  for (let aborted = 0; aborted < aborts;) {
    const controller = new AbortController();
    const reading = rx.read(size, { signal: controller.signal });
    someTime(12).then(() => controller.abort());
    try {
      const transfer = await reading;
      assertEquals(
        firstDifference(transfer, pattern(expected[received], received)),
        -1,
        `transfer ${received} after ${aborted} aborts`,
      );
      received++;
    } catch (error) {
      if (!(error instanceof AbortedTransferError)) throw error;
      aborted++;
    }
  }
  sending = false;
  while (received < expected.length) {
    const transfer = await rx.read(size);
    const bytes = pattern(expected[received], received);
    assertEquals(firstDifference(transfer, bytes), -1);
    received++;
  }
  await sent;
  assert(received > 0);
});

Deno.test("aborted at random moments, writes reach the host whole, in part or not, and in order", async () => {
  const aborts = soak(5000, 150);
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, host } = test;
  let aborted = 0;
  let done = 0;
  const END = 0xff;
  // Transfer n consists of packets whose first byte is n.
  const write = async () => {
    for (let n = 0; aborted < aborts; n = (n + 1) % 200) {
      const controller = new AbortController();
      const bytes = new Uint8Array(1 + Math.floor(Math.random() * 20 * PACKET))
        .fill(n);
      const writing = tx.write(bytes, { signal: controller.signal });
      // On a busy machine no random moment may be late enough.
      if (n % 10 !== 9) someTime(12).then(() => controller.abort());
      try {
        assertEquals(await writing, bytes.byteLength);
        sizes.push([n, bytes.byteLength, true]);
        done++;
      } catch (error) {
        if (!(error instanceof AbortedTransferError)) throw error;
        assertEquals(error.transferred, 0);
        sizes.push([n, bytes.byteLength, false]);
        aborted++;
      }
    }
    await tx.write(new Uint8Array(1).fill(END));
  };
  const sizes: [n: number, size: number, whole: boolean][] = [];
  const counts: [n: number, count: number][] = [];
  const take = async () => {
    for (;;) {
      const chunk = await host.read(tx, PACKET, { timeout: 60_000 });
      for (const byte of chunk) {
        if (byte === END) return;
        const last = counts.at(-1);
        if (last?.[0] === byte) last[1]++;
        else counts.push([byte, 1]);
      }
    }
  };
  await Promise.all([write(), take()]);
  // What the host has got, in order, against what was written.
  let at = 0;
  for (const [n, size, whole] of sizes) {
    const count = counts[at]?.[0] === n ? counts[at++][1] : 0;
    if (whole) assertEquals(count, size, `transfer ${n}`);
    else assert(count <= size, `transfer ${n}: ${count} of ${size}`);
  }
  assertEquals(at, counts.length);
  assert(done > 0, "none was done");
});

Deno.test("an abort without a host settles at once", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const timeout = await host.write(link, pattern(1), { timeout: 50 })
    .catch((error) => error);
  assert(isTransferError(timeout, "ETIMEDOUT"));
  await host.close();
  const signal = AbortSignal.timeout(50);
  const write = await assertRejects(
    () => link.write(pattern(10 * MIB), { signal }),
    AbortedTransferError,
  );
  assertEquals((write.cause as Error).name, "TimeoutError");
  await assertRejects(() => link.read(1, { signal }), AbortedTransferError);
});
