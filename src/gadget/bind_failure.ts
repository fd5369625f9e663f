/**
 * Why a gadget could not be bound to a UDC. The kernel answers EBUSY whatever
 * the reason is, so the reason is looked for.
 *
 * @module
 */
import { isSystemError, type SystemErrorFields } from "../../ffi/errno.ts";
import { exists, list, readTextFile } from "../../ffi/file.ts";
import { readClaim } from "./claim.ts";
import {
  configurationFunctions,
  type GadgetDefinition,
  isOwnFunction,
} from "./gadget_definition.ts";
import { gadgetsDirectory } from "./remedies.ts";
import { listUdcs, UDC_CLASS } from "./udc.ts";

/** What the error of a failed bind carries beside its message. */
export interface BindFailure extends SystemErrorFields {
  /** The likely reasons, the first one being in the message. */
  readonly reasons: readonly string[];
  /** What the kernel has written to its log meanwhile, where it may be read. */
  readonly kernelLog: readonly string[];
}

/** What is known about a failed bind. */
export interface FailedBind {
  /** The gadget's directory. */
  readonly root: string;
  readonly name: string;
  readonly definition: GadgetDefinition;
  /** The controller that was asked for. */
  readonly udc: string;
  /** What the kernel has written to its log meanwhile. */
  readonly kernelLog: readonly string[];
  /** Functions that have no descriptors yet. */
  readonly notReady: readonly string[];
}

/** Makes the error of a failed bind out of what the kernel threw. */
export function bindError(
  error: Error & SystemErrorFields,
  failed: FailedBind,
): Error & BindFailure {
  const reasons = findReasons(failed);
  const { udc, kernelLog } = failed;
  const [reason = kernelReason(failed)] = reasons;
  if (reasons.length === 0 && reason !== undefined) reasons.push(reason);
  const message = `Cannot bind gadget "${failed.name}" to UDC "${udc}": ${
    reason ?? "the kernel does not tell why; its log may (sudo dmesg)"
  }`;
  const fields = {
    code: error.code,
    errno: error.errno,
    syscall: error.syscall,
    path: error.path,
    reasons,
    kernelLog,
  };
  return Object.assign(
    new Deno.errors.Busy(message, { cause: error }),
    fields,
  );
}

/** What can be seen from user space. */
function findReasons({ udc, notReady }: FailedBind): string[] {
  if (!exists(`${UDC_CLASS}/${udc}`)) {
    const names = listUdcs().map((it) => `"${it.name}"`).join(", ");
    return [
      `there is no such controller; this machine has ${names || "none"}`,
    ];
  }
  const owner = udcOwner(udc);
  if (owner !== undefined) return [`it is taken by ${owner}`];
  return notReady.map((name) =>
    `function "${name}" is not ready: no process has written its descriptors; open it with FunctionFs.open()`
  );
}

/** Who has a controller, in words. */
export function udcOwner(udc: string): string | undefined {
  const { driver } = listUdcs().find(({ name }) => name === udc) ?? {};
  if (driver === undefined || driver === "") return undefined;
  const gadget = gadgetOfUdc(udc);
  if (gadget === undefined) return `the gadget driver "${driver}"`;
  const claim = readClaim(gadget);
  if (claim === undefined) return `the gadget "${gadget}"`;
  if (claim.owner === "dead") {
    return `the gadget "${gadget}", which a process that has ended left behind; remove it with Gadget.cleanUp()`;
  }
  return claim.pid === 0
    ? `the gadget "${gadget}"`
    : `the gadget "${gadget}" of process ${claim.pid}`;
}

function gadgetOfUdc(udc: string): string | undefined {
  const directory = gadgetsDirectory();
  return list(directory).map(({ name }) => name).find((name) => {
    try {
      return readTextFile(`${directory}/${name}/UDC`) === udc;
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return false; // Gone by now.
      throw error;
    }
  });
}

/** Error numbers that the kernel writes to its log: `failed to start NAME: -19`. */
function kernelReason(failed: FailedBind): string | undefined {
  const { kernelLog, definition } = failed;
  const own = definition.functions.filter(isOwnFunction);
  const endpoints = own.reduce(
    (sum, it) =>
      sum + it.interfaces.reduce(
        (count, each) => count + Object.keys(each.endpoints ?? {}).length,
        0,
      ),
    0,
  );
  const lines = kernelLog.join("; ");
  const said = lines === "" ? "" : ` (the kernel says: ${lines})`;
  const number = /failed to start [^:]+: (-\d+)/.exec(lines)?.[1];
  const words = (text: string) => `${text}${said}`;
  switch (number) {
    case "-524":
      return words(
        `the controller has no endpoint for one of the functions: it has too few of the type, size or direction (${endpoints} declared by functions of this process; no controller of dummy_hcd has isochronous ones)`,
      );
    case "-19": {
      const most = Math.max(
        ...configurationFunctions(definition).map((each) =>
          each.reduce(
            (sum, it) =>
              sum +
              (isOwnFunction(it) ? it.interfaces.length : it.interfaces ?? 1),
            0,
          )
        ),
      );
      return words(
        most > 16
          ? `a configuration has ${most} interfaces, more than this kernel takes (32, and 16 before Linux 6.12)`
          : "the controller has no endpoints left for a function, or a function has lost its device; use fewer endpoints or another controller",
      );
    }
    case "-22":
      return words(
        "two descriptors of a function use the same endpoint address, or an earlier attempt has left some behind",
      );
    case "-28":
      return words("there is no room left for strings or descriptors");
    default:
      return lines === "" ? undefined : `the kernel says: ${lines}`;
  }
}
