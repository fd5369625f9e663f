import { assertEquals, assertRejects } from "@std/assert";
import { fakeSession, fakeSetup, gadgetTest } from "@usb/gadget/testing";
import { identity, thermometer } from "./thermometer.ts";

const countSensors = {
  type: "vendor",
  recipient: "interface",
  direction: "in",
  request: 1,
  length: 1,
} as const;

// Without a kernel: these take milliseconds, and run on any Linux machine.

Deno.test("a control request returns the number of sensors", async () => {
  const control = thermometer([20, 30]).control!;
  assertEquals(await fakeSetup(countSensors).answer(control), { sent: [2] });
  const other = fakeSetup({ ...countSensors, request: 2 });
  assertEquals(await other.answer(control), "stall");
});

Deno.test("a temperature has two bytes, least significant first", async () => {
  using session = fakeSession(thermometer([20, -3.25]));
  const served = session.serve();
  const { host, endpoints: { link } } = session;
  await host.write(link, new Uint8Array([1]));
  assertEquals(await host.read(link, 1024), new Uint8Array([1, 0xbb, 0xfe]));
  session.end();
  await served;
});

// As a host sees it: on a device controller of this machine, or else in a VM.

const sensors = [0];
const device = { ...identity, functions: [thermometer(sensors)] };

gadgetTest("a host reads what a sensor measures", device, async ({
  gadget,
  host,
}) => {
  assertEquals(await host.controlIn(countSensors), new Uint8Array([1]));
  const { link } = gadget.functions.thermometer.endpoints;
  // The gadget runs in the process of the test, which can change its sensors.
  for (const degrees of [21.5, 35, -40]) {
    sensors[0] = degrees;
    await host.write(link, new Uint8Array([0]));
    const { buffer } = await host.read(link, 1024);
    assertEquals(new DataView(buffer).getInt16(1, true), degrees * 100);
  }
}, { speeds: ["high", "super"], kernels: ["7.3", "6.12"] });

gadgetTest("a sensor that does not exist is a stall", device, async ({
  gadget,
  host,
}) => {
  const { link } = gadget.functions.thermometer.endpoints;
  await host.write(link, new Uint8Array([7]));
  await assertRejects(() => host.read(link, 1024), Deno.errors.BrokenPipe);
  await host.clearHalt(link.in);
  await host.write(link, new Uint8Array([0]));
  assertEquals((await host.read(link, 1024)).length, 3);
});
