/**
 * Mounts of FunctionFS: those of a gadget, and those that somebody else has
 * made, g_ffs among them.
 *
 * @module
 */
import "../support/libraries.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  bulkPair,
  externalFunction,
  FunctionFs,
  Gadget,
  listUdcs,
  mountFunctionFs,
  usbFunction,
} from "@usb/gadget";
import { gadgetTraces } from "../support/leftovers.ts";
import { shell } from "../support/shell.ts";
import { gadgetSpeed } from "../support/speed.ts";
import { waitForDevice, waitForNoDevice } from "../support/usbfs_find.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const legacyIds = { vendorId: 0x1209, productId: 0x0020 };
const { maxSpeed } = gadgetSpeed();
const CONFIGFS = "/sys/kernel/config/usb_gadget";

function link(name: string) {
  return usbFunction({
    name,
    interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
  });
}

/** Permissions and owners, as the options of a mount set them. */
async function rights(path: string) {
  const { mode, uid, gid } = await Deno.stat(path);
  return [(mode! & 0o777).toString(8), uid, gid];
}

const exists = (path: string) => Deno.stat(path).then(() => true, () => false);

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
      async (it) => [it, [await rights(it), await rights(`${it}/ep1`)]],
    )),
  );
  // The kernel takes read and execute of directories, read and write of files.
  assertEquals(found, {
    [plain]: [["500", 0, 0], ["600", 0, 0]],
    "/run/made": [["555", 5, 6], ["666", 5, 6]],
    "/run/there-before": [["511", 0, 0], ["640", 0, 0]],
  });
  await gadget.stop();
  assertEquals(await exists("/run/made"), false);
  assertEquals(await exists("/run/there-before"), true);
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

Deno.test("a persistent gadget's mount is used as it is, also while somebody serves it", async () => {
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
    "another process serves it",
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

/** Loads the kernel's own FunctionFS gadget; unloads it in the end. */
async function loadLegacyGadget(parameters = ""): Promise<AsyncDisposable> {
  await shell(`modprobe g_ffs ${parameters} idVendor=0x1209 idProduct=0x0020`);
  return {
    [Symbol.asyncDispose]: async () => void await shell("modprobe -r g_ffs"),
  };
}

Deno.test("g_ffs registers when all of its functions are ready, and leaves with the first", async () => {
  await using _module = await loadLegacyGadget("functions=a,b");
  await using opened = new AsyncDisposableStack();
  const driver = () => listUdcs()[0].driver;
  const open = (name: string) => {
    const path = `/run/legacy-${name}`;
    const mount = opened.use(mountFunctionFs(name, { path }));
    return { mount, fs: opened.use(FunctionFs.open(link(name), mount.path)) };
  };
  for (let round = 1; round <= 2; round++) {
    const a = open("a");
    assertEquals(driver(), "");
    const b = open("b");
    assertEquals(driver(), "g_ffs");
    await Promise.all([a.fs.enabled(), b.fs.enabled()]);
    await waitForDevice(legacyIds);
    await assertRejects(
      () => Gadget.start({ ...ids, functions: [link("one")] }),
      Deno.errors.Busy,
      '"dummy_udc.0" by the gadget driver "g_ffs"',
    );
    await (round === 1 ? a : b).fs.close();
    assertEquals(driver(), "");
    await waitForNoDevice(legacyIds);
    await (round === 1 ? b : a).fs.close();
    a.mount.unmount();
    b.mount.unmount();
    b.mount.unmount();
    assertEquals(await exists(a.mount.path), false);
  }
  assertThrows(
    () => mountFunctionFs("c", { path: "/run/legacy-c" }),
    Deno.errors.NotFound,
    'no gadget has a FunctionFS instance "c"',
  );
  assertEquals(await exists("/run/legacy-c"), false);
});

Deno.test("g_ffs with one function registers with it, whatever its name is", async () => {
  await using _module = await loadLegacyGadget();
  using mount = mountFunctionFs("any", {
    path: "/run/legacy",
    mode: 0o770,
    uid: 5,
  });
  assertThrows(
    () => mountFunctionFs("any", { path: "/run/legacy-again" }),
    Deno.errors.Busy,
    'the instance "any" is mounted elsewhere',
  );
  // As a program finds it that was killed, and is started again.
  mountFunctionFs("any", { path: mount.path }).unmount();
  {
    await using fs = FunctionFs.open(link("any"), mount.path);
    await fs.enabled();
    assertEquals(await rights(`${mount.path}/ep1`), ["660", 5, 0]);
  }
  assert(listUdcs().every((it) => it.driver === ""));
});
