// VM: any speed, any architecture
import { setTimeout as delay } from "node:timers/promises";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { bulkPair, Gadget, usbFunction } from "@usb/gadget";
import { openAio } from "../../ffi/aio/calls.ts";
import { bulkEndpoints, roundTrip } from "../support/host/echo.ts";
import {
  type RunningExample,
  startExample,
} from "../support/programs/example.ts";
import { watchEventLoop } from "../support/measure/heartbeat.ts";
import { gadgetTraces, openFiles } from "../support/machine/leftovers.ts";
import { keepHostAway } from "../support/host/absence.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import "../support/run/aio_libraries.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const { maxSpeed } = gadgetSpeed();

const echo = usbFunction({
  name: "echo",
  interfaces: [{
    class: 0xff,
    description: "Echo",
    endpoints: { link: bulkPair() },
  }],
});

/** Opens the device that a running example presents. */
async function hostOf(example: RunningExample): Promise<UsbfsDevice> {
  const failed = example.process.status.then(async () => {
    throw new Error((await example.end("SIGTERM")).text);
  });
  const device = await Promise.race([UsbfsDevice.find(ids), failed]);
  failed.catch(() => {});
  await device.claimInterface(0);
  return device;
}

Deno.test("examples/echo.ts runs with --allow-ffi alone and echoes what it receives", async () => {
  const before = gadgetTraces();
  await using example = startExample("echo.ts");
  {
    await using device = await hostOf(example);
    const endpoints = bulkEndpoints(device);
    const size = endpoints.packetSize;
    for (
      const length of [1, size - 1, size, size + 1, 4096, 65_536, 100_000]
    ) {
      const bytes = pattern(length, length);
      const back = await roundTrip(device, endpoints, bytes);
      assertEquals(firstDifference(bytes, back), -1);
    }
  }
  const { status, text } = await example.end("SIGINT");
  assertEquals(text, "");
  assertEquals(status.signal, "SIGINT");
  assertEquals(gadgetTraces(), before);
});

Deno.test("examples/bundled_libaio.ts uses the library that it downloads", async () => {
  const { library: soname } = openAio();
  const library = Deno.readTextFileSync("/proc/self/maps")
    .split("\n").map((line) => line.split(/\s+/)[5] ?? "")
    .find((path) => path.includes("/libaio.so"));
  assert(library !== undefined, soname);
  await using example = startExample("bundled_libaio.ts", {
    args: [`file://${library}`],
    permissions: ["--allow-all"],
  });
  await using device = await hostOf(example);
  const bytes = pattern(5000);
  const back = await roundTrip(device, bulkEndpoints(device), bytes);
  assertEquals(firstDifference(bytes, back), -1);
  const maps = Deno.readTextFileSync(`/proc/${example.process.pid}/maps`);
  assertMatch(maps, /\/plug-\w+\/libaio\.so/);
  assertEquals((await example.end("SIGINT")).text, "");
});

Deno.test("SIGTERM in the middle of transfers leaves nothing of the gadget", async () => {
  const before = gadgetTraces();
  await using example = startExample("echo.ts");
  await using device = await hostOf(example);
  const { input, output } = bulkEndpoints(device);
  const moving = Promise.allSettled([
    device.bulkOut(output, pattern(4 << 20)),
    device.bulkIn(input, 4 << 20),
  ]);
  const { status, text } = await example.end("SIGTERM");
  await moving;
  assertEquals(text, "");
  assertEquals(status.signal, "SIGTERM");
  assertEquals(gadgetTraces(), before);
});

Deno.test("a stream of random sizes comes back without a mismatch", async () => {
  const total = soak(256 << 20, 8 << 20);
  await using example = startExample("echo.ts");
  await using device = await hostOf(example);
  const endpoints = bulkEndpoints(device);
  for (let moved = 0; moved < total;) {
    const size = Math.min(
      1 + Math.floor(Math.random() * (1 << 20)),
      total - moved,
    );
    const bytes = pattern(size, moved);
    const back = await roundTrip(device, endpoints, bytes);
    assertEquals(firstDifference(bytes, back), -1, `after ${moved} bytes`);
    moved += size;
  }
  const { text } = await example.end("SIGINT");
  assertEquals(text, "");
});

Deno.test("the event loop stays free without a host and with pending transfers", async () => {
  using _ = watchEventLoop();
  using host = keepHostAway();
  await using gadget = await Gadget.start({
    ...ids,
    maxSpeed,
    functions: [echo],
  });
  const { echo: { endpoints: { link } } } = gadget.functions;
  const bytes = pattern(100);
  const written = link.write(bytes);
  const received = link.read(1000);
  await delay(5000);
  assert(gadget.functions.echo.state !== "enabled");
  await host.seen(ids);
  host.end();
  await gadget.functions.echo.enabled();
  await using device = await UsbfsDevice.find(ids);
  await device.claimInterface(0);
  const { input, output } = bulkEndpoints(device);
  // Wait again, with both transfers in the kernel and an idle host.
  await delay(5000);
  assertEquals(await device.bulkIn(input, 1024), bytes);
  assertEquals(await written, 100);
  await device.bulkOut(output, pattern(500));
  assertEquals(await received, pattern(500));
});

Deno.test("starting and stopping repeatedly leaves no files, mounts or gadgets", async () => {
  const traces = gadgetTraces();
  let files = 0;
  for (let round = 0; round < soak(50, 5); round++) {
    await using gadget = await Gadget.start({
      ...ids,
      maxSpeed,
      functions: [echo],
    });
    await gadget.functions.echo.enabled();
    const { link } = gadget.functions.echo.endpoints;
    const read = link.read(100).catch((error) => error.message);
    await gadget.stop();
    assertStringIncludes(
      String(await read),
      'Cannot read from endpoint "link": its function is closed',
    );
    assertEquals(gadgetTraces(), traces);
    // The first round opens what the process keeps: libraries and eventfds.
    if (round === 0) files = openFiles();
    assertEquals(openFiles(), files);
  }
});
