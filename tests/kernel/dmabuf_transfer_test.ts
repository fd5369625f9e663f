// VM: --udc sg
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { bulkIn, bulkOut, bulkPair } from "@usb/gadget";
import { DmaBuffer } from "@usb/gadget/dmabuf";
import {
  assertSame,
  bufferWith,
  content,
  SOURCES,
} from "../support/dmabuf/buffers.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { pattern } from "../support/data/pattern.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();
const MIB = 1 << 20;
const SIZES = [
  1,
  2,
  63,
  64,
  65,
  PACKET - 1,
  PACKET,
  PACKET + 1,
  4095,
  4096,
  4097,
  65_536,
  MIB - 1,
  MIB,
  3 * MIB + 5,
  8 * MIB,
];

function roundUp(size: number): number {
  return Math.ceil(size / PACKET) * PACKET;
}

for (const { name, options } of SOURCES) {
  Deno.test(`an IN endpoint sends from ${name}, 1 byte to 8 MiB`, async () => {
    await using test = await startEndpoints({ tx: bulkIn() });
    const { endpoints: { tx }, host } = test;
    await using buffer = await bufferWith(pattern(8 * MIB), 8 * MIB, options);
    const attachment = await tx.attach(buffer);
    for (const size of SIZES) {
      const [received] = await Promise.all([
        host.read(tx, roundUp(size)),
        attachment.transfer(size),
      ]);
      assertSame(received, pattern(8 * MIB).subarray(0, size), `${size} bytes`);
    }
  });

  Deno.test(`an OUT endpoint receives into ${name}, 1 byte to 8 MiB`, async () => {
    await using test = await startEndpoints({ rx: bulkOut() });
    const { endpoints: { rx }, host } = test;
    await using buffer = DmaBuffer.allocate(8 * MIB, options);
    const attachment = await rx.attach(buffer);
    for (const [index, size] of SIZES.entries()) {
      await buffer.access("write", (bytes) => bytes.fill(0xee));
      const transfer = attachment.transfer(size);
      await host.write(rx, pattern(size, index));
      await transfer;
      await buffer.access("read", (bytes) => {
        assertSame(
          bytes.subarray(0, size),
          pattern(size, index),
          `${size} bytes`,
        );
        const behind = bytes.subarray(size, size + 2 * PACKET);
        assertEquals(behind.every((byte) => byte === 0xee), true, `${size}`);
      });
    }
  });
}

Deno.test("a buffer that was received on one endpoint is sent on another", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  await using buffer = DmaBuffer.allocate(MIB);
  const received = await link.out.attach(buffer);
  const sent = await link.in.attach(buffer);
  for (const size of [5, PACKET, MIB]) {
    // Called at once: the second waits for the first, since it is one buffer.
    const transfers = [received.transfer(size), sent.transfer(size)];
    await host.write(link, pattern(size, size));
    const back = await host.read(link, roundUp(size));
    assertSame(back, pattern(size, size), `${size} bytes`);
    await Promise.all(transfers);
  }
  assertSame(await content(buffer), pattern(MIB, MIB));
});
