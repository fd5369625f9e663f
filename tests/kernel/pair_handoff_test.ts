// VM: any architecture
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bulkEndpoints } from "../support/host/echo.ts";
import { startExample } from "../support/programs/example.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { kernelHasProxies } from "../support/gadgets/pair_modes.ts";
import {
  startPairProgram,
  startServer,
} from "../support/programs/pair_server.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { staysPending } from "../support/waiting/settling.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import { isTransferError } from "../../src/testing/usbfs/transfer.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const FILE = "/dev/handoff/ep1_rw";
const MIB = 1 << 20;
const GET_NAME = { requestType: 0xc1, request: 1 };

const text = (message: string) => new TextEncoder().encode(message);

function assertSame(actual: Uint8Array, expected: Uint8Array, what = "") {
  assertEquals(actual.byteLength, expected.byteLength, what);
  assertEquals(firstDifference(actual, expected), -1, what);
}

/** What pair_program writes. */
function counting(size: number): Uint8Array {
  return new Uint8Array(size).map((_, index) => index % 251);
}

/** Starts the example, and becomes its host. */
async function startHandoff() {
  const before = gadgetTraces();
  const example = startExample("handoff.ts");
  const failed = example.process.status.then(async () => {
    throw new Error((await example.end("SIGTERM")).text);
  });
  failed.catch(() => {});
  const device = await Promise.race([UsbfsDevice.find(ids), failed]);
  await device.claimInterface(0);
  return {
    device,
    ...bulkEndpoints(device),
    async [Symbol.asyncDispose]() {
      await device.close();
      const { text } = await example.end("SIGINT");
      assertStringIncludes(text, `Serve the data with ${FILE}\n`);
      assertEquals(gadgetTraces(), before);
    },
  };
}

if (kernelHasProxies) {
  Deno.test("examples/handoff.ts: a C program serves the device by open, read and write alone", async () => {
    await using test = await startHandoff();
    const { device, input, output, packetSize: PACKET } = test;
    await using server = startPairProgram(FILE);
    // Both directions on one file, with the border of each message.
    for (const message of ["hello", "x".repeat(PACKET), "y".repeat(5000)]) {
      await device.bulkOut(output, text(message), { zeroPacket: true });
      assertSame(await device.bulkIn(input, MIB), text(message));
    }
    // Any size in one write, ended by a zero-length packet on the border.
    for (const size of [1, PACKET, 2 * PACKET, 65_536, MIB + 1, 3 * MIB]) {
      await device.bulkOut(output, text(`write ${size}`));
      const most = size + PACKET - size % PACKET;
      assertSame(await device.bulkIn(input, most), counting(size), `${size}`);
    }
    // The write waits for the host; meanwhile the script answers.
    await device.bulkOut(output, text(`write ${2 * PACKET}`));
    await server.waits();
    assert(await staysPending(server.output, 200));
    assertEquals(
      await device.controlIn({ ...GET_NAME, length: 64 }),
      text("handoff"),
    );
    const full = await device.bulkIn(input, 2 * PACKET);
    assertSame(full, counting(2 * PACKET));
    assertEquals((await device.bulkIn(input, PACKET)).byteLength, 0);
    await device.bulkOut(output, text("quit"));
    const { code, stdout, stderr } = await server.output;
    assertEquals(new TextDecoder().decode(stderr), "");
    assertEquals(code, 0);
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    assertEquals(lines.length, 10);
    assertEquals(lines.at(-1), `wrote ${2 * PACKET}`);
  });

  Deno.test("examples/handoff.ts: cat and dd serve the device", async () => {
    await using test = await startHandoff();
    const { device, input, output, packetSize: PACKET } = test;
    {
      // A zero-length packet is the end of the file for a program like cat.
      await using cat = startServer("cat", [FILE]);
      await cat.waits();
      for (const size of [10, 5000, 4 * PACKET]) {
        await device.bulkOut(output, pattern(size, size), { zeroPacket: true });
      }
      await device.bulkOut(output, new Uint8Array(0));
      const { code, stdout } = await cat.output;
      assertEquals(code, 0);
      const sent = [10, 5000, 4 * PACKET].flatMap((n) => [...pattern(n, n)]);
      assertSame(stdout, new Uint8Array(sent));
    }
    {
      const args = ["bs=65536", "conv=notrunc", "iflag=fullblock"];
      const bytes = pattern(3 * 65_536 + 100);
      await using dd = startServer("dd", [`of=${FILE}`, ...args], bytes);
      for (let at = 0; at < bytes.byteLength; at += 65_536) {
        const block = await device.bulkIn(input, 2 * 65_536);
        assertSame(block, bytes.subarray(at, at + 65_536), `block at ${at}`);
      }
      assertEquals((await dd.output).code, 0);
    }
    await using reader = startServer("dd", [
      `if=${FILE}`,
      "bs=65536",
      "count=3",
      "status=none",
    ]);
    await reader.waits();
    const nothing = await device.bulkIn(input, PACKET, { timeout: 100 })
      .catch((error) => error);
    assert(isTransferError(nothing, "ETIMEDOUT"), String(nothing));
    for (const n of [1, 2, 3]) await device.bulkOut(output, pattern(100, n));
    const got = [1, 2, 3].flatMap((n) => [...pattern(100, n)]);
    assertSame((await reader.output).stdout, new Uint8Array(got));
  });
} else {
  Deno.test("examples/handoff.ts says what it lacks on this kernel, and leaves nothing", async () => {
    const before = gadgetTraces();
    await using example = startExample("handoff.ts");
    const { success } = await example.process.status;
    const { text } = await example.end("SIGTERM");
    assertEquals(success, false);
    assertStringIncludes(text, "this kernel has no files for both directions");
    assertEquals(gadgetTraces(), before);
  });
}
