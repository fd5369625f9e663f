/**
 * Frames over any number of transfers, and hosts that end transfers as they like.
 *
 * @module
 */
// VM: any speed
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { AbortedTransferError, bulkPair } from "@usb/gadget";
import { pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { staysPending } from "../support/waiting/settling.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();

Deno.test("frames of any size come out of transfers of any size, in order", async () => {
  const random = new Random(testSeed());
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const data = pattern(300_000);
  const sending = (async () => {
    for (let at = 0; at < data.byteLength;) {
      const size = random.pick([64, PACKET, random.int(1, 5 * PACKET)]);
      await host.write(link, data.slice(at, at += size));
    }
  })();
  for (let at = 0; at < data.byteLength;) {
    const size = Math.min(random.int(1, 600), data.byteLength - at);
    const frame = await link.readExactly(size);
    assertEquals(frame, data.subarray(at, at += size));
  }
  await sending;
});

Deno.test("sizes below 0 and fractions are refused, and 0 needs no host", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { link } = test.endpoints;
  for (const size of [-1, 1.5, NaN, Infinity]) {
    await assertRejects(() => link.readExactly(size), RangeError);
  }
  assertEquals(await link.readExactly(0), new Uint8Array(0));
});

Deno.test("a host that ends a frame with a zero-length packet does not wait for the next read", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  // As libmtp does: header and payload fill packets, then comes a zero-length packet.
  const frame = pattern(2 * PACKET);
  const header = link.readExactly(12);
  const sending = host.write(link, frame).then(() =>
    host.write(link, new Uint8Array(0))
  );
  assertEquals(await header, frame.subarray(0, 12));
  assertEquals(await link.readExactly(2 * PACKET - 12), frame.subarray(12));
  // The device answers only when the host has ended its transfer.
  await sending;
  const answering = link.write(pattern(5));
  assertEquals(await host.read(link, PACKET), pattern(5));
  await answering;
});

Deno.test("an aborted command does not swallow the next one, whatever part of it had come", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { host } = test;
  const { link } = await test.session();
  for (const [asked, sent] of [[512, 512], [65_536, 0], [65_536, PACKET]]) {
    const controller = new AbortController();
    const lost = assertRejects(
      () => link.read(asked, { signal: controller.signal }),
      AbortedTransferError,
    );
    if (asked > PACKET && sent > 0) {
      await host.write(link, pattern(sent, 9));
    }
    controller.abort();
    await lost;
    await link.discard();
    const command = link.read(16);
    await host.write(link, pattern(16, 1));
    assertEquals(await command, pattern(16, 1), `${asked} ${sent}`);
  }
});

Deno.test("discard() drops what has come, and the writes that the host has not taken", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const first = link.readExactly(1);
  // A flush of 32 KiB before the next stream, of which one byte is read.
  await host.write(link, pattern(32_768));
  assertEquals(await first, pattern(1));
  const writes = [pattern(3 * PACKET), pattern(3 << 20)].map((data) =>
    assertRejects(() => link.write(data), AbortedTransferError, "discard()")
  );
  const reading = assertRejects(
    () => link.readExactly(1 << 20),
    AbortedTransferError,
    "discard()",
  );
  await link.discard();
  await Promise.all([...writes, reading]);
  const next = link.readExactly(4);
  assert(await staysPending(next));
  await host.write(link, pattern(4, 7));
  assertEquals(await next, pattern(4, 7));
  const answer = link.write(pattern(100, 8));
  assertEquals(await host.read(link, 4 * PACKET), pattern(100, 8));
  await answer;
});
