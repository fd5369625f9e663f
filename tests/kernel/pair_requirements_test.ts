import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { bulkPair } from "@usb/gadget";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { watchEventLoop } from "../support/measure/heartbeat.ts";
import { pairModes } from "../support/gadgets/pair_modes.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { staysPending } from "../support/waiting/settling.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { isTransferError } from "../../src/testing/usbfs/transfer.ts";

// What the patches that brought files for both directions to Linux 7.3 were
// made for. A pair has to have it on every kernel.

const { bulkPacketSize: PACKET } = gadgetSpeed();
/** More than fits into dummy_hcd's FIFO at every speed. */
const SIZE = 2 * PACKET;
const MIB = 1 << 20;

function assertSame(actual: Uint8Array, expected: Uint8Array, what = "") {
  assertEquals(actual.byteLength, expected.byteLength, what);
  assertEquals(firstDifference(actual, expected), -1, what);
}

for (const { name, rwProxy } of pairModes) {
  const start = () => startEndpoints({ link: bulkPair() }, { rwProxy });

  Deno.test(`${name} pair: one object reads and writes, and neither waits for the other`, async () => {
    await using test = await start();
    const { endpoints: { link }, host } = test;
    assertEquals(link.native, name === "native");
    const reader = link.readable.getReader();
    const reading = reader.read();
    for (let n = 0; n < 20; n++) {
      const written = link.write(pattern(SIZE, n));
      assertSame(await host.read(link, SIZE), pattern(SIZE, n));
      await written;
    }
    assert(await staysPending(reading));
    const blocked = link.write(pattern(SIZE, 99));
    await host.write(link, pattern(10));
    assertSame((await reading).value!, pattern(10));
    for (let n = 0; n < 20; n++) {
      const next = reader.read();
      await host.write(link, pattern(11, n));
      assertSame((await next).value!, pattern(11, n));
    }
    assert(await staysPending(blocked));
    assertSame(await host.read(link, SIZE), pattern(SIZE, 99));
    await blocked;
  });

  Deno.test(`${name} pair: writes wait while the host takes nothing, and take no memory`, async () => {
    await using test = await start();
    const { endpoints: { link }, host } = test;
    const writer = link.writable.getWriter();
    let accepted = 0;
    const producing = (async () => {
      for (let n = 0; n < 10; n++) {
        await writer.write(pattern(65_536, n));
        accepted++;
      }
    })();
    {
      using _loop = watchEventLoop();
      assert(await staysPending(producing, soak(5000, 500)));
    }
    assertEquals(accepted, 0);
    for (let n = 0; n < 10; n++) {
      assertEquals(accepted <= n, true);
      assertSame(await host.read(link, 65_536), pattern(65_536, n));
    }
    await producing;
  });

  Deno.test(`${name} pair: a write may have any size`, async () => {
    await using test = await start();
    const { endpoints: { link }, host } = test;
    link.autoZlp = true;
    const random = new Random(testSeed());
    const sizes = [0, 1, 63, 64, 65, PACKET - 1, PACKET, PACKET + 1, MIB];
    sizes.push(MIB + 1, 4 * MIB, 4 * MIB + PACKET);
    while (sizes.length < soak(200, 20)) {
      sizes.push(Math.floor(random.int(1, 2 ** random.int(1, 20))));
    }
    for (const size of sizes) {
      const written = link.write(pattern(size, size));
      const most = size + PACKET - size % PACKET;
      const got = await host.read(link, most);
      assertSame(got, pattern(size, size), `${size} bytes to the host`);
      assertEquals(await written, size);
      const reading = link.read(most);
      await host.write(link, pattern(size, 1), { zlp: "auto" });
      const back = await reading;
      assertSame(back, pattern(size, 1), `${size} bytes from the host`);
    }
  });

  Deno.test(`${name} pair: a write on a packet border gets a zero-length packet, another one none`, async () => {
    await using test = await start();
    const { endpoints: { link }, host } = test;
    link.autoZlp = true;
    for (const packets of [1, 2, 16, 1024 + 3]) {
      for (const extra of [0, 1]) {
        const size = packets * PACKET + extra;
        const written = link.write(pattern(size));
        // The host asks for exactly what comes: what ends it is not in that.
        const got = await host.read(link, packets * PACKET);
        assertSame(got, pattern(size).subarray(0, packets * PACKET));
        const end = await host.read(link, PACKET);
        assertEquals(end.byteLength, extra);
        await written;
      }
    }
    const nothing = await host.read(link, PACKET, { timeout: 100 })
      .catch((error) => error);
    assert(isTransferError(nothing, "ETIMEDOUT"), String(nothing));
    assertEquals(nothing.transferred, 0);
  });

  Deno.test(`${name} pair: each write stays one transfer, large ones too, with nothing between it and the host`, async () => {
    await using test = await start();
    const { endpoints: { link }, host } = test;
    const sizes = [9 * MIB + 5, 3, 5 * MIB, 1, 0, 2 * MIB + 1, PACKET, 700];
    const writer = link.openWritable({ zlp: "auto" }).getWriter();
    const writes = sizes.map((size, n) => writer.write(pattern(size, n)));
    for (const [n, size] of sizes.entries()) {
      // A host that asks for more than there is gets exactly one write.
      const got = await host.read(link, 10 * MIB);
      assertSame(got, pattern(size, n), `write ${n}`);
      await writes[n];
    }
    await writer.close();
  });
}
