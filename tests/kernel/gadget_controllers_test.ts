/**
 * USB device controllers: their list, their states, and gadgets on several of
 * them.
 *
 * @module
 */
// VM: any speed
import "../support/run/aio_libraries.ts";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type BindFailure,
  bulkPair,
  Gadget,
  kernelFunction,
  listUdcs,
  readUdc,
  softConnect,
  usbFunction,
  waitForUdc,
} from "@usb/gadget";
import { TestHost } from "@usb/gadget/testing";
import { listGadgets } from "../../src/cli/inventory.ts";
import { withControllers } from "../support/machine/controllers.ts";
import { Enumerations } from "../support/host/enumerations.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { pattern } from "../support/data/pattern.ts";
import { shell } from "../support/machine/shell.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import {
  waitForDevice,
  waitForNoDevice,
} from "../../src/testing/usbfs/find.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const { maxSpeed } = gadgetSpeed();

const echo = usbFunction({
  name: "echo",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});

Deno.test("a controller is listed and read before, with and after a gadget", async () => {
  const [{ name }] = listUdcs();
  const free = {
    name,
    state: "not attached",
    driver: "",
    maximumSpeed: "super-speed",
    isOtg: false,
    controllerDriver: "dummy_udc",
  };
  const { currentSpeed: _, ...before } = readUdc(name);
  assertEquals(before, free);
  await using gadget = await Gadget.start({
    ...ids,
    maxSpeed,
    functions: [echo],
  });
  await gadget.functions.echo.enabled();
  const taken = await waitForUdc({
    name,
    state: ["configured", "suspended"],
  });
  assertEquals(taken, {
    ...free,
    driver: gadget.name,
    state: "configured",
    currentSpeed: maxSpeed,
  });
  assertEquals(gadget.udc, taken);
  gadget.unbind();
  assertEquals(readUdc(name).driver, "");
  await assertRejects(
    () => waitForUdc({ name, state: "configured", timeout: 50 }),
    Deno.errors.TimedOut,
    `Timed out waiting for UDC "${name}" to become "configured": after 50 ms "${name}" is "not attached", without a gadget`,
  );
  assertThrows(() => readUdc("nowhere.0"), Deno.errors.NotFound);
  assertThrows(() => readUdc("../net"), TypeError);
});

Deno.test("unbind(), bind() and rebind() take the device off its host and back", async () => {
  await using gadget = await Gadget.start({
    ...ids,
    maxSpeed,
    functions: [echo],
  });
  const enumerations = new Enumerations(ids);
  await enumerations.next();
  gadget.unbind();
  assertEquals(gadget.bound, false);
  await waitForNoDevice(ids);
  await gadget.bind();
  await gadget.bind(); // It is.
  await enumerations.next();
  await gadget.rebind();
  await enumerations.next();
  await gadget.functions.echo.enabled();
  // The new controller does not exist: the host does not notice.
  const device = await waitForDevice(ids);
  await assertRejects(
    () => gadget.bind({ udc: "nowhere.0" }),
    Deno.errors.NotFound,
    "there is no such controller",
  );
  assertEquals(gadget.bound, true);
  assertEquals(gadget.functions.echo.state, "enabled");
  assertEquals(await waitForDevice(ids), device);
});

Deno.test("a gadget is unbound while its controller is gone", async () => {
  const traces = gadgetTraces();
  const definition = { ...ids, maxSpeed, functions: [echo] };
  const gadget = await Gadget.start({ ...definition, product: "Before" });
  await waitForDevice(ids);
  const { name } = gadget.udc;
  for (const product of ["After", "Later"]) {
    await shell("modprobe -r dummy_hcd");
    try {
      assertEquals(gadget.bound, false);
      assertThrows(() => gadget.udc, Deno.errors.NotFound);
      assertEquals(listGadgets().map(({ udc }) => udc), [""]);
      const missing = {
        [`Cannot bind gadget "${gadget.name}" to UDC "${name}": there is no such controller; this machine has none`]:
          () => gadget.bind(),
        "this machine has no USB device controller": () =>
          Gadget.start(definition),
      };
      for (const [message, bind] of Object.entries(missing)) {
        const error = await assertRejects(bind, Deno.errors.NotFound, message);
        const { code, errno, cause } = error as Error & BindFailure;
        assertEquals([code, errno], ["ENOENT", 2]);
        assertEquals((cause as BindFailure).code, "ENOENT");
      }
      // It is changed like an unbound gadget.
      const { rebound } = await gadget.apply({ ...definition, product });
      assertEquals(rebound, false);
      assertEquals(gadget.bound, false);
      // In one round it is also detached from a controller that is gone.
      if (product === "Later") gadget.unbind();
    } finally {
      await shell("modprobe dummy_hcd is_super_speed=1");
    }
    await gadget.bind();
    assertEquals(gadget.bound, true);
    const { sysfsPath } = await waitForDevice(ids);
    await gadget.functions.echo.enabled();
    assertEquals(
      (await Deno.readTextFile(`${sysfsPath}/product`)).trim(),
      product,
    );
  }
  await gadget.stop();
  assertEquals(gadgetTraces(), traces);
});

Deno.test("waitForUdc() waits for a controller that does not exist yet, and for a free one", async () => {
  const [{ name }] = listUdcs();
  const definition = { ...ids, maxSpeed, functions: [echo] };
  await shell("modprobe -r dummy_hcd");
  await assertRejects(
    () => waitForUdc({ timeout: 50 }),
    Deno.errors.TimedOut,
    "Timed out waiting for a UDC that is free: after 50 ms there is none",
  );
  const [any, named] = [waitForUdc(), waitForUdc({ name, timeout: Infinity })];
  await shell("modprobe dummy_hcd is_super_speed=1");
  assertEquals([(await any).name, (await named).name], [name, name]);
  const gadget = await Gadget.start(definition, { udc: name });
  const configured = await waitForUdc({ state: "configured" });
  assertEquals(configured.driver, gadget.name);
  await assertRejects(
    () => waitForUdc({ timeout: 0 }),
    Deno.errors.TimedOut,
    "waiting for a UDC that is free",
  );
  const ending = new AbortController();
  const ended = waitForUdc({ signal: ending.signal });
  ending.abort(new Error("no longer"));
  await assertRejects(() => ended, Error, "no longer");
  const free = waitForUdc();
  await gadget.stop();
  assertEquals((await free).driver, "");
});

Deno.test("rebind binds a gadget to a controller that has returned", async () => {
  await using gadget = await Gadget.start(
    { ...ids, maxSpeed, functions: [echo] },
    { rebind: true },
  );
  await waitForDevice(ids);
  await shell("modprobe -r dummy_hcd");
  assertEquals(gadget.bound, false);
  // The kernel takes this off the bus: the package brings it back.
  await gadget.apply({ ...gadget.definition, deviceVersion: 0x0200 });
  await shell("modprobe dummy_hcd is_super_speed=1");
  await waitForDevice(ids);
  assertEquals(gadget.bound, true);
});

Deno.test("a persistent gadget that is adopted keeps its controller", async () => {
  const traces = gadgetTraces();
  await withControllers(2, async () => {
    const options = { name: "stays", persistent: true };
    const start = (product: string, udc?: string) =>
      Gadget.start({
        ...ids,
        maxSpeed,
        product,
        functions: [kernelFunction("Loopback")],
      }, { ...options, udc });
    const first = await start("Before", "dummy_udc.1");
    await first[Symbol.asyncDispose]();
    // A gadget that cannot be bound there stays, too.
    await assertRejects(() => start("Between", "nowhere.0"));
    assertEquals(readUdc("dummy_udc.1").driver, "stays");
    const second = await start("After");
    assertEquals(second.udc.name, "dummy_udc.1");
    assertEquals(second.udc.driver, "stays");
    await second.stop();
  });
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a soft disconnect takes the device off the bus, and leaves the gadget bound", async () => {
  await using gadget = await Gadget.start({
    ...ids,
    maxSpeed,
    functions: [echo],
  });
  const enumerations = new Enumerations(ids);
  await enumerations.next();
  const { name } = gadget.udc;
  softConnect(name, false);
  await waitForNoDevice(ids);
  assertEquals(gadget.bound, true);
  assertEquals(gadget.udc.driver, gadget.name);
  // softConnect(name, true) does not bring it back on dummy_hcd.
  await gadget.rebind();
  await enumerations.next();
  await gadget.functions.echo.enabled();
});

Deno.test("two and eight gadgets live in one process, each on a controller of its own", async () => {
  const traces = gadgetTraces();
  for (const count of [2, 8]) {
    await withControllers(count, async () => {
      assertEquals(
        listUdcs().map(({ name }) => name),
        Array.from({ length: count }, (_, index) => `dummy_udc.${index}`),
      );
      const gadgets = await Promise.all(
        Array.from({ length: count }, (_, index) =>
          Gadget.start({
            vendorId: 0x1209,
            productId: 0x0010 + index,
            maxSpeed,
            functions: [echo],
          })),
      );
      assertEquals(new Set(gadgets.map((it) => it.udc.name)).size, count);
      const error = await assertRejects(
        () => Gadget.start({ ...ids, functions: [echo] }),
        Deno.errors.Busy,
      );
      assertEquals(error.message.match(/of process \d+/g)?.length, count);
      // All of them work at once.
      await Promise.all(gadgets.map(async (gadget) => {
        const { link } = gadget.functions.echo.endpoints;
        // Ends with a short packet at each speed.
        const bytes = pattern(3000 + gadget.definition.productId);
        await using host = await TestHost.open(gadget);
        link.readable.pipeTo(link.writable).catch(() => {}); // until stop()
        const [back] = await Promise.all([
          host.read(link, 4096),
          host.write(link, bytes),
        ]);
        assertEquals(back, bytes);
      }));
      await Promise.all(gadgets.map((it) => it.stop()));
    });
  }
  assertEquals(gadgetTraces(), traces);
});
