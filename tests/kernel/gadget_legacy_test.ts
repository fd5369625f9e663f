/**
 * Mounts of FunctionFS that belong to g_ffs, the kernel's gadget without
 * configfs.
 *
 * In a VM of its own: Debian's g_ffs has a network interface, which the kernel
 * may fail to make after a network function was used and the controller's driver
 * was loaded again (gadget_reload_test.ts).
 *
 * @module
 */
// VM: --hcd none, any speed, any architecture
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FunctionFs, Gadget, listUdcs, mountFunctionFs } from "@usb/gadget";
import { exists } from "../../ffi/file.ts";
import { link } from "../support/gadgets/link_function.ts";
import { filePermissions } from "../support/machine/file_permissions.ts";
import { shell } from "../support/machine/shell.ts";
import {
  waitForDevice,
  waitForNoDevice,
} from "../../src/testing/usbfs/find.ts";

const ids = { vendorId: 0x1209, productId: 0x0020 };

/** Loads the kernel's own FunctionFS gadget; unloads it in the end. */
async function loadLegacyGadget(parameters = ""): Promise<AsyncDisposable> {
  await shell(`
    modprobe dummy_hcd is_super_speed=1
    modprobe g_ffs ${parameters} idVendor=0x1209 idProduct=0x0020`);
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
    await waitForDevice(ids);
    await assertRejects(
      () => Gadget.start({ ...ids, functions: [link("one")] }),
      Deno.errors.Busy,
      '"dummy_udc.0" by the gadget driver "g_ffs"',
    );
    await (round === 1 ? a : b).fs.close();
    assertEquals(driver(), "");
    await waitForNoDevice(ids);
    await (round === 1 ? b : a).fs.close();
    a.mount.unmount();
    b.mount.unmount();
    b.mount.unmount();
    assertEquals(exists(a.mount.path), false);
  }
  assertThrows(
    () => mountFunctionFs("c", { path: "/run/legacy-c" }),
    Deno.errors.NotFound,
    'no gadget has a FunctionFS instance "c"',
  );
  assertEquals(exists("/run/legacy-c"), false);
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
    'the instance "any" is mounted on /run/legacy',
  );
  // As after a program was killed and started again.
  mountFunctionFs("any", { path: mount.path }).unmount();
  {
    await using fs = FunctionFs.open(link("any"), mount.path);
    assertEquals(listUdcs()[0].driver, "g_ffs");
    await fs.enabled();
    assertEquals(await filePermissions(`${mount.path}/ep1`), ["660", 5, 0]);
  }
  assert(listUdcs().every((it) => it.driver === ""));
});
