/**
 * One error number, several causes: the message names the actual one.
 *
 * @module
 */
// VM: any speed
import "../support/run/aio_libraries.ts";
import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  bulkPair,
  FunctionFs,
  Gadget,
  kernelFunction,
  mountFunctionFs,
  readUdc,
  usbFunction,
} from "@usb/gadget";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { asNobody } from "../support/machine/unprivileged.ts";
import { removeTree } from "../../src/gadget/configfs/remove.ts";
import { TreeWriter } from "../../src/gadget/configfs/writer.ts";
import { victimProgram } from "../support/programs/victim.ts";
import { assertDocumented } from "../support/troubleshooting.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const echo = usbFunction({
  name: "echo",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});
const REMOVED =
  "another program has removed the gadget; stop it, and start it again";

/** The message of the error of a start in another process. */
async function messageOfStart(...prefix: string[]): Promise<string> {
  const code = victimProgram(`
    try {
      await start({ bind: false });
    } catch (error) {
      console.log(error.message);
    }`);
  const [command, ...args] = [
    ...prefix,
    Deno.execPath(),
    ..."run --no-prompt --no-check --cached-only --allow-ffi".split(" "),
    `data:application/typescript,${encodeURIComponent(code)}`,
  ];
  const { stdout } = await new Deno.Command(command, {
    args,
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test("a missing image file and an unknown attribute are named", async () => {
  const traces = gadgetTraces();
  const start = (attributes: Record<string, string>) =>
    assertRejects(() =>
      Gadget.start({
        ...ids,
        functions: [kernelFunction("mass_storage", attributes)],
      }, { bind: false }), Deno.errors.NotFound);
  const image = await start({ "lun.0/file": "/nowhere.img" });
  assertStringIncludes(
    image.message,
    'to "/nowhere.img": No such file or directory (os error 2): ',
  );
  assertStringIncludes(
    image.message,
    '/lun.0/file: the file "/nowhere.img" does not exist',
  );
  await assertDocumented("The image of a disk does not exist", image.message);
  const { message } = await start({ "lun.0/nope": "1" });
  assertStringIncludes(message, "has no such attribute; check its name");
  await Deno.writeFile("/tmp/small.img", new Uint8Array(1));
  const small = await assertRejects(() =>
    Gadget.start({
      ...ids,
      functions: [
        kernelFunction("mass_storage", { "lun.0/file": "/tmp/small.img" }),
      ],
    }, { bind: false })
  );
  assertStringIncludes(
    String(small),
    'the file "/tmp/small.img" is smaller than the drive\'s smallest medium',
  );
  await Deno.remove("/tmp/small.img");
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a write after stop() is refused", async () => {
  const gadget = await Gadget.start({ ...ids, functions: [echo] });
  const { link } = gadget.functions.echo.endpoints;
  await gadget.stop();
  const error = await assertRejects(() => link.write(new Uint8Array(1)), Error);
  await assertDocumented("A write after stop()", error.message);
});

Deno.test("every call on a gadget that another program has removed reports that", async () => {
  const traces = gadgetTraces();
  const definition = { ...ids, functions: [kernelFunction("acm")] };
  const gadget = await Gadget.start(definition, { bind: false });
  const path = `/sys/kernel/config/usb_gadget/${gadget.name}`;
  removeTree(new TreeWriter(path));
  const works = [
    () => gadget.apply({ ...definition, webUsb: { landingPage: "http://a" } }),
    () =>
      gadget.apply({
        ...definition,
        functions: [kernelFunction("acm"), kernelFunction("ecm")],
      }),
    () => gadget.bind(),
  ];
  for (const work of works) {
    const error = await assertRejects(work, Deno.errors.NotFound);
    assertStringIncludes(error.message, REMOVED);
  }
  await gadget.stop();
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a read-only /run is reported as such, not as a lack of rights", async () => {
  const message = await messageOfStart(
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount -t tmpfs -o ro none /run && exec "$0" "$@"',
  );
  assertStringIncludes(
    message,
    '(os error 30): /run/usb-gadget: /run is mounted read-only: "sudo mount -o remount,rw /run" makes it writable, in a container --tmpfs /run',
  );
});

Deno.test("root without a capability and root of a user namespace have their own messages", async () => {
  const without = (name: string) => [
    "setpriv",
    `--bounding-set=-${name}`,
    `--inh-caps=-${name}`,
  ];
  assertStringIncludes(
    await messageOfStart(...without("sys_admin")),
    "this process is root without CAP_SYS_ADMIN; run it with that",
  );
  assertStringIncludes(
    await messageOfStart("unshare", "--user", "--map-root-user"),
    "this process is root of a user namespace only",
  );
  const { message } = await assertRejects(
    () => asNobody(() => Gadget.start({ ...ids, functions: [echo] })),
    Deno.errors.PermissionDenied,
  );
  assertStringIncludes(message, "gadgets need root");
  assertEquals(message.split("gadgets need root").length, 2);
});

Deno.test("FunctionFs.open() says what is wrong with its mount", async () => {
  await using gadget = await Gadget.start({ ...ids, functions: [echo] });
  for (
    const [path, what] of [
      ["/run/nothing", "the directory does not exist"],
      ["/run", "no FunctionFS is mounted there"],
    ]
  ) {
    const { message } = assertThrows(
      () => FunctionFs.open(echo, path),
      Deno.errors.NotFound,
    );
    assertStringIncludes(
      message,
      `${path}/ep0: ${what}; Gadget.start() or mountFunctionFs() mounts one`,
    );
  }
  const { echo: path } = gadget.mountPoints;
  assertThrows(
    () => FunctionFs.open(echo, path),
    Deno.errors.Busy,
    "a process serves it already: this one or another",
  );
  await assertRejects(
    () => asNobody(() => Promise.try(() => FunctionFs.open(echo, path))),
    Deno.errors.PermissionDenied,
    'the user of this process may not open it: mount it with the options "uid", "gid" or "mode", or run as root',
  );
  const [instance] = await instances();
  assertThrows(
    () => mountFunctionFs(instance, { path: "/run/twice" }),
    Deno.errors.Busy,
    `the instance "${instance}" is mounted on ${path}`,
  );
});

Deno.test("a controller that does not exist is reported with those that do", () => {
  assertThrows(
    () => readUdc("nowhere.0"),
    Deno.errors.NotFound,
    'Cannot read state of UDC "nowhere.0": there is no such controller; this machine has "dummy_udc.0"',
  );
});

/** The FunctionFS instances that are mounted. */
async function instances(): Promise<string[]> {
  const mounts = await Deno.readTextFile("/proc/self/mounts");
  return mounts.split("\n").map((line) => line.split(" "))
    .filter(([, , type]) => type === "functionfs").map(([source]) => source);
}
