/**
 * The way from an application to DFU mode.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { DfuRuntime, type DfuRuntimeOptions } from "@usb/gadget/dfu";
import { fakeSession } from "@usb/gadget/testing";
import { DfuRequest } from "../../src/classes/dfu/codes.ts";
import { FakeDfuHost } from "../support/dfu/fake_dfu_host.ts";

function start(options: DfuRuntimeOptions = {}) {
  const runtime = new DfuRuntime(options);
  const session = fakeSession(runtime);
  const host = new FakeDfuHost(runtime, session);
  const events: string[] = [];
  runtime.detached().then(() => events.push("detached"));
  return { runtime, session, host, events };
}

Deno.test("a reset after DETACH detaches the device", async () => {
  const { session, host, events } = start();
  await host.detach(1000);
  await delay(1);
  assertEquals(events, []);
  session.end();
  await delay(1);
  assertEquals(events, ["detached"]);
});

Deno.test("a reset without DETACH, or after its time, does not detach the device", async () => {
  for (const detach of [false, true]) {
    const { session, host, events } = start();
    if (detach) await host.detach(0);
    await delay(2);
    assertEquals(await host.state(), "APP_IDLE");
    session.end();
    await delay(1);
    assertEquals(events, []);
  }
});

Deno.test("the device limits the time of the host", async () => {
  const { host } = start({ detachTimeoutMs: 0 });
  await host.detach(60_000);
  await delay(2);
  assertEquals(await host.state(), "APP_IDLE");
});

Deno.test("a request that is refused ends the wait for a reset", async () => {
  const { session, host, events } = start();
  await host.detach(1000);
  assertEquals(await host.abort(), "stall");
  session.end();
  await delay(1);
  assertEquals(events, []);
});

Deno.test("a device that will detach does so when the host has its answer", async () => {
  const { runtime, session, host, events } = start({ willDetach: true });
  const detached = runtime.detached();
  let isAnswered = false;
  const detaching = host.send(DfuRequest.DETACH, {
    value: 1000,
    onSetup: ({ setup }) => detached.then(() => isAnswered = setup.settled),
  });
  assertEquals(await detaching, { taken: 0 });
  await detached;
  assertEquals(isAnswered, true);
  await delay(1);
  assertEquals(events, ["detached"]);
  assertEquals(await host.state(), "APP_DETACH");
  // Its own disconnection is not another one.
  runtime.detached().then(() => events.push("detached again"));
  session.end();
  await delay(1);
  assertEquals(events, ["detached"]);
});

Deno.test("the descriptor of a runtime function has the attributes of its options", () => {
  const runtime = new DfuRuntime({
    name: "update",
    description: "Firmware",
    canUpload: true,
    willDetach: true,
    transferSize: 1024,
  });
  const [{ class: code, subclass, protocol, description, descriptors }] =
    runtime.interfaces;
  assertEquals(
    [runtime.name, code, subclass, protocol, description],
    ["update", 0xfe, 1, 1, "Firmware"],
  );
  const [it] = descriptors!;
  assert(it.kind === "dfu" && it.canUpload && it.willDetach);
  assertEquals(it.transferSize, 1024);
});

Deno.test("mistakes in the options of a runtime function have clear errors", () => {
  assertThrows(
    () => new DfuRuntime({ detachTimeoutMs: 70_000 }),
    RangeError,
    'Cannot make DFU function: "detachTimeoutMs" must be an integer from 0 to 65535, is 70000',
  );
  assertThrows(
    () => new DfuRuntime({ detach: true } as never),
    TypeError,
    'Cannot make DFU function: there is no option "detach"',
  );
});
