/**
 * Each reason why a bind fails, provoked, and its message.
 *
 * @module
 */
// VM: any speed, any architecture
import "../support/run/aio_libraries.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  type BindFailure,
  bulkIn,
  bulkPair,
  externalFunction,
  FunctionFs,
  Gadget,
  isochronousIn,
  kernelFunction,
  type UsbFunction,
  usbFunction,
} from "@usb/gadget";
import { compileFunction } from "@usb/gadget/inspect";
import { exists, list, readTextFile } from "../../ffi/file.ts";
import { FunctionHolder } from "../support/gadgets/function_holder.ts";
import { testKernel } from "../support/run/kernel_version.ts";
import { gadgetTraces, openFiles } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { until } from "../support/waiting/until.ts";
import { assertDocumented } from "../support/troubleshooting.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const { maxSpeed } = gadgetSpeed();
const CONFIGFS = "/sys/kernel/config/usb_gadget";
const UDC = "dummy_udc.0";

const echo = usbFunction({
  name: "echo",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});

/** The error of a bind that the kernel has refused. */
async function failure(
  run: () => Promise<unknown>,
  errorClass: new () => Error = Deno.errors.Busy,
): Promise<Error & BindFailure> {
  const error = await assertRejects(run, errorClass) as Error & BindFailure;
  const { code, errno, syscall, path } = error;
  // The kernel answers EBUSY in every case.
  const expected = errorClass === Deno.errors.Busy
    ? ["EBUSY", 16, "write"]
    : ["ENOENT", 2, "access"];
  assertEquals([code, errno, syscall], expected);
  const cause = error.cause as Error & BindFailure;
  assertEquals(cause.constructor, error.constructor);
  assertEquals(
    [cause.code, cause.errno, cause.syscall, cause.path],
    [code, errno, syscall, path],
  );
  assertStringIncludes(error.message, error.reasons[0]);
  return error;
}

/** Several interfaces, the first of them with endpoints. */
function interfaces(count: number, name: string): UsbFunction {
  return usbFunction({
    name,
    interfaces: [
      { class: 0xff, endpoints: { link: bulkPair() } },
      ...Array.from({ length: count - 1 }, () => ({ class: 0xff })),
    ],
  });
}

Deno.test("a taken controller is reported with the gadget and the process that use it", async () => {
  const traces = gadgetTraces();
  const unbound = { bind: false };
  const second = await Gadget.start({ ...ids, functions: [echo] }, unbound);
  {
    await using first = await Gadget.start({ ...ids, functions: [echo] });
    const owner = `the gadget "${first.name}" of process ${Deno.pid}`;
    const { message } = await failure(() => second.bind({ udc: UDC }));
    assertEquals(
      message,
      `Cannot bind gadget "${second.name}" to UDC "${UDC}": it is taken by ${owner}`,
    );
    const taken = await failure(() => second.bind());
    assertEquals(
      taken.message,
      `Cannot bind gadget "${second.name}": no USB device controller is free: "${UDC}" by ${owner}`,
    );
    await assertDocumented("The controller is taken", taken.message);
  }
  const path = `${CONFIGFS}/foreign`;
  await shell(`
    mkdir ${path} ${path}/configs/c.1 ${path}/functions/Loopback.0
    ln -s ${path}/functions/Loopback.0 ${path}/configs/c.1/
    echo ${UDC} >${path}/UDC`);
  const { message } = await failure(() => second.bind({ udc: UDC }));
  assertStringIncludes(message, 'it is taken by the gadget "foreign"');
  await shell(`
    echo >${path}/UDC
    rm ${path}/configs/c.1/Loopback.0
    rmdir ${path}/functions/* ${path}/configs/c.1 ${path}`);
  await second.bind({ udc: UDC });
  await second.functions.echo.enabled();
  await second.stop();
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a missing controller is reported with the existing ones", async () => {
  const traces = gadgetTraces();
  const { message } = await failure(
    () => Gadget.start({ ...ids, functions: [echo] }, { udc: "nowhere.0" }),
    Deno.errors.NotFound,
  );
  assertMatch(
    message,
    /^Cannot bind gadget "usb-gadget\..+" to UDC "nowhere\.0": there is no such controller; this machine has "dummy_udc\.0"$/,
  );
  assertEquals(gadgetTraces(), traces);
});

Deno.test("functions that are not ready are named", async () => {
  const traces = gadgetTraces();
  const gadget = await Gadget.start({
    ...ids,
    functions: [externalFunction("one"), echo, externalFunction("two")],
  }, { bind: false });
  const notReady = (name: string) =>
    `function "${name}" is not ready: no process has written its descriptors; open it with FunctionFs.open()`;
  const first = await failure(() => gadget.bind({ wait: false }));
  assertEquals(first.reasons, ["one", "two"].map(notReady));
  // Without wait: false it waits until it is aborted.
  await assertRejects(
    () => gadget.bind({ signal: AbortSignal.timeout(100) }),
    DOMException,
  );
  const ended = assertRejects(
    () => gadget.bind(),
    Deno.errors.Interrupted,
    `Cannot bind gadget "${gadget.name}": unbind() was called meanwhile`,
  );
  gadget.unbind();
  await ended;
  const stopped = await Gadget.start(
    { ...ids, functions: [externalFunction("three")] },
    { bind: false },
  );
  const waiting = assertRejects(
    () => stopped.bind(),
    Deno.errors.BadResource,
    `Cannot bind gadget "${stopped.name}": it is stopped`,
  );
  await stopped.stop();
  await waiting;
  const open = (name: string) =>
    FunctionFs.open(interfaces(1, name), gadget.mountPoints[name]);
  const one = open("one");
  const second = await failure(() => gadget.bind({ wait: false }));
  assertEquals(second.reasons, [notReady("two")]);
  const two = open("two");
  await gadget.bind();
  await Promise.all([one.enabled(), two.enabled()]);
  await gadget.functions.echo.close();
  assertEquals(gadget.bound, false);
  const { message } = await failure(() => gadget.bind());
  assertStringIncludes(message, 'function "echo" is closed; stop the gadget');
  await Promise.all([one.close(), two.close()]);
  await gadget.stop();
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a function of another process without endpoints is bound when it is ready", async () => {
  const traces = gadgetTraces();
  const gadget = await Gadget.start({
    ...ids,
    maxSpeed,
    functions: [externalFunction("quiet")],
  }, { bind: false });
  const quiet = usbFunction({ name: "quiet", interfaces: [{ class: 0xff }] });
  const mounted = gadget.mountPoints.quiet;
  for (let round = 0; round < 3; round++) {
    const { reasons } = await failure(() => gadget.bind({ wait: false }));
    assertEquals(reasons.length, 1);
    const bound = gadget.bind();
    // After many checks, it can still be opened.
    await assertRejects(
      () => gadget.bind({ signal: AbortSignal.timeout(200) }),
      DOMException,
    );
    assertEquals(gadget.bound, false);
    const served = FunctionFs.open(quiet, mounted);
    await bound;
    await served.enabled();
    assertEquals(gadget.bound, true);
    await served.close();
    assertEquals(gadget.bound, false);
  }
  // By a process that waits for events and keeps the file locked.
  const { descriptors, strings } = compileFunction(quiet);
  {
    using _holder = new FunctionHolder(mounted, { descriptors, strings });
    const reader = new Deno.Command("cat", {
      args: [`${mounted}/ep0`],
      stdout: "null",
    }).spawn();
    await until(() => {
      const state = readTextFile(`/proc/${reader.pid}/stat`);
      return state.split(") ")[1].startsWith("S");
    }, "the process waits");
    await gadget.bind();
    assertEquals(gadget.bound, true);
    reader.kill("SIGKILL");
    await reader.status;
  }
  await gadget.stop();
  assertEquals(gadgetTraces(), traces);
});

Deno.test("endpoints that the controller lacks or has used up are reported", async () => {
  const traces = gadgetTraces();
  const missing = usbFunction({
    name: "iso",
    interfaces: [{ class: 0xff, endpoints: { samples: isochronousIn() } }],
  });
  const first = await failure(() =>
    Gadget.start({ ...ids, functions: [missing] })
  );
  assertMatch(
    first.message,
    /^Cannot bind gadget "(.+)" to UDC "dummy_udc\.0": the controller has no endpoint for one of the functions: it has too few of the type, size or direction \(1 declared by functions of this process; no controller of dummy_hcd has isochronous ones\) \(the kernel says: udc dummy_udc\.0: failed to start \1: -524\)$/,
  );
  const many = Array.from({ length: 12 }, (_, index) => `in${index}`);
  const greedy = usbFunction({
    name: "greedy",
    interfaces: [{
      class: 0xff,
      endpoints: Object.fromEntries(many.map((name) => [name, bulkIn()])),
    }],
  });
  const second = await failure(() =>
    Gadget.start({ ...ids, functions: [echo, greedy] })
  );
  assertStringIncludes(second.message, "(14 declared by functions of this");
  // The kernel's functions log other words for it.
  const serial = Array.from(
    { length: 6 },
    (_, index) => kernelFunction("acm", {}, { name: `tty${index}` }),
  );
  const third = await failure(() =>
    Gadget.start({ ...ids, functions: [echo, ...serial] })
  );
  assertMatch(
    third.message,
    /: the controller has no endpoints left for a function, .*\(the kernel says: udc dummy_udc\.0: failed to start .*: -19\)$/,
  );
  assertEquals(gadgetTraces(), traces);
});

Deno.test("used-up interfaces are reported, and the function that they have broken is repaired", async () => {
  const traces = gadgetTraces();
  // The second function has one too many.
  const { major, minor } = testKernel();
  const half = (major > 6 || minor >= 12 ? 32 : 16) / 2;
  const gadget = await Gadget.start({
    ...ids,
    maxSpeed,
    functions: [externalFunction("first"), externalFunction("second")],
  }, { bind: false });
  const { first, second } = gadget.mountPoints;
  const a = FunctionFs.open(interfaces(half, "a"), first);
  const b = FunctionFs.open(interfaces(half + 1, "b"), second);
  for (let attempt = 1; attempt <= 2; attempt++) {
    const { message, kernelLog } = await failure(() => gadget.bind());
    assertMatch(
      message,
      /: the controller has no endpoints left for a function, its functions have more interfaces than a configuration takes \(32, and 16 before Linux 6\.12\), or .*-19\)$/,
    );
    // Not because of what the attempt before has left behind, which would be
    // -22: "two descriptors for EP 1" (hazard H4).
    assertMatch(kernelLog.join("\n"), /failed to start .*: -19/);
  }
  // The same function of the kernel, now with fewer interfaces.
  await Promise.all([a.close(), b.close()]);
  const less = [
    FunctionFs.open(interfaces(2, "a"), first),
    FunctionFs.open(interfaces(2, "b"), second),
  ];
  await gadget.bind();
  await Promise.all(less.map((it) => it.enabled()));
  await Promise.all(less.map((it) => it.close()));
  await gadget.stop();
  assertEquals(gadgetTraces(), traces);
});

Deno.test("speeds that would crash the kernel are refused", async () => {
  const traces = gadgetTraces();
  const crash = /High and super speed without full speed crash the kernel/;
  const dangerous = {
    ...echo,
    speeds: ["high", "super"],
  } satisfies UsbFunction;
  assertMatch(
    assertThrows(() => usbFunction(dangerous), Error).message,
    crash,
  );
  // Past the check of the definition.
  const error = await assertRejects(() =>
    Gadget.start({ ...ids, functions: [dangerous] })
  ) as Error;
  assertMatch(error.message, crash);
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a function that was open when another one failed is closed, and can be opened again", async () => {
  const traces = gadgetTraces();
  const name = "failing";
  const isOpen = () =>
    exists(`/run/usb-gadget/${name}/echo/ep0`) &&
    list(`/run/usb-gadget/${name}/echo`).length > 1;
  let refusals = 0;
  const refused: UsbFunction = {
    ...echo,
    name: "refused",
    // Wrong as soon as the other one is open.
    get speeds() {
      if (!isOpen()) return undefined;
      refusals++;
      return ["high", "super"] as const;
    },
  };
  // The first gadget opens what the process keeps.
  await (await Gadget.start({ ...ids, functions: [echo] })).stop();
  for (let round = 0; round < 3; round++) {
    const files = openFiles();
    await assertRejects(() =>
      Gadget.start({ ...ids, maxSpeed, functions: [echo, refused] }, { name })
    );
    assert(refusals > 0);
    assertEquals(openFiles(), files);
    assertEquals(gadgetTraces(), traces);
    // Its files have the numbers of earlier files, but its own events.
    await using gadget = await Gadget.start({
      ...ids,
      maxSpeed,
      functions: [echo],
    });
    await gadget.functions.echo.enabled();
  }
});

Deno.test("an unknown type of function is reported with its module", async () => {
  const traces = gadgetTraces();
  const error = await assertRejects(
    () => Gadget.start({ ...ids, functions: [kernelFunction("nope")] }),
    Deno.errors.NotFound,
  );
  assertMatch(
    error.message,
    /^Cannot make function of type "nope": No such file or directory \(os error 2\): .*: the kernel has no driver for it: this kernel \(.*\) has no module "usb_f_nope"; check the name, or use a kernel that has it$/,
  );
  await assertDocumented(
    "A kernel function without its module",
    error.message,
  );
  assertEquals(gadgetTraces(), traces);
});

Deno.test("an unknown attribute and a refused value are named", async () => {
  const traces = gadgetTraces();
  const start = (attributes: Record<string, string>) => () =>
    Gadget.start({
      ...ids,
      functions: [kernelFunction("ecm", attributes as { ifname: string })],
    });
  const first = await assertRejects(start({ nope: "1" }), Deno.errors.NotFound);
  assertMatch(
    first.message,
    /^Cannot set gadget attribute "functions\/ecm\.ecm\/nope" to "1": No such file or directory \(os error 2\): .*: this kernel \(.*\) has no such attribute; check its name$/,
  );
  const second = await assertRejects(start({ qmult: "many" }));
  assertStringIncludes(
    (second as Error).message,
    'Cannot set gadget attribute "functions/ecm.ecm/qmult" to "many": Invalid argument (os error 22)',
  );
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a gadget of another program is not taken over", async () => {
  const path = `${CONFIGFS}/foreign`;
  await shell(`mkdir ${path}`);
  try {
    const error = await assertRejects(
      () => Gadget.start({ ...ids, functions: [echo] }, { name: "foreign" }),
      Deno.errors.AlreadyExists,
    );
    assertEquals(
      error.message,
      `Cannot make gadget "foreign": another program has made it (${path}); stop that one, or choose another name`,
    );
    assertEquals(await Gadget.cleanUp({ persistent: true }), []);
    Deno.statSync(path);
  } finally {
    await shell(`rmdir ${path}`);
  }
});
