/**
 * Checks this machine for everything that gadgets need, with a remedy for each
 * missing thing.
 *
 * @module
 */
import { openAio } from "../../ffi/aio/calls.ts";
import { libc } from "../../ffi/libc.ts";
import { exists } from "../../ffi/file.ts";
import { kernelRelease } from "../../ffi/kernel_release.ts";
import { listClaims } from "../state/claim.ts";
import { ROOT_REMEDY } from "../remedies/hint.ts";
import { type FunctionFsFeatures, probeFunctionFs } from "./probe.ts";
import {
  controllerRemedy,
  moduleRemedy,
  type ModuleState,
  moduleState,
} from "../remedies/kernel.ts";
import { findConfigfs } from "../gadget/configfs/directory.ts";
import { describeScatterGather } from "../gadget/udc/capabilities.ts";
import { listUdcs, type Udc } from "../gadget/udc/udc.ts";
import {
  type Environment,
  findEnvironment,
  THIS_SYSTEM,
} from "./environment.ts";
import { kernelOptions, type OptionValue } from "./kernel_options.ts";

/** What the doctor examines. */
export interface Machine {
  /** The release of the kernel. */
  readonly release: string;
  /** Where it runs, if not on a machine of its own. */
  readonly environment: Environment | undefined;
  /** Whether the program runs as root. */
  readonly root: boolean;
  /** Where configfs is mounted. */
  readonly configfs: string | undefined;
  /** Whether configfs has a directory for gadgets. */
  readonly gadgets: boolean;
  /** How the kernel was built, if that is known. */
  readonly options: ReadonlyMap<string, OptionValue> | undefined;
  /** The state of a kernel module. */
  moduleState(name: string): ModuleState;
  /** What to do about a kernel module. */
  moduleRemedy(name: string): string;
  readonly udcs: readonly Pick<
    Udc,
    "name" | "driver" | "state" | "maximumSpeed" | "controllerDriver"
  >[];
  /** Where the AIO calls come from. */
  readonly aio: string;
  /** Gadgets that processes have left behind. */
  readonly leftovers: readonly string[];
  /** Probes FunctionFS. */
  probe(): FunctionFsFeatures;
}

/** What was found out about one thing. */
export interface Finding {
  /** The thing. */
  readonly name: string;
  /**
   * - `"ok"`: it exists.
   * - `"note"`: gadgets work without it.
   * - `"missing"`: no gadget works without it.
   */
  readonly state: "ok" | "note" | "missing";
  /** What was found, in words. */
  readonly text: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** Kernel options that gadgets need. */
const OPTIONS = ["CONFIG_USB_CONFIGFS", "CONFIG_USB_CONFIGFS_F_FS"];

/** This machine. */
export async function thisMachine(): Promise<Machine> {
  const configfs = findConfigfs();
  const release = kernelRelease();
  return {
    release,
    environment: findEnvironment(release, THIS_SYSTEM),
    options: await kernelOptions(release, OPTIONS),
    root: libc().geteuid() === 0,
    configfs,
    gadgets: configfs !== undefined && exists(`${configfs}/usb_gadget`),
    moduleState,
    moduleRemedy,
    udcs: listUdcs(),
    aio: openAio().library,
    leftovers: listClaims().filter(({ owner }) => owner === "dead")
      .map(({ name }) => name),
    probe: probeFunctionFs,
  };
}

/** Examines a machine. */
export function examine(machine: Machine): Finding[] {
  const { leftovers } = machine;
  const findings = [
    ok("kernel", `Linux ${machine.release}`),
    ...examineEnvironment(machine),
    machine.root
      ? ok("permissions", "root")
      : missing("permissions", "not root", ROOT_REMEDY),
    examineOptions(machine),
    examineConfigfs(machine),
    machine.gadgets || machine.moduleState("libcomposite") === "loaded"
      ? ok("gadgets", "libcomposite is loaded")
      : missing(
        "gadgets",
        "libcomposite is not loaded",
        machine.moduleRemedy("libcomposite"),
      ),
    examineFunctionFs(machine),
    ...examineUdcs(machine),
    machine.aio === "syscall"
      ? note("libaio", "not installed; system calls are used instead")
      : ok("libaio", machine.aio),
  ];
  if (leftovers.length > 0) {
    findings.push(note(
      "leftovers",
      `gadgets of processes that have ended: ${leftovers.join(", ")}`,
      'remove them with "clean"',
    ));
  }
  const able = findings.every((it) =>
    it.state !== "missing" || it.name === "controller"
  );
  if (able) findings.push(...examineFeatures(machine));
  return findings;
}

function ok(name: string, text: string): Finding {
  return { name, state: "ok", text };
}

function note(name: string, text: string, remedy?: string): Finding {
  return {
    name,
    state: "note",
    text,
    ...(remedy === undefined ? {} : { remedy }),
  };
}

function missing(name: string, text: string, remedy?: string): Finding {
  return { ...note(name, text, remedy), state: "missing" };
}

function examineEnvironment({ environment }: Machine): Finding[] {
  switch (environment?.kind) {
    case undefined:
      return [];
    case "container":
      return [note(
        "environment",
        `a container (${environment.manager})`,
        "gadgets need --privileged, and modules that are loaded outside of the container",
      )];
    case "WSL":
      return [note(
        "environment",
        "WSL",
        "if its kernel lacks something, build one that has it and name it in .wslconfig, or use a VM: deno run -A jsr:@usb/gadget/vm",
      )];
  }
}

function examineOptions({ options, release }: Machine): Finding {
  const name = "options";
  if (options === undefined) {
    return note(
      name,
      `unknown: neither /boot/config-${release} nor /proc/config.gz can be read`,
    );
  }
  const text = [...options].map((it) => it.join("=")).join(", ");
  const off = [...options].filter(([, value]) => value === "n");
  if (off.length === 0) return ok(name, text);
  const names = off.map(([option]) => option).join(" and ");
  return missing(name, text, `use a kernel that is built with ${names}`);
}

function examineConfigfs(machine: Machine): Finding {
  const name = "configfs";
  if (machine.configfs !== undefined) {
    return ok(name, `mounted on ${machine.configfs}`);
  }
  return machine.moduleState("configfs") === "loaded"
    ? note(name, "not mounted; a gadget mounts it")
    : missing(
      name,
      "not in the running kernel",
      machine.moduleRemedy("configfs"),
    );
}

function examineFunctionFs(machine: Machine): Finding {
  const name = "FunctionFS";
  const remedy = () => machine.moduleRemedy("usb_f_fs");
  switch (machine.moduleState("usb_f_fs")) {
    case "loaded":
      return ok(name, "usb_f_fs is loaded");
    case "loadable":
      return ok(name, "the kernel loads usb_f_fs on use");
    case "unknown":
      return note(
        name,
        "whether the kernel has usb_f_fs cannot be seen here",
        remedy(),
      );
    case "missing":
      return missing(name, "the kernel does not have usb_f_fs", remedy());
  }
}

function examineUdcs({ udcs, ...machine }: Machine): Finding[] {
  const name = "controller";
  if (udcs.length === 0) {
    const remedy = controllerRemedy(machine.moduleState("dummy_hcd"));
    return [missing(name, "no USB device controller", remedy)];
  }
  return udcs.map((udc) => {
    const use = udc.driver === ""
      ? "free"
      : `taken by ${udc.driver}, ${udc.state}`;
    const driver = udc.controllerDriver;
    return ok(
      name,
      `${udc.name} (${driver || "?"}), ${udc.maximumSpeed}, ${use}; ${
        describeScatterGather(driver)
      }`,
    );
  });
}

function examineFeatures(machine: Machine): Finding[] {
  let features: FunctionFsFeatures;
  try {
    features = machine.probe();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // Modules of another kernel, a container, a security module, ...
    return [missing("gadgets", error.message)];
  }
  const feature = (name: string, has: boolean, since: string): Finding =>
    has ? ok(name, "yes") : note(name, `no, needs Linux ${since}`);
  return [
    feature("epN_rw files", features.rwProxy, "7.3"),
    feature("automatic zero-length packets", features.zlp, "7.3"),
    feature("DMABUF", features.dmabuf, "6.9"),
  ];
}

/** Findings as text. */
export function formatFindings(findings: readonly Finding[]): string {
  const marks = { ok: "ok", note: "note", missing: "MISSING" };
  const lines = findings.flatMap(({ name, state, text, remedy }) => [
    `${marks[state].padEnd(8)}${name}: ${text}`,
    ...(remedy === undefined ? [] : [`        -> ${remedy}`]),
  ]);
  const count = findings.filter(({ state }) => state === "missing").length;
  return [
    ...lines,
    "",
    count === 0
      ? "Gadgets work on this machine."
      : `Gadgets do not work on this machine: ${count} ${
        count === 1 ? "thing is" : "things are"
      } missing.`,
  ].join("\n");
}
