/**
 * Looks for what a gadget needs on this machine, and says what to do about what
 * is missing.
 *
 * @module
 */
import { openAio } from "../../ffi/aio/calls.ts";
import { libc } from "../../ffi/libc.ts";
import { exists } from "../../ffi/file.ts";
import { listClaims } from "../state/claim.ts";
import { ROOT_REMEDY } from "../gadget/hints.ts";
import { type FunctionFsFeatures, probeFunctionFs } from "../gadget/probe.ts";
import {
  controllerRemedy,
  findConfigfs,
  kernelRelease,
  moduleRemedy,
  type ModuleState,
  moduleState,
} from "../gadget/remedies.ts";
import { describeScatterGather } from "../gadget/udc/scatter_gather.ts";
import { listUdcs, type Udc } from "../gadget/udc/udc.ts";
import { kernelOptions, type OptionValue } from "./kernel_options.ts";

/** What the doctor looks at. */
export interface Machine {
  /** The release of the kernel. */
  readonly release: string;
  /** Whether the program runs as root. */
  readonly root: boolean;
  /** Where configfs is mounted. */
  readonly configfs: string | undefined;
  /** Whether configfs has a directory for gadgets. */
  readonly gadgets: boolean;
  /** How the kernel was built, where it tells. */
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
  /** What it is about. */
  readonly name: string;
  /**
   * - `"ok"`: it is there.
   * - `"note"`: gadgets work without it.
   * - `"missing"`: no gadget works without it.
   */
  readonly state: "ok" | "note" | "missing";
  /** What was found, in words. */
  readonly text: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** The kernel's options without which there are no gadgets. */
const OPTIONS = ["CONFIG_USB_CONFIGFS", "CONFIG_USB_CONFIGFS_F_FS"];

/** This machine. */
export async function thisMachine(): Promise<Machine> {
  const configfs = findConfigfs();
  const release = kernelRelease();
  return {
    release,
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
  const findings: Finding[] = [
    { name: "kernel", state: "ok", text: `Linux ${machine.release}` },
    machine.root
      ? { name: "permissions", state: "ok", text: "root" }
      : missing("permissions", "not root", ROOT_REMEDY),
    examineOptions(machine),
    examineConfigfs(machine),
    examineGadgets(machine),
    examineModule(machine, "usb_f_fs"),
    ...examineUdcs(machine),
    machine.aio === "syscall"
      ? {
        name: "libaio",
        state: "note",
        text: "not installed; system calls are used instead",
      }
      : { name: "libaio", state: "ok", text: machine.aio },
  ];
  if (machine.leftovers.length > 0) {
    findings.push({
      name: "leftovers",
      state: "note",
      text: `gadgets of processes that have ended: ${
        machine.leftovers.join(", ")
      }`,
      remedy: 'remove them with "clean"',
    });
  }
  const able = findings.every((it) =>
    it.state !== "missing" || it.name === "controller"
  );
  if (able) findings.push(...examineFeatures(machine));
  return findings;
}

function missing(name: string, text: string, remedy: string): Finding {
  return { name, state: "missing", text, remedy };
}

function examineOptions({ options, release }: Machine): Finding {
  const name = "options";
  if (options === undefined) {
    const text =
      `unknown: neither /boot/config-${release} nor /proc/config.gz can be read`;
    return { name, state: "note", text };
  }
  const text = [...options].map((it) => it.join("=")).join(", ");
  const off = [...options].filter(([, value]) => value === "n");
  if (off.length === 0) return { name, state: "ok", text };
  const names = off.map(([option]) => option).join(" and ");
  return missing(name, text, `use a kernel that is built with ${names}`);
}

function examineConfigfs(machine: Machine): Finding {
  if (machine.configfs !== undefined) {
    const text = `mounted on ${machine.configfs}`;
    return { name: "configfs", state: "ok", text };
  }
  return machine.moduleState("configfs") === "loaded"
    ? {
      name: "configfs",
      state: "note",
      text: "not mounted; a gadget mounts it",
    }
    : missing(
      "configfs",
      "not in the kernel that runs",
      machine.moduleRemedy("configfs"),
    );
}

function examineGadgets(machine: Machine): Finding {
  if (machine.gadgets || machine.moduleState("libcomposite") === "loaded") {
    return { name: "gadgets", state: "ok", text: "libcomposite is loaded" };
  }
  return missing(
    "gadgets",
    "libcomposite is not loaded",
    machine.moduleRemedy("libcomposite"),
  );
}

function examineModule(machine: Machine, module: string): Finding {
  const name = "FunctionFS";
  switch (machine.moduleState(module)) {
    case "loaded":
      return { name, state: "ok", text: `${module} is loaded` };
    case "loadable":
      return { name, state: "ok", text: `the kernel loads ${module} on use` };
    case "unknown":
      return {
        name,
        state: "note",
        text: `whether the kernel has ${module} cannot be seen here`,
        remedy: machine.moduleRemedy(module),
      };
    case "missing":
      return missing(name, "not there", machine.moduleRemedy(module));
  }
}

function examineUdcs({ udcs, ...machine }: Machine): Finding[] {
  const name = "controller";
  if (udcs.length === 0) {
    return [missing(
      name,
      "no USB device controller",
      controllerRemedy(machine.moduleState("dummy_hcd")),
    )];
  }
  return udcs.map((udc) => ({
    name,
    state: "ok",
    text: `${udc.name} (${udc.controllerDriver || "?"}), ${udc.maximumSpeed}, ${
      udc.driver === "" ? "free" : `taken by ${udc.driver}, ${udc.state}`
    }; ${describeScatterGather(udc.controllerDriver)}`,
  }));
}

function examineFeatures(machine: Machine): Finding[] {
  let features: FunctionFsFeatures;
  try {
    features = machine.probe();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // Modules of another kernel, a container, a security module, ...
    return [{ name: "gadgets", state: "missing", text: error.message }];
  }
  const feature = (name: string, has: boolean, since: string): Finding => ({
    name,
    state: has ? "ok" : "note",
    text: has ? "yes" : `no, needs Linux ${since}`,
  });
  return [
    feature("epN_rw files", features.rwProxy, "7.3"),
    feature("automatic zero-length packets", features.zlp, "7.3"),
    feature("DMABUF", features.dmabuf, "6.9"),
  ];
}

/** Writes findings for people. */
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
