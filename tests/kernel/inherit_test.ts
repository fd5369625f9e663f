// VM: any speed, any architecture
import "../support/run/aio_libraries.ts";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  bulkPair,
  externalFunction,
  type FunctionEvent,
  FunctionFs,
  type FunctionOptions,
  Gadget,
  usbFunction,
} from "@usb/gadget";
import { compileFunction } from "@usb/gadget/inspect";
import { echo, mountPoint } from "../../examples/systemd/echo_function.ts";
import { exists } from "../../ffi/file.ts";
import { bulkEndpoints, roundTrip } from "../support/host/echo.ts";
import { startExample } from "../support/programs/example.ts";
import { FunctionHolder } from "../support/gadgets/function_holder.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { until } from "../support/waiting/until.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import { isTransferError } from "../../src/testing/usbfs/transfer.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };

/** Waits until a file exists. */
function fileAppears(path: string): Promise<void> {
  return until(() => exists(path), `${path} exists`);
}

Deno.test("examples/systemd/service.ts serves the files that systemd holds, and can be restarted", async () => {
  const before = gadgetTraces();
  await using composer = startExample("systemd/gadget.ts");
  await fileAppears(`${mountPoint}/ep0`);
  {
    using holder = new FunctionHolder(mountPoint, compileFunction(echo));
    const start = () => holder.passTo(() => startExample("systemd/service.ts"));
    const first = start();
    await using device = await UsbfsDevice.find(ids);
    await device.claimInterface(0);
    const endpoints = bulkEndpoints(device);
    const bytes = pattern(100_000);
    assertEquals(
      firstDifference(bytes, await roundTrip(device, endpoints, bytes)),
      -1,
    );
    assertEquals((await first.end("SIGKILL")).text, "");
    // The host keeps the same device, and waits.
    const back = roundTrip(device, endpoints, bytes);
    const second = start();
    assertEquals(firstDifference(bytes, await back), -1);
    assertEquals((await second.end("SIGTERM")).text, "");
  }
  const { text } = await composer.end("SIGINT");
  assertStringIncludes(text, "is on ");
  assertEquals(gadgetTraces(), before);
});

let serial = 0;

/** Starts a gadget whose function is registered and held open, but not served. */
async function startHeld(handlers: Pick<FunctionOptions, "control"> = {}) {
  const path = `/tmp/held.${Deno.pid}`;
  // The host may still see the device of the previous test.
  const match = { ...ids, serialNumber: `held ${++serial}` };
  const definition = usbFunction({
    name: "held",
    interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
    ...handlers,
  });
  const starting = Gadget.start({
    ...match,
    maxSpeed: gadgetSpeed().maxSpeed,
    functions: [externalFunction("held", { interfaces: 1 })],
  }, { mounts: { held: { path } } });
  await fileAppears(`${path}/ep0`);
  const holder = new FunctionHolder(path, compileFunction(definition));
  const gadget = await starting;
  const device = await UsbfsDevice.find(match);
  await device.claimInterface(0);
  return {
    path,
    definition,
    holder,
    device,
    inherit: () => holder.handOver(() => FunctionFs.inherit(definition, path)),
    async [Symbol.asyncDispose]() {
      await device.close();
      holder[Symbol.dispose]();
      await gadget.stop();
    },
  };
}

Deno.test("an inherited function reports events from before and after its inheritance", async () => {
  const traces = gadgetTraces();
  {
    await using held = await startHeld();
    const { device } = held;
    const endpoints = bulkEndpoints(device);
    const bytes = pattern(3000);
    // The first one finds unread events; the second one finds none.
    for (let round = 0; round < 2; round++) {
      await using fs = held.inherit();
      const events: FunctionEvent[] = [];
      const collecting = (async () => {
        for await (const event of fs.events) {
          // Some kernels suspend and resume the port meanwhile.
          if (!/suspend|resume/.test(event.type)) events.push(event);
        }
      })();
      assertEquals(fs.state, "unbound");
      await fs.enabled();
      const { link } = fs.endpoints;
      const echoing = link.readable.pipeTo(link.writable);
      const back = await roundTrip(device, endpoints, bytes);
      assertEquals(firstDifference(bytes, back), -1);
      assertEquals(events.map(({ type }) => type), ["bind", "enable"]);
      await device.reset();
      assertEquals(
        firstDifference(bytes, await roundTrip(device, endpoints, bytes)),
        -1,
      );
      await fs.close();
      await Promise.all([collecting, echoing.catch(() => {})]);
      assertEquals(events.map(({ type }) => type), [
        "bind",
        "enable",
        "disable",
        "enable",
        "disable",
        "unbind",
      ]);
      assertEquals(fs.state, "closed");
    }
  }
  assertEquals(gadgetTraces(), traces);
});

for (
  const [what, requestType, length] of [
    ["IN", 0xc1, 8],
    ["OUT", 0x41, 8],
    ["OUT without data", 0x41, 0],
  ] as const
) {
  Deno.test(`an ${what} request that was left unanswered is stalled, and the next one is answered`, async () => {
    const answer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
    const requests: number[] = [];
    await using held = await startHeld({
      async control(setup) {
        requests.push(setup.request);
        if (setup.direction === "in") return answer;
        await setup.receive();
        return undefined;
      },
    });
    const { device, holder } = held;
    const send = (request: number) =>
      requestType & 0x80
        ? device.controlIn({ requestType, request, value: 0, index: 0, length })
        : device.controlOut(
          { requestType, request, value: 0, index: 0 },
          answer.slice(0, length),
        );
    const failing = send(1).then(
      () => "answered",
      (error) => isTransferError(error, "EPIPE") ? "stalled" : error,
    );
    await holder.takeSetup();
    await using _fs = held.inherit();
    assertEquals(await failing, "stalled");
    await send(2);
    assertEquals(requests, [2]);
  });
}

Deno.test("FunctionFs.inherit() names a missing file", async () => {
  await using held = await startHeld();
  const { definition, holder, path } = held;
  const other = usbFunction({
    name: "other",
    interfaces: [{
      class: 0xff,
      endpoints: { first: bulkPair(), second: bulkPair() },
    }],
  });
  assertThrows(
    () => holder.handOver(() => FunctionFs.inherit(other, path)),
    Deno.errors.NotFound,
    `has a file that is not open: ${path}/ep3`,
  );
  assertThrows(
    () => FunctionFs.inherit(definition, "/tmp"),
    Deno.errors.NotFound,
    "no file of it is open: /tmp/ep0",
  );
});

Deno.test("automatic zero-length packets that the previous process enabled are off in the next one", async () => {
  await using held = await startHeld();
  const { device } = held;
  const { input, packetSize } = bulkEndpoints(device);
  const full = pattern(packetSize);
  const few = pattern(3, 1);
  {
    await using fs = held.inherit();
    await fs.enabled();
    const { link } = fs.endpoints;
    link.in.autoZlp = true;
    const written = link.in.write(full);
    assertEquals(await device.bulkIn(input, 4 * packetSize), full);
    await written;
  }
  await using fs = held.inherit();
  await fs.enabled();
  const { link } = fs.endpoints;
  assertEquals(link.in.autoZlp, false);
  const written = Promise.all([link.in.write(full), link.in.write(few)]);
  // Without a short packet, the next write is part of the same transfer.
  assertEquals(
    await device.bulkIn(input, 4 * packetSize),
    new Uint8Array([...full, ...few]),
  );
  await written;
});
