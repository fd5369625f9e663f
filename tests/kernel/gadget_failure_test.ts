import "../support/libraries.ts";
import {
  assertEquals,
  assertIsError,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  type BindFailure,
  bulkIn,
  bulkPair,
  externalFunction,
  Gadget,
  isochronousIn,
  kernelFunction,
  listUdcs,
  usbFunction,
  waitForUdc,
} from "@usb/gadget";
import { gadgetTraces } from "../support/leftovers.ts";
import { gadgetSpeed } from "../support/speed.ts";
import { waitForDevice, waitForNoDevice } from "../support/usbfs_find.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const { maxSpeed } = gadgetSpeed();
const CONFIGFS = "/sys/kernel/config/usb_gadget";

const echo = usbFunction({
  name: "echo",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});

async function failure(
  run: () => Promise<unknown>,
): Promise<Error & BindFailure> {
  const error = await assertRejects(run, Deno.errors.Busy);
  assertIsError(error, Deno.errors.Busy);
  return error as Error & BindFailure;
}

Deno.test("a bind to a controller that is taken tells by whom", async () => {
  const traces = gadgetTraces();
  {
    await using first = await Gadget.start({
      ...ids,
      maxSpeed,
      functions: [echo],
    });
    const udc = first.udc.name;
    const own = `the gadget "${first.name}" of process ${Deno.pid}`;
    const second = await Gadget.start(
      { ...ids, functions: [kernelFunction("serial")] },
      { bind: false },
    );
    await assertRejects(
      () => second.bind({ udc }),
      Deno.errors.Busy,
      `"${udc}" by "${first.name}" is taken`,
    );
    // Taken between the look and the write.
    const { bindError, udcOwner } = await import(
      "../../src/gadget/bind_failure.ts"
    );
    assertEquals(udcOwner(udc), own);
    const error = Object.assign(new Error(), {
      code: "EBUSY",
      errno: 16,
      syscall: "write",
    });
    assertStringIncludes(
      bindError(error, {
        root: `${CONFIGFS}/${second.name}`,
        name: second.name,
        definition: second.definition,
        udc,
        kernelLog: [],
        notReady: [],
      }).message,
      `Cannot bind gadget "${second.name}" to UDC "${udc}": it is taken by ${own}`,
    );
    await second.stop();
  }
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a bind to a controller that is not there tells what there is", async () => {
  const error = await assertRejects(
    () => Gadget.start({ ...ids, functions: [echo] }, { udc: "nowhere.0" }),
    Deno.errors.NotFound,
  );
  assertEquals(
    error.message,
    `Cannot find USB device controller "nowhere.0": this machine has ${
      listUdcs().map((it) => `"${it.name}"`).join(", ")
    }`,
  );
});

Deno.test("a gadget waits for the function of another process, and its bind can be given up", async () => {
  const traces = gadgetTraces();
  const definition = {
    ...ids,
    maxSpeed,
    functions: [externalFunction("other", { interfaces: 1 })],
  };
  await assertRejects(
    () => Gadget.start(definition, { signal: AbortSignal.timeout(200) }),
    DOMException,
  );
  assertEquals(gadgetTraces(), traces);
});

Deno.test("exhausted endpoints are told, and the gadget is healed by it", async () => {
  const traces = gadgetTraces();
  const isochronous = usbFunction({
    name: "iso",
    interfaces: [{ class: 0xff, endpoints: { samples: isochronousIn() } }],
  });
  const error = await failure(() =>
    Gadget.start({ ...ids, functions: [isochronous] })
  );
  assertMatch(
    error.message,
    /Cannot bind gadget ".+" to UDC "dummy_udc\.0": the controller has no endpoint for one of the functions: .* \(the kernel says: .*failed to start .*-524/,
  );
  assertEquals(error.code, "EBUSY");
  assertEquals(error.reasons.length, 1);
  // The kernel keeps what a failed bind leaves behind (hazard H4). The same
  // function object binds after it, because it was linked anew.
  const many = Array.from({ length: 12 }, (_, index) => `in${index}`);
  const greedy = usbFunction({
    name: "greedy",
    interfaces: [{
      class: 0xff,
      endpoints: Object.fromEntries(many.map((name) => [name, bulkIn()])),
    }],
  });
  const define = (functions: readonly unknown[]) => ({
    ...ids,
    maxSpeed,
    functions: functions as [typeof echo],
  });
  await using gadget = await Gadget.start(define([echo, greedy]), {
    bind: false,
  });
  const full = await failure(() => gadget.bind());
  assertStringIncludes(full.message, "the controller has no endpoint");
  const again = await failure(() => gadget.bind());
  assertEquals(again.message, full.message);
  await gadget.stop();
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a function that failed to bind binds after the cause is gone", async () => {
  // Three functions of the kernel take what echo needs.
  const takers = Array.from(
    { length: 6 },
    (_, index) => kernelFunction("acm", {}, { name: `tty${index}` }),
  );
  await using gadget = await Gadget.start(
    { ...ids, maxSpeed, functions: [echo, ...takers] },
    { bind: false },
  );
  const error = await failure(() => gadget.bind());
  assertMatch(error.message, /the kernel says: .*failed to start .*: -\d+/);
  await gadget.apply({ ...ids, maxSpeed, functions: [echo] });
  await gadget.bind();
  await gadget.functions.echo.enabled();
});

Deno.test("a type of function that the kernel has not got names its module", async () => {
  const traces = gadgetTraces();
  const error = await assertRejects(
    () => Gadget.start({ ...ids, functions: [kernelFunction("nope")] }),
    Deno.errors.NotFound,
  );
  assertMatch(
    error.message,
    /^Cannot make function of type "nope": No such file or directory \(os error 2\): .*: the kernel has no driver for it: this kernel \(.*\) has no module "usb_f_nope"/,
  );
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a gadget that somebody else has made is not taken over", async () => {
  const path = `${CONFIGFS}/foreign`;
  await new Deno.Command("mkdir", { args: [path] }).output();
  try {
    const error = await assertRejects(
      () => Gadget.start({ ...ids, functions: [echo] }, { name: "foreign" }),
      Deno.errors.AlreadyExists,
    );
    assertStringIncludes(error.message, "somebody else has made it");
    assertEquals(await Gadget.cleanUp(), []);
    Deno.statSync(path);
  } finally {
    await new Deno.Command("rmdir", { args: [path] }).output();
  }
});

Deno.test("unbind(), bind() and rebind() take the device off its host and back", async () => {
  await using gadget = await Gadget.start({
    ...ids,
    maxSpeed,
    functions: [echo],
  });
  const { name } = gadget.udc;
  await gadget.functions.echo.enabled();
  assertEquals((await waitForUdc(name, "configured")).driver, gadget.name);
  const { address } = await waitForDevice(ids);
  gadget.unbind();
  assertEquals((await waitForUdc(name, "not attached")).driver, "");
  await assertRejects(
    () => waitForUdc(name, "configured", { timeout: 50 }),
    Deno.errors.TimedOut,
    `Cannot see UDC "${name}" become "configured": after 50 ms it is "not attached", without a gadget`,
  );
  await waitForNoDevice(ids);
  await gadget.bind();
  await gadget.functions.echo.enabled();
  await waitForUdc(name, "configured");
  await gadget.rebind();
  await gadget.functions.echo.enabled();
  const after = await waitForDevice(ids);
  assertEquals(after.address === address, false);
});
