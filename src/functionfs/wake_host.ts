/**
 * Remote wakeup: a device asks a host that has suspended the bus to resume it.
 *
 * The kernel offers no such call to FunctionFS. The controller's attribute
 * `srp` does it (`usb_gadget_wakeup()`, called from `srp_store()` in
 * `drivers/usb/gadget/udc/core.c`); configfs shows which controller it is.
 *
 * @module
 */
import { Errno, errorOf } from "../../ffi/errno.ts";
import { exists, list, readTextFile, writeFile } from "../../ffi/file.ts";
import { listMounts } from "../../ffi/mount.ts";
import { findConfigfs } from "../gadget/configfs/directory.ts";

/**
 * Wakes the host of a function.
 *
 * @param mountPoint Where its FunctionFS is mounted.
 * @throws {Deno.errors.NotFound} If no gadget in configfs has the function.
 */
export function wakeHost(name: string, mountPoint: string): void {
  const action = `wake the host of function "${name}"`;
  const udc = udcOf(mountPoint);
  if (udc === undefined) {
    throw errorOf(
      Errno.ENOENT,
      `Cannot ${action}: no gadget in configfs has the function`,
      { syscall: "open" },
    );
  }
  wakeHostOf(udc, action);
}

/** Wakes the host of a controller. */
export function wakeHostOf(udc: string, action: string): void {
  writeFile(`/sys/class/udc/${udc}/srp`, "1", { action });
}

/** The controller that the gadget of a mounted function is bound to. */
function udcOf(mountPoint: string): string | undefined {
  const instance = listMounts().findLast(({ type, target }) =>
    type === "functionfs" && target === mountPoint
  )?.source;
  const configfs = findConfigfs();
  if (instance === undefined || configfs === undefined) return undefined;
  const gadgets = `${configfs}/usb_gadget`;
  if (!exists(gadgets)) return undefined;
  const gadget = list(gadgets).find(({ name }) =>
    exists(`${gadgets}/${name}/functions/ffs.${instance}`)
  );
  if (gadget === undefined) return undefined;
  return readTextFile(`${gadgets}/${gadget.name}/UDC`).trim() || undefined;
}
