/**
 * The running kernel and its modules, and what to do about a missing one.
 *
 * @module
 */
import { exists, readTextFile } from "../../ffi/file.ts";
import { kernelRelease } from "../../ffi/kernel_release.ts";

/** The kernel's options behind its modules, as far as these are known. */
const OPTIONS: Readonly<Record<string, string>> = {
  configfs: "CONFIG_CONFIGFS_FS",
  libcomposite: "CONFIG_USB_CONFIGFS",
  usb_f_ss_lb: "CONFIG_USB_CONFIGFS_F_LB_SS",
  dummy_hcd: "CONFIG_USB_DUMMY_HCD",
  ...options("", "ecm ecm_subset ncm rndis eem acm serial obex mass_storage"),
  ...options("F_", "fs hid midi midi2 uac1 uac2 uvc printer"),
};

function options(prefix: string, names: string): Record<string, string> {
  return Object.fromEntries(
    names.split(" ").map((name) => [
      `usb_f_${name}`,
      `CONFIG_USB_CONFIGFS_${prefix}${name.toUpperCase()}`,
    ]),
  );
}

/** Function types whose module is not `usb_f_TYPE`. */
const MODULES: Readonly<Record<string, string>> = {
  gser: "usb_f_serial",
  geth: "usb_f_ecm_subset",
  Loopback: "usb_f_ss_lb",
  SourceSink: "usb_f_ss_lb",
};

/** Where a module is. `"unknown"` without a list of modules, as in a container. */
export type ModuleState = "loaded" | "loadable" | "missing" | "unknown";

/** Looks for a module of the running kernel: loaded, built in, or on disk. */
export function moduleState(name: string): ModuleState {
  if (exists(`/sys/module/${name}`)) return "loaded";
  const folder = modulesFolder();
  const file = new RegExp(
    `/${name.replaceAll("_", "[_-]")}\\.ko(\\.\\w+)?(:|$)`,
    "m",
  );
  const lists = (index: string) =>
    exists(`${folder}/${index}`) &&
    file.test(readTextFile(`${folder}/${index}`));
  if (lists("modules.builtin")) return "loaded";
  if (lists("modules.dep")) return "loadable";
  return exists(`${folder}/modules.dep`) ? "missing" : "unknown";
}

function modulesFolder(): string {
  return `/lib/modules/${kernelRelease()}`;
}

/** What to do about a missing feature that a module provides. */
export function moduleRemedy(name: string): string {
  const option = OPTIONS[name];
  const kernel = `this kernel (${kernelRelease()})`;
  switch (moduleState(name)) {
    case "loaded":
      return `${kernel} has the module "${name}" loaded or built in, but lacks that`;
    case "loadable":
      return `load it with "sudo modprobe ${name}"`;
    case "unknown":
      return `load it with "sudo modprobe ${name}", outside of the container if this is one; whether ${kernel} has the module cannot be seen here, ${modulesFolder()} has no list of modules`;
    case "missing":
      return option === undefined
        ? `${kernel} has no module "${name}"; check the name, or use a kernel that has it`
        : `${kernel} has no module "${name}"; use one that is built with ${option}`;
  }
}

/** What to do on a machine without a USB device controller. */
export function controllerRemedy(dummyHcd = moduleState("dummy_hcd")): string {
  switch (dummyHcd) {
    case "missing":
      return "use a board that has one, and load its driver (dwc2, dwc3, musb_hdrc, ...)";
    case "unknown":
      return 'load the driver of the board\'s controller, or a virtual one where the kernel has it: "sudo modprobe dummy_hcd is_super_speed=1", outside of the container if this is one';
    default:
      return 'load the driver of the board\'s controller, or a virtual one: "sudo modprobe dummy_hcd is_super_speed=1"';
  }
}

/** The module with the driver of a type of function. */
export function functionModule(type: string): string {
  return type === "ffs" ? "usb_f_fs" : MODULES[type] ?? `usb_f_${type}`;
}
