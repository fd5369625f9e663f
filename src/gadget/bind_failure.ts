/**
 * Why a gadget could not be bound to a UDC. The kernel answers EBUSY whatever
 * the reason is, so the reason is looked for.
 *
 * @module
 */
import {
  Errno,
  rephrase,
  systemError,
  type SystemErrorFields,
} from "../../ffi/errno.ts";
import {
  type GadgetDefinition,
  isOwnFunction,
} from "../definition/gadget.ts";
import { interfaceTotals } from "../check/gadget/interface_offsets.ts";
import type { UnreadyFunction } from "./readiness.ts";
import { controllerRemedy, kernelRelease } from "../remedies/kernel.ts";
import type { TreeWriter } from "./configfs/writer.ts";
import { listUdcs, readUdcDriver, type Udc, UDC_CLASS } from "./udc/udc.ts";
import { udcOwner } from "./udc/owner.ts";

/** What the error of a failed bind carries beside its message. */
export interface BindFailure extends SystemErrorFields {
  /** The likely reasons, the first one being in the message. */
  readonly reasons: readonly string[];
  /** What the kernel has written to its log meanwhile, where it may be read. */
  readonly kernelLog: readonly string[];
}

/** What is known about a failed bind. */
export interface FailedBind {
  readonly name: string;
  readonly definition: GadgetDefinition;
  /** The controller that was asked for. */
  readonly udc: string;
  /** What the kernel has written to its log meanwhile. */
  readonly kernelLog: readonly string[];
  /** Functions that have no descriptors. */
  readonly unready: readonly UnreadyFunction[];
}

/** The error of a bind without a controller to bind to. */
export function noFreeController(
  name: string,
  writer: TreeWriter,
  udcs: readonly Pick<Udc, "name">[],
): Error & BindFailure {
  const owners = udcs.map((it) => `"${it.name}" by ${udcOwner(it.name)}`);
  const reason = udcs.length === 0
    ? `this machine has no USB device controller, or its driver is not loaded: ${controllerRemedy()}`
    : `no USB device controller is free: ${owners.join(", ")}`;
  return failure(
    udcs.length === 0 ? missingUdc() : busyUdc(writer),
    `Cannot bind gadget "${name}": ${reason}`,
    [reason],
  );
}

/** The error that the kernel would give for a controller that is taken. */
export function busyUdc(
  writer: TreeWriter,
  udc?: string,
): Error & SystemErrorFields {
  return systemError(Errno.EBUSY, {
    action: `bind gadget to UDC${udc === undefined ? "" : ` "${udc}"`}`,
    syscall: "write",
    path: writer.resolve("UDC"),
  });
}

/** The error of a look for a controller that does not exist; the kernel says EBUSY. */
function missingUdc(udc?: string): Error & SystemErrorFields {
  return systemError(Errno.ENOENT, {
    action: "find USB device controller",
    syscall: "access",
    path: udc === undefined ? UDC_CLASS : `${UDC_CLASS}/${udc}`,
  });
}

/** Says the same error in other words. */
function failure(
  cause: Error & SystemErrorFields,
  message: string,
  reasons: readonly string[],
  kernelLog: readonly string[] = [],
): Error & BindFailure {
  return Object.assign(rephrase(cause, message), { reasons, kernelLog });
}

/** Makes the error of a failed bind out of what the kernel threw. */
export function bindError(
  error: Error & SystemErrorFields,
  failed: FailedBind,
): Error & BindFailure {
  const { name, udc, kernelLog } = failed;
  const reasons = findReasons(failed);
  const [reason = "the kernel does not tell why; its log may (sudo dmesg)"] =
    reasons;
  const message = `Cannot bind gadget "${name}" to UDC "${udc}": ${reason}`;
  const missing = readUdcDriver(udc) === undefined;
  const cause = missing ? missingUdc(udc) : error;
  return failure(cause, message, reasons, kernelLog);
}

/** What can be seen from user space, or else what the kernel's log tells. */
function findReasons(failed: FailedBind): string[] {
  const { udc, unready } = failed;
  if (readUdcDriver(udc) === undefined) {
    const names = listUdcs().map((it) => `"${it.name}"`).join(", ");
    return [
      `there is no such controller; this machine has ${names || "none"}`,
    ];
  }
  const owner = udcOwner(udc);
  if (owner !== undefined) return [`it is taken by ${owner}`];
  if (unready.length > 0) return unready.map(notReady);
  const reason = kernelReason(failed);
  return reason === undefined ? [] : [reason];
}

function notReady({ name, closed }: UnreadyFunction): string {
  return closed
    ? `function "${name}" is closed; stop the gadget, and start another`
    : `function "${name}" is not ready: no process has written its descriptors; open it with FunctionFs.open()`;
}

/** What the kernel says of every failed bind, and of the host at its other end. */
const NOISE = /^UDC core: |: probe .*failed with error|^(usb|hub) \d/;

/** Error numbers that the kernel writes to its log: `failed to start NAME: -19`. */
function kernelReason(
  { kernelLog, definition }: FailedBind,
): string | undefined {
  const lines = kernelLog.filter((line) => !NOISE.test(line)).join("; ");
  if (lines === "") return undefined;
  const said = `(the kernel says: ${lines})`;
  // Its folder in sysfs went with the old controller, and is still counted on.
  if (/kobject_add_internal failed .*\(error: -2 parent: net\)/.test(lines)) {
    return `the kernel cannot make its network interface where one has been before: the controller's driver was loaded again meanwhile, and this kernel (Linux ${kernelRelease()}) only gets over that when the machine is restarted ${said}`;
  }
  switch (/failed to start [^:]+: (-\d+)/.exec(lines)?.[1]) {
    case "-524":
      return `the controller has no endpoint for one of the functions: it has too few of the type, size or direction (${
        countEndpoints(definition)
      } declared by functions of this process; no controller of dummy_hcd has isochronous ones) ${said}`;
    case "-19":
      return `${exhausted(definition)} ${said}`;
    case "-22":
      return `two descriptors of a function use the same endpoint address, or an earlier attempt has left some behind ${said}`;
    case "-28":
      return `there is no room left for strings or descriptors ${said}`;
    default:
      return `the kernel says: ${lines}`;
  }
}

/** ENODEV: there are not enough endpoints, interface numbers or string ids. */
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
