/**
 * Errors of configfs that name the remedy.
 *
 * @module
 */
import { type FailedCall, isSystemError } from "../../ffi/errno.ts";
import { exists, mkdir, readTextFile } from "../../ffi/file.ts";
import { listMounts, mount } from "../../ffi/mount.ts";

const CONFIGFS = "/sys/kernel/config";

/** The kernel's options behind its modules. */
const OPTIONS: Readonly<Record<string, string>> = {
  configfs: "CONFIG_CONFIGFS_FS",
  libcomposite: "CONFIG_USB_CONFIGFS",
  usb_f_fs: "CONFIG_USB_CONFIGFS_F_FS",
  usb_f_ecm: "CONFIG_USB_CONFIGFS_ECM",
  usb_f_ecm_subset: "CONFIG_USB_CONFIGFS_ECM_SUBSET",
  usb_f_ncm: "CONFIG_USB_CONFIGFS_NCM",
  usb_f_rndis: "CONFIG_USB_CONFIGFS_RNDIS",
  usb_f_eem: "CONFIG_USB_CONFIGFS_EEM",
  usb_f_acm: "CONFIG_USB_CONFIGFS_ACM",
  usb_f_serial: "CONFIG_USB_CONFIGFS_SERIAL",
  usb_f_obex: "CONFIG_USB_CONFIGFS_OBEX",
  usb_f_hid: "CONFIG_USB_CONFIGFS_F_HID",
  usb_f_mass_storage: "CONFIG_USB_CONFIGFS_MASS_STORAGE",
  usb_f_midi: "CONFIG_USB_CONFIGFS_F_MIDI",
  usb_f_midi2: "CONFIG_USB_CONFIGFS_F_MIDI2",
  usb_f_uac1: "CONFIG_USB_CONFIGFS_F_UAC1",
  usb_f_uac2: "CONFIG_USB_CONFIGFS_F_UAC2",
  usb_f_uvc: "CONFIG_USB_CONFIGFS_F_UVC",
  usb_f_printer: "CONFIG_USB_CONFIGFS_F_PRINTER",
  usb_f_ss_lb: "CONFIG_USB_CONFIGFS_F_LB_SS",
  dummy_hcd: "CONFIG_USB_DUMMY_HCD",
};

/** Function types whose module is not `usb_f_TYPE`. */
const MODULES: Readonly<Record<string, string>> = {
  gser: "usb_f_serial",
  geth: "usb_f_ecm_subset",
  Loopback: "usb_f_ss_lb",
  SourceSink: "usb_f_ss_lb",
};

/** Where a module of this kernel can be. */
export type ModuleState = "loaded" | "loadable" | "missing";

/** Tells whether the running kernel has a module, loaded, built in, or on disk. */
export function moduleState(name: string): ModuleState {
  if (exists(`/sys/module/${name}`)) return "loaded";
  const folder = `/lib/modules/${kernelRelease()}`;
  const file = new RegExp(
    `/${name.replaceAll("_", "[_-]")}\\.ko(\\.\\w+)?(:|$)`,
    "m",
  );
  const lists = (index: string) =>
    exists(`${folder}/${index}`) &&
    file.test(readTextFile(`${folder}/${index}`));
  if (lists("modules.builtin")) return "loaded";
  return lists("modules.dep") ? "loadable" : "missing";
}

/** The release of the running kernel, such as `"6.12.9-amd64"`. */
export function kernelRelease(): string {
  return readTextFile("/proc/sys/kernel/osrelease");
}

/** What to do about a module that is not there. */
export function moduleRemedy(name: string): string {
  if (moduleState(name) !== "missing") {
    return `load it with "sudo modprobe ${name}"`;
  }
  const option = OPTIONS[name];
  return `this kernel (${kernelRelease()}) has no module "${name}"; use one that is built with ${
    option ?? "it"
  }`;
}

/** What to do on a machine without a USB device controller. */
export function controllerRemedy(dummyHcd = moduleState("dummy_hcd")): string {
  return dummyHcd === "missing"
    ? "use a board that has one, and load its driver (dwc2, dwc3, musb_hdrc, ...)"
    : 'load the driver of the board\'s controller, or a virtual one: "sudo modprobe dummy_hcd is_super_speed=1"';
}

/** The module that implements a type of function. */
export function functionModule(type: string): string {
  return type === "ffs" ? "usb_f_fs" : MODULES[type] ?? `usb_f_${type}`;
}

/** What to do about a call that was not permitted. */
export const ROOT_REMEDY =
  "gadgets need root: run it with sudo, in a container also with --privileged";

/** Makes the directory of a function; the kernel loads its driver for it. */
export function makeFunction(path: string): void {
  const type = path.slice(path.lastIndexOf("/") + 1).split(".")[0];
  try {
    mkdir(path, { action: `make function of type "${type}"` });
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
    throw withHint(
      error,
      `the kernel has no driver for it: ${moduleRemedy(functionModule(type))}`,
    );
  }
}

/**
 * The directory of all gadgets. configfs is mounted if nobody has done it.
 *
 * @throws {Deno.errors.NotFound} If the kernel has no gadget support, with the
 * command that loads it.
 * @throws {Deno.errors.PermissionDenied} Without the right to mount configfs.
 */
export function gadgetsDirectory(): string {
  const path = `${configfsDirectory()}/usb_gadget`;
  if (!exists(path)) {
    throw new Deno.errors.NotFound(
      `Cannot make gadgets: the kernel's gadget support is not there: ${
        moduleRemedy("libcomposite")
      }: ${path}`,
    );
  }
  return path;
}

/** Where configfs is mounted, or `undefined`. */
export function findConfigfs(): string | undefined {
  return listMounts().find(({ type }) => type === "configfs")?.target;
}

function configfsDirectory(): string {
  const mounted = findConfigfs();
  if (mounted !== undefined) return mounted;
  if (!exists(CONFIGFS)) {
    throw new Deno.errors.NotFound(
      `Cannot make gadgets: the kernel's configfs is not there: ${
        // libcomposite brings configfs with it.
        moduleRemedy("libcomposite")}: ${CONFIGFS}`,
    );
  }
  try {
    mount({ source: "none", target: CONFIGFS, type: "configfs" });
  } catch (error) {
    throw permissionHint(error, ROOT_REMEDY);
  }
  return CONFIGFS;
}

/** Adds advice to an error that says that something is not permitted. */
export function permissionHint(error: unknown, hint: string): unknown {
  if (!isSystemError(error, "EPERM", "EACCES", "EROFS")) return error;
  return withHint(error, hint);
}

/** Adds advice to the message of an error. */
export function withHint<E extends Error & Partial<FailedCall>>(
  error: E,
  hint: string,
): E {
  error.message += `: ${hint}`;
  return error;
}
