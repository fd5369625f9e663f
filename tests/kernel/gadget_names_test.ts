/**
 * The longest names of gadgets and functions.
 *
 * @module
 */
// VM: any speed, newest kernel
import "../support/run/aio_libraries.ts";
import { assertEquals, assertRejects } from "@std/assert";
import {
  bulkPair,
  DefinitionError,
  externalFunction,
  FunctionFs,
  Gadget,
  usbFunction,
} from "@usb/gadget";
import { recordedBlocks } from "../../src/state/descriptors.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
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

Deno.test("a gadget and a function of another process have the longest names", async () => {
  await waitForNoDevice(ids);
  const traces = gadgetTraces();
  const name = "g".repeat(249);
  const other = "f".repeat(243);
  {
    await using gadget = await Gadget.start({
      ...ids,
      maxSpeed,
      functions: [echo, externalFunction(other)],
    }, { name, bind: false });
    const path = gadget.mountPoints[other];
    await using second = FunctionFs.open({ ...echo, name: "other" }, path);
    assertEquals(recordedBlocks(path) === undefined, false);
    await gadget.bind();
    await gadget.functions.echo.enabled();
    await second.enabled();
    await waitForDevice(ids);
  }
  await waitForNoDevice(ids);
  assertEquals(gadgetTraces(), traces);
});

Deno.test("longer names are refused, and nothing is left behind", async () => {
  const traces = gadgetTraces();
  for (const length of [250, 255]) {
    const error = await assertRejects(
      () =>
        Gadget.start({ ...ids, functions: [echo] }, {
          name: "g".repeat(length),
        }),
      DefinitionError,
    );
    assertEquals(error.problems.map(({ path }) => path), ["name"]);
  }
  assertEquals(gadgetTraces(), traces);
});
