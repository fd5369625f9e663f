/**
 * Any HID function, with the kernel's usbhid and hidraw as its host, and with a
 * host that sends everything it can.
 *
 * @module
 */
// VM: --modules usbhid,hid-generic,evdev --processors 1, a class of device
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { Gadget, type InEndpoint, type OutEndpoint } from "@usb/gadget";
import {
  collection,
  feature,
  HidFunction,
  HidRequest,
  input,
  Keyboard,
  logicalRange,
  output,
  reportCount,
  reportDescriptor,
  reportId,
  reportSize,
  usage,
  usagePage,
} from "@usb/gadget/hid";
import { TestHost } from "@usb/gadget/testing";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { reportedErrors } from "../support/gadgets/reported_errors.ts";
import {
  kernelParseOf,
  reportDescriptorOf,
  waitForHidDevice,
} from "../support/host/hid_device.ts";
import { Hidraw } from "../support/host/hidraw.ts";
import { hidrawReport } from "../support/host/hidraw_reports.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { until } from "../support/waiting/until.ts";

const { maxSpeed } = gadgetSpeed();
const ids = { vendorId: 0x1209, productId: 0x0001 };
const INPUT = 0x100;
const OUTPUT = 0x200;
const FEATURE = 0x300;

const DESCRIPTOR = reportDescriptor([
  usagePage(0xff00),
  usage(1),
  collection("application", [
    logicalRange(0, 255),
    reportSize(8),
    reportId(1),
    reportCount(4),
    usage(2),
    input({ name: "level" }),
    reportId(2),
    reportCount(2),
    usage(3),
    output({ name: "lamp" }),
    reportId(3),
    reportCount(300),
    usage(4),
    feature({ name: "table" }),
  ]),
]);

/** A running gadget with one HID function. */
async function start(fn: HidFunction) {
  const gadget = await Gadget.start({ ...ids, maxSpeed, functions: [fn] });
  const fs = Object.values(gadget.functions)[0];
  return {
    gadget,
    endpoints: fs.endpoints as unknown as {
      input: InEndpoint;
      output: OutEndpoint;
    },
    [Symbol.asyncDispose]: () => gadget.stop(),
  };
}

/** A class request to the first interface. */
function classRequest(request: number, value: number, length = 0) {
  return {
    type: "class",
    recipient: "interface",
    request,
    value,
    index: 0,
    length,
  } as const;
}

Deno.test("reports of each type and ID go through hidraw, a feature report of 301 bytes included", async () => {
  const lamps: number[][] = [];
  const tables: number[][] = [];
  const fn = new HidFunction({
    reportDescriptor: DESCRIPTOR,
    outputEndpoint: true,
    onOutput: ({ bytes }) => lamps.push([...bytes]),
    onFeature: ({ bytes }) => tables.push([...bytes]),
  });
  await using test = await start(fn);
  const device = await waitForHidDevice(ids);
  assertEquals(reportDescriptorOf(device), DESCRIPTOR.bytes);
  const { reports } = await kernelParseOf(device);
  assertEquals(
    reports.map(({ type, id, fields: [{ size, count }] }) => [
      type,
      id,
      size * count,
    ]),
    DESCRIPTOR.reports.map(({ type, id, bitLength }) => [type, id, bitLength]),
  );
  const path = device.hidraw;
  const seen: number[][] = [];
  const hidraw = await Hidraw.open(path, (report) => seen.push([...report]));
  await fn.send(Uint8Array.of(1, 2, 3, 4, 5));
  await fn.send(Uint8Array.of(1, 6, 7, 8, 9));
  await until(() => seen.length === 2, "the reports are read");
  assertEquals(seen, [[1, 2, 3, 4, 5], [1, 6, 7, 8, 9]]);
  const room = (id: number, length: number) => {
    const bytes = new Uint8Array(length);
    bytes[0] = id;
    return bytes;
  };
  assertEquals(
    await hidrawReport(path, "getInput", room(1, 5)),
    Uint8Array.of(1, 6, 7, 8, 9),
  );
  await hidraw.write(Uint8Array.of(11, 12), 2);
  await until(() => lamps.length === 1, "the lamp is set");
  await hidrawReport(path, "setOutput", Uint8Array.of(2, 13, 14));
  await until(() => lamps.length === 2, "the lamp is set again");
  assertEquals(lamps, [[2, 11, 12], [2, 13, 14]]);
  assertEquals(
    await hidrawReport(path, "getOutput", room(2, 3)),
    Uint8Array.of(2, 13, 14),
  );
  assertEquals(
    await hidrawReport(path, "getFeature", room(3, 301)),
    room(3, 301),
  );
  const table = Uint8Array.from({ length: 301 }, (_, n) => n === 0 ? 3 : n);
  await hidrawReport(path, "setFeature", table.slice());
  await until(() => tables.length === 1, "the table is set");
  assertEquals(tables, [[...table]]);
  assertEquals(await hidrawReport(path, "getFeature", room(3, 301)), table);
  // There is no report 4.
  assertEquals(
    await hidrawReport(path, "getFeature", room(4, 3)),
    undefined,
  );
  await test.gadget.stop();
  await hidraw.close();
});

Deno.test("an unchanged report comes again at the idle rate, until a reset", async () => {
  const fn = new HidFunction({ reportDescriptor: DESCRIPTOR });
  await using test = await start(fn);
  await using host = await TestHost.open(test.gadget);
  const { input } = test.endpoints;
  const report = Uint8Array.of(1, 2, 3, 4, 5);
  const sent = fn.send(report);
  assertEquals(await host.read(input, 5), report);
  await sent;
  const IDLE_MS = 500;
  const begin = performance.now();
  await host.controlOut(
    classRequest(HidRequest.SET_IDLE, (IDLE_MS / 4) << 8),
  );
  for (let n = 1; n <= 4; n++) {
    assertEquals(await host.read(input, 5, { timeout: 60_000 }), report);
    assert(
      performance.now() - begin >= n * IDLE_MS - 1,
      `report ${n} is early`,
    );
  }
  await host.reset();
  assertEquals(
    await host.controlIn(classRequest(HidRequest.GET_IDLE, 0, 1)),
    Uint8Array.of(0),
  );
  // A report of before the reset does not come.
  const next = fn.send(Uint8Array.of(1, 9, 9, 9, 9));
  assertEquals(await host.read(input, 5), Uint8Array.of(1, 9, 9, 9, 9));
  await next;
});

Deno.test("a host that knows the boot protocol only has a keyboard of 8 bytes, until a reset", async () => {
  const keyboard = new Keyboard({ settleMs: 0 });
  await using test = await start(keyboard);
  await using host = await TestHost.open(test.gadget);
  const { input } = test.endpoints;
  const getProtocol = () =>
    host.controlIn(classRequest(HidRequest.GET_PROTOCOL, 0, 1));
  const { byteLength } = keyboard.input();
  const read = async () => [...await host.read(input, byteLength)];
  assertEquals(await getProtocol(), Uint8Array.of(1));
  await host.controlOut(classRequest(HidRequest.SET_PROTOCOL, 0));
  await host.controlOut(classRequest(HidRequest.SET_IDLE, 0));
  const typed = keyboard.type("aB");
  assertEquals(await read(), [0, 0, 4, 0, 0, 0, 0, 0]);
  assertEquals(await read(), [0, 0, 0, 0, 0, 0, 0, 0]);
  const shifted = [...await read()];
  assertEquals(shifted.slice(0, 3), [2, 0, 5]);
  assertEquals(await read(), [0, 0, 0, 0, 0, 0, 0, 0]);
  await typed;
  await host.reset();
  assertEquals(await getProtocol(), Uint8Array.of(1));
  const pressed = keyboard.press("KeyC");
  // Its first 8 bytes are the boot report.
  const report = await read();
  assertEquals(report.slice(0, 8), [0, 0, 6, 0, 0, 0, 0, 0]);
  assert(report.length > 8);
  await pressed;
});

Deno.test("hostile requests and reports are refused, and the device lives on", async () => {
  const count = soak(10_000, 600);
  const seed = testSeed();
  console.log(`seed: GADGET_SEED=${seed}`);
  const random = new Random(seed);
  const fn = new HidFunction({
    reportDescriptor: DESCRIPTOR,
    outputEndpoint: true,
    onOutput: ({ bytes }) => assertEquals(bytes.length, 3),
    onFeature: ({ bytes }) => assertEquals(bytes.length, 301),
  });
  await using test = await start(fn);
  const fs = Object.values(test.gadget.functions)[0];
  const { errors } = reportedErrors(fs.events);
  await using host = await TestHost.open(test.gadget, { timeout: 60_000 });
  const { input, output } = test.endpoints;
  const ignore = () => {};
  for (let n = 0; n < count; n++) {
    const request = random.chance(0.1) ? random.int(0, 255) : random.int(1, 11);
    const value = (random.int(0, 4) << 8) | random.int(0, 4);
    const data = new Uint8Array(random.int(0, random.pick([5, 70, 700])));
    data[0] = random.int(0, 4);
    const setup = classRequest(request, value, data.length);
    const { length: _, ...outSetup } = setup;
    switch (random.int(0, 2)) {
      case 0:
        await host.write(output, data.slice(0, 70)).catch(ignore);
        break;
      case 1:
        await host.controlIn(setup).catch(ignore);
        break;
      case 2:
        await host.controlOut(outSetup, data).catch(ignore);
        break;
    }
  }
  await host.reset();
  const sent = fn.send(Uint8Array.of(1, 2, 3, 4, 5));
  assertEquals(await host.read(input, 5), Uint8Array.of(1, 2, 3, 4, 5));
  await sent;
  const feature = await host.controlIn(
    classRequest(HidRequest.GET_REPORT, FEATURE | 3, 301),
  );
  assertEquals(feature.length, 301);
  assertEquals(
    (await host.controlIn(classRequest(HidRequest.GET_REPORT, INPUT | 1, 5)))
      .length,
    5,
  );
  assertEquals(
    (await host.controlIn(classRequest(HidRequest.GET_REPORT, OUTPUT | 2, 3)))
      .length,
    3,
  );
  assertEquals(errors, []);
});
