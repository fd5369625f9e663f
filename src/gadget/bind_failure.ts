/**
 * Why a gadget could not be bound to a UDC. The kernel answers EBUSY in every
 * case, so this looks for the reason.
 *
 * @module
 */
import {
  Errno,
  isSystemError,
  rephrase,
  systemError,
  type SystemErrorFields,
} from "../../ffi/errno.ts";
import { readTextFile } from "../../ffi/file.ts";
import { interfaceTotals } from "../check/gadget/interfaces.ts";
import { type GadgetDefinition, isOwnFunction } from "../definition/gadget.ts";
import { controllerRemedy } from "../remedies/kernel.ts";
import { kernelRelease } from "../../ffi/kernel_release.ts";
import { readClaim } from "../state/claim.ts";
import type { LiveGadget } from "./create.ts";
import { gadgetsDirectory } from "./configfs/directory.ts";
import { unreadyFunctions } from "./readiness.ts";
import { listUdcs, readUdcDriver, type Udc, UDC_CLASS } from "./udc/udc.ts";

/**
 * The fields of the error of a failed bind.
 *
 * @category Errors
 */
export interface BindFailure extends SystemErrorFields {
  /** The likely reasons, of which the message has the first. */
  readonly reasons: readonly string[];
  /** What the kernel has logged meanwhile, if this process may read its log. */
  readonly kernelLog: readonly string[];
}

/** The error of a bind without a controller to bind to. */
export function noFreeController(
  { name, root }: LiveGadget,
  udcs: readonly Pick<Udc, "name">[],
): Error & BindFailure {
  const owners = udcs.map((it) => `"${it.name}" by ${udcOwner(it.name)}`);
  const reason = udcs.length === 0
    ? `this machine has no USB device controller, or its driver is not loaded: ${controllerRemedy()}`
    : `no USB device controller is free: ${owners.join(", ")}`;
  return failure(
    udcs.length === 0 ? missingUdc(UDC_CLASS) : busyUdc(root),
    `Cannot bind gadget "${name}": ${reason}`,
    [reason],
  );
}

/**
 * The error of a failed bind.
 *
 * @param error What the kernel has answered; by default what it answers for a
 * controller that is taken.
 */
export function bindError(
  gadget: LiveGadget,
  udc: string,
  error: Error & SystemErrorFields = busyUdc(gadget.root),
  kernelLog: readonly string[] = [],
): Error & BindFailure {
  const reasons = findReasons(gadget, udc, kernelLog);
  const [reason = "the kernel gives no reason; its log may (sudo dmesg)"] =
    reasons;
  return failure(
    readUdcDriver(udc) === undefined
      ? missingUdc(`${UDC_CLASS}/${udc}`)
      : error,
    `Cannot bind gadget "${gadget.name}" to UDC "${udc}": ${reason}`,
    reasons,
    kernelLog,
  );
}

/** The error of the kernel for a controller that is taken. */
function busyUdc(root: string): Error & SystemErrorFields {
  return systemError(Errno.EBUSY, {
    action: "bind gadget",
    syscall: "write",
    path: `${root}/UDC`,
  });
}

/** The error for a controller that does not exist; the kernel's is EBUSY. */
function missingUdc(path: string): Error & SystemErrorFields {
  return systemError(Errno.ENOENT, {
    action: "find USB device controller",
    syscall: "access",
    path,
  });
}

/** The same error with another message. */
function failure(
  cause: Error & SystemErrorFields,
  message: string,
  reasons: readonly string[],
  kernelLog: readonly string[] = [],
): Error & BindFailure {
  return Object.assign(rephrase(cause, message), { reasons, kernelLog });
}

/** What user space can see, or else what the kernel's log says. */
function findReasons(
  gadget: LiveGadget,
  udc: string,
  kernelLog: readonly string[],
): string[] {
  if (readUdcDriver(udc) === undefined) {
    const names = listUdcs().map((it) => `"${it.name}"`).join(", ");
    return [
      `there is no such controller; this machine has ${names || "none"}`,
    ];
  }
  const owner = udcOwner(udc);
  if (owner !== undefined) return [`it is taken by ${owner}`];
  const unready = unreadyFunctions(gadget);
  if (unready.length > 0) {
    return unready.map(({ name, closed }) =>
      closed
        ? `function "${name}" is closed; stop the gadget, and start another`
        : `function "${name}" is not ready: no process has written its descriptors; open it with FunctionFs.open()`
    );
  }
  return kernelReasons(gadget.definition, kernelLog);
}

/** Who has a controller, in words; `undefined` if it is free or does not exist. */
export function udcOwner(udc: string): string | undefined {
  const driver = readUdcDriver(udc);
  if (driver === undefined || driver === "") return undefined;
  if (!isGadgetOn(driver, udc)) return `the gadget driver "${driver}"`;
  const claim = readClaim(driver);
  switch (claim?.owner) {
    case "dead":
      return `the gadget "${driver}", which a process that has ended left behind; remove it with Gadget.cleanUp()`;
    case "alive":
      return `the gadget "${driver}" of process ${claim.pid}`;
    default:
      return `the gadget "${driver}"`;
  }
}

/** Whether a driver is a gadget of configfs. Other gadgets may name a controller that was gone for a while. */
function isGadgetOn(driver: string, udc: string): boolean {
  try {
    return readTextFile(`${gadgetsDirectory()}/${driver}/UDC`) === udc;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}

/** Lines that the kernel logs about every failed bind, and about the host at the other end. */
const NOISE = /^UDC core: |: probe .*failed with error|^(usb|hub) \d/;

/** Finds error numbers in the kernel's log: `failed to start NAME: -19`. */
function kernelReasons(
  definition: GadgetDefinition,
  kernelLog: readonly string[],
): string[] {
  const lines = kernelLog.filter((line) => !NOISE.test(line)).join("; ");
  if (lines === "") return [];
  const says = `the kernel says: ${lines}`;
  // The kernel removed its folder in sysfs with the old controller, but still uses it.
  if (/kobject_add_internal failed .*\(error: -2 parent: net\)/.test(lines)) {
    return [
      `the kernel cannot make its network interface where one has been before: the controller's driver was loaded again meanwhile, and this kernel (Linux ${kernelRelease()}) only gets over that when the machine is restarted (${says})`,
    ];
  }
  switch (/failed to start [^:]+: (-\d+)/.exec(lines)?.[1]) {
    case "-524":
      return [
        `the controller has no endpoint for one of the functions: it has too few of the type, size or direction (${
          countEndpoints(definition)
        } declared by functions of this process; no controller of dummy_hcd has isochronous ones) (${says})`,
      ];
    case "-19":
      return [`${exhausted(definition)} (${says})`];
    case "-22":
      return [
        `two descriptors of a function use the same endpoint address, or an earlier attempt has left some behind (${says})`,
      ];
    case "-28":
      return [`there is no room left for strings or descriptors (${says})`];
    default:
      return [says];
  }
}

/** ENODEV: not enough endpoints, interface numbers or string IDs. */
function exhausted(definition: GadgetDefinition): string {
  const most = Math.max(...interfaceTotals(definition));
  return most > 16
    ? `a configuration has ${most} interfaces, more than this kernel takes (32, and 16 before Linux 6.12)`
    : "the controller has no endpoints left for a function, its functions have more interfaces than a configuration takes (32, and 16 before Linux 6.12), or a function has lost its device";
}

function countEndpoints({ functions }: GadgetDefinition): number {
  return functions.filter(isOwnFunction)
    .flatMap(({ interfaces }) => interfaces)
    .flatMap(({ endpoints = {} }) => Object.values(endpoints))
    .reduce((sum, { kind }) => sum + (kind === "pair" ? 2 : 1), 0);
}
