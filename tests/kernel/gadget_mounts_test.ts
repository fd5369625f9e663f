/**
 * Mounts of FunctionFS: those of a gadget, and those of other programs.
 *
 * @module
 */
// VM: any speed, any architecture
import "../support/run/aio_libraries.ts";
import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { externalFunction, FunctionFs, Gadget } from "@usb/gadget";
import { exists } from "../../ffi/file.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { link } from "../support/gadgets/link_function.ts";
import { filePermissions } from "../support/machine/file_permissions.ts";
import { shell } from "../support/machine/shell.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import {
  waitForDevice,
  waitForNoDevice,
} from "../../src/testing/usbfs/find.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const { maxSpeed } = gadgetSpeed();
const CONFIGFS = "/sys/kernel/config/usb_gadget";

Deno.test("the mounts of a gadget have the options that they were given", async () => {
  const traces = gadgetTraces();
  await Deno.mkdir("/run/there-before");
  const gadget = await Gadget.start({
    ...ids,
    maxSpeed,
    functions: [link("plain"), link("both"), link("each")],
  }, {
    mounts: {
      both: { path: "/run/made", mode: 0o777, uid: 5, gid: 6 },
      each: { path: "/run/there-before", rmode: 0o511, fmode: 0o640 },
    },
  });
  const plain = `/run/usb-gadget/${gadget.name}/plain`;
  assertEquals(gadget.mountPoints, {
    plain,
    both: "/run/made",
    each: "/run/there-before",
  });
  const found = Object.fromEntries(
    await Promise.all([plain, "/run/made", "/run/there-before"].map(
      async (
        it,
      ) => [it, [
        await filePermissions(it),
        await filePermissions(`${it}/ep1`),
      ]],
    )),
  );
  // The kernel uses read and execute of directories, read and write of files.
  assertEquals(found, {
    [plain]: [["500", 0, 0], ["600", 0, 0]],
    "/run/made": [["555", 5, 6], ["666", 5, 6]],
    "/run/there-before": [["511", 0, 0], ["640", 0, 0]],
  });
  await gadget.stop();
  assertEquals(exists("/run/made"), false);
  assertEquals(exists("/run/there-before"), true);
  await Deno.remove("/run/there-before");
  assertEquals(gadgetTraces(), traces);
});

Deno.test("noDisconnect leaves the gadget attached when its function is closed", async () => {
  for (const noDisconnect of [undefined, false, true]) {
    await using gadget = await Gadget.start(
      { ...ids, maxSpeed, functions: [link("one")] },
      { mounts: { one: { noDisconnect } } },
    );
    await gadget.functions.one.enabled();
    await gadget.functions.one.close();
    assertEquals(gadget.bound, noDisconnect === true);
    if (noDisconnect) await waitForDevice(ids);
    else await waitForNoDevice(ids);
  }
});

Deno.test("mount options that make no sense are refused, and leave nothing behind", async () => {
  const traces = gadgetTraces();
  await Deno.writeTextFile("/run/no-directory", "");
  const refused: [Record<string, unknown>, string][] = [
    [{ path: "relative" }, '"path" must be absolute'],
    [{ path: "/run/slash/" }, "without a slash at its end"],
    [{ path: "/" }, "without a slash at its end"],
    [{ mode: 0o1000 }, '"mode" must be an integer from 0 to 511'],
    [{ uid: -1 }, '"uid" must be an integer'],
    [{ path: "/run/nowhere/deep" }, "Cannot make mount point"],
    [{ path: "/run/no-directory" }, "Cannot mount functionfs"],
  ];
  for (const [one, message] of refused) {
    const error = await assertRejects(() =>
      Gadget.start({ ...ids, functions: [link("one")] }, { mounts: { one } })
    ) as Error;
    assertStringIncludes(error.message, message);
    assertEquals(gadgetTraces(), traces);
  }
  await Deno.remove("/run/no-directory");
});

Deno.test("long names are shortened where FunctionFS has no room, and stay apart", async () => {
  const traces = gadgetTraces();
  const names = ["a", "b"].map((it) => "f".repeat(34) + it);
  const gadget = await Gadget.start(
    { ...ids, maxSpeed, functions: names.map(link) },
    { name: "g".repeat(60) },
  );
  await Promise.all(names.map((it) => gadget.functions[it].enabled()));
  assertEquals(Object.keys(gadget.mountPoints), names);
  await gadget.stop();
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a persistent gadget's mount is kept, also while a process serves it", async () => {
  const traces = gadgetTraces();
  const definition = {
    ...ids,
    maxSpeed,
    functions: [externalFunction("one", { interfaces: 1 })],
  };
  const options = { name: "stays", persistent: true, bind: false };
  const first = await Gadget.start(definition, options);
  const one = FunctionFs.open(link("one"), first.mountPoints.one);
  await first.bind();
  await one.enabled();
  const second = await Gadget.start(definition, { ...options, bind: true });
  assertEquals(second.changes, []);
  assertEquals(second.mountPoints, first.mountPoints);
  assertEquals(one.state, "enabled");
  await one.close();
  assertEquals(second.bound, false);
  await second.stop();
  assertEquals(gadgetTraces(), traces);
});

Deno.test("FunctionFs.open() serves a mount of a gadget that a script has made", async () => {
  const traces = gadgetTraces();
  const path = `${CONFIGFS}/script`;
  await shell(`
    mkdir ${path} ${path}/configs/c.1
    echo 0x1209 >${path}/idVendor; echo 0x0001 >${path}/idProduct
    for name in mtp hid; do
      mkdir ${path}/functions/ffs.$name
      ln -s ${path}/functions/ffs.$name ${path}/configs/c.1/
      mkdir /run/script-$name
      mount -t functionfs -o mode=0660 $name /run/script-$name
    done`);
  const mtp = FunctionFs.open(link("mtp"), "/run/script-mtp");
  assertThrows(
    () => FunctionFs.open(link("mtp"), "/run/script-mtp"),
    Deno.errors.Busy,
    "a process serves it already: this one or another",
  );
  const hid = FunctionFs.open(link("hid"), "/run/script-hid");
  await shell(`echo dummy_udc.0 >${path}/UDC`);
  await Promise.all([mtp.enabled(), hid.enabled()]);
  await waitForDevice(ids);
  assertEquals(await Gadget.cleanUp({ persistent: true }), []);
  await Promise.all([mtp.close(), hid.close()]);
  assertEquals((await Deno.readTextFile(`${path}/UDC`)).trim(), "");
  await shell(`
    umount /run/script-mtp /run/script-hid
    rmdir /run/script-mtp /run/script-hid
    rm ${path}/configs/c.1/ffs.*
    rmdir ${path}/functions/* ${path}/configs/c.1 ${path}`);
  assertEquals(gadgetTraces(), traces);
  assertThrows(
    () => FunctionFs.open(link("mtp"), "/run/script-mtp"),
    Deno.errors.NotFound,
  );
});
