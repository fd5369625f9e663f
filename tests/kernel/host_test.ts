/**
 * What `src/testing/usbfs` does with a device, by address and URB by URB.
 *
 * @module
 */
// VM: any speed, any architecture
import "../support/run/aio_libraries.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { bulkPair, type EndpointPair, type Session } from "@usb/gadget";
import { outcome } from "../support/gadgets/control.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { bulkEndpoints, roundTrip } from "../support/host/echo.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import { UrbType } from "../../src/testing/usbfs/abi.ts";
import { waitForNoDevice } from "../../src/testing/usbfs/find.ts";
import { isTransferError } from "../../src/testing/usbfs/transfer.ts";

const speed = gadgetSpeed();
const PACKET = speed.bulkPacketSize;
const SIZES = [1, 511, 512, 1024, 65_536, 1 << 20];

/** Starts a gadget with a pair, and opens its device. */
async function startPair(serve?: (session: Session) => unknown) {
  const test = await startEndpoints({ link: bulkPair() }, { serve });
  const match = test.gadget.definition;
  const device = await UsbfsDevice.find(match);
  await device.claimInterface(0);
  return {
    ...test.endpoints,
    ...bulkEndpoints(device),
    gadget: test.gadget,
    match,
    device,
    async [Symbol.asyncDispose]() {
      await device.close();
      await test[Symbol.asyncDispose]();
    },
  };
}

/** Starts a gadget that sends back what it receives, and opens its device. */
function startEcho() {
  return startPair(async ({ endpoints }) => {
    const { readable, writable } = endpoints.link as EndpointPair;
    await readable.pipeTo(writable);
  });
}

/** Sends data of several sizes through an echo and compares the result. */
async function assertEchoes(
  { device, ...endpoints }: Awaited<ReturnType<typeof startEcho>>,
  sizes: readonly number[],
) {
  for (const size of sizes) {
    const sent = pattern(size, size);
    const back = await roundTrip(device, endpoints, sent);
    assertEquals(firstDifference(sent, back), -1, `${size} bytes`);
  }
}

Deno.test("usbfs: bytes of all sizes come back", async () => {
  await using echo = await startEcho();
  await assertEchoes(echo, SIZES);
});

Deno.test("find() lists what exists instead", async () => {
  await using pair = await startPair();
  const { vendorId, serialNumber } = pair.match;
  const error = await assertRejects(
    () => UsbfsDevice.find({ vendorId, productId: 2, timeout: 50 }),
    Deno.errors.TimedOut,
  );
  assertStringIncludes(error.message, "1209:0002: there is ");
  assertStringIncludes(
    error.message,
    `1209:0001 "${serialNumber}" at `,
  );
});

Deno.test("usbfs: descriptors and sysfs show the requested speed", async () => {
  await using pair = await startPair();
  const { device, packetSize } = pair;
  const bytes = device.descriptors();
  const view = new DataView(bytes.buffer);
  assertEquals([...bytes.subarray(0, 2)], [18, 1]);
  assertEquals(view.getUint16(8, true), pair.match.vendorId);
  assertEquals(view.getUint16(10, true), pair.match.productId);
  assertEquals([...bytes.subarray(18, 20)], [9, 2]);
  assertEquals(view.getUint16(20, true), bytes.byteLength - 18);
  assertEquals(packetSize, PACKET);
  assertEquals(device.info.speed, speed.sysfsSpeed);
});

Deno.test("usbfs: control requests are answered, and stalled", async () => {
  await using pair = await startPair();
  const { device } = pair;
  const descriptor = await device.controlIn({
    requestType: 0x80,
    request: 6,
    value: 0x0100,
    length: 64,
  });
  assertEquals(descriptor, device.descriptors().subarray(0, 18));
  const vendor = { requestType: 0x41, request: 1 };
  assertEquals(
    await outcome(device.controlIn({ ...vendor, length: 8 })),
    "EPIPE",
  );
  assertEquals(
    await outcome(device.controlOut(vendor, new Uint8Array(8))),
    "EPIPE",
  );
});

Deno.test("usbfs: a signal discards a transfer, and its data is not lost", async () => {
  await using pair = await startPair();
  const { device, input } = pair;
  const controller = new AbortController();
  const transfer = device.bulkIn(input, PACKET, { signal: controller.signal });
  controller.abort("enough");
  const error = await assertRejects(() => transfer);
  assert(isTransferError(error, "ENOENT"), String(error));
  assertEquals(error.cause, "enough");
  assertEquals(error.transferred, 0);
  const [received, written] = await Promise.all([
    device.bulkIn(input, PACKET),
    pair.link.write(pattern(50)),
  ]);
  assertEquals(received, pattern(50));
  assertEquals(written, 50);
});

Deno.test("usbfs: a transfer that takes too long fails with the data received so far", async () => {
  await using pair = await startPair();
  const { device, input, output } = pair;
  const [error] = await Promise.all([
    assertRejects(() => device.bulkIn(input, 4 * PACKET, { timeout: 3000 })),
    pair.link.write(pattern(PACKET)),
  ]);
  assert(isTransferError(error, "ETIMEDOUT"), String(error));
  assertEquals(error.data, pattern(PACKET));
  assertEquals(
    await outcome(device.bulkOut(output, pattern(PACKET), { timeout: 50 })),
    "ETIMEDOUT",
  );
});

Deno.test("usbfs: transfers that are too short or too long fail", async () => {
  await using pair = await startPair();
  const { device, input } = pair;
  const [short] = await Promise.all([
    outcome(device.bulkIn(input, 2 * PACKET, { shortNotOk: true })),
    pair.link.write(pattern(10)),
  ]);
  assertEquals(short, "EREMOTEIO");
  const [long] = await Promise.all([
    outcome(device.bulkIn(input, 10)),
    pair.link.write(pattern(PACKET)),
  ]);
  assertEquals(long, "EOVERFLOW");
  assertEquals(await outcome(device.bulkIn(0x8f, 10)), "ENOENT");
  assertEquals(await outcome(device.bulkIn(input, 17 << 20)), "ENOMEM");
});

Deno.test("usbfs: transfers of one endpoint run in the order of submission", async () => {
  await using pair = await startPair();
  const { device, input } = pair;
  const urbs = Array.from({ length: 16 }, () =>
    device.submit({
      type: UrbType.bulk,
      endpoint: input,
      buffer: new Uint8Array(PACKET),
    }));
  await Promise.all(
    urbs.map((_, index) => pair.link.write(pattern(index))),
  );
  for (const [index, urb] of urbs.entries()) {
    const { status, actualLength } = await urb.completion;
    assertEquals([status, actualLength], [0, index]);
    assertEquals(urb.request.buffer.subarray(0, index), pattern(index));
  }
});

Deno.test("usbfs: an OUT transfer ends with a zero-length packet on demand", async () => {
  await using pair = await startPair();
  const { device, output } = pair;
  const [received, sent] = await Promise.all([
    pair.link.read(4 * PACKET),
    device.bulkOut(output, pattern(PACKET), { zeroPacket: true }),
  ]);
  assertEquals(received, pattern(PACKET));
  assertEquals(sent, PACKET);
});

Deno.test("usbfs: reset() ends what is pending and keeps the interface", async () => {
  await using echo = await startEcho();
  const { device, input } = echo;
  await assertEchoes(echo, [100]);
  const pending = outcome(device.bulkIn(input, PACKET));
  await device.reset();
  assertEquals(await pending, "ESHUTDOWN");
  await assertEchoes(echo, SIZES);
});

Deno.test("usbfs: setInterface(), setConfiguration() and clearHalt() leave a working device", async () => {
  await using echo = await startEcho();
  const { device, input, output } = echo;
  const pending = outcome(device.bulkIn(input, PACKET));
  await device.setInterface(0, 0);
  assertEquals(await pending, "ENOENT");
  await assertEchoes(echo, [100]);
  await device.clearHalt(input);
  await device.clearHalt(output);
  await assertEchoes(echo, [100]);
  await assertRejects(() => device.setConfiguration(1), Error, "refuses");
  await device.releaseInterface(0);
  await device.setConfiguration(1);
  await device.claimInterface(0);
  await assertEchoes(echo, [100]);
});

Deno.test("usbfs: transfers that are started during a reset run after it", async () => {
  await using pair = await startPair();
  const { device, input, output } = pair;
  const reset = device.reset();
  // The reset begins a microtask later.
  await Promise.resolve();
  const [received, sent, code] = await Promise.all([
    pair.link.read(PACKET),
    device.bulkOut(output, pattern(10)),
    outcome(device.bulkIn(input, PACKET, { signal: AbortSignal.abort() })),
    reset,
  ]);
  assertEquals(received, pattern(10));
  assertEquals(sent, 10);
  assertEquals(code, "ENOENT");
});

Deno.test("usbfs: close() ends what is pending", async () => {
  await using pair = await startPair();
  const { device, input } = pair;
  const pending = Promise.all([
    outcome(device.bulkIn(input, PACKET)),
    outcome(device.bulkIn(input, PACKET)),
  ]);
  await device.close();
  assertEquals(await pending, ["ENOENT", "ENOENT"]);
  await assertRejects(
    () => device.bulkIn(input, PACKET),
    Deno.errors.BadResource,
  );
});

Deno.test("usbfs: all transfers end when the gadget goes", async () => {
  await using pair = await startPair();
  const { device, input, output } = pair;
  const pending = [
    device.bulkIn(input, PACKET),
    device.bulkOut(output, pattern(2 << 20)),
    device.bulkOut(output, pattern(PACKET)),
  ].map((each) => outcome<unknown>(each).then(String));
  assertEquals(await pair.link.read(PACKET), pattern(PACKET));
  await pair.gadget.stop();
  for (const code of await Promise.all(pending)) {
    assert(["EPROTO", "ESHUTDOWN", "ENOENT", "ENODEV"].includes(code), code);
  }
  await waitForNoDevice(pair.match);
  assertEquals(await outcome(device.bulkIn(input, PACKET)), "ENODEV");
  await assertRejects(() => device.reset());
});
