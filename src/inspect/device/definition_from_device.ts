/**
 * Makes a gadget's definition from the descriptors of a real device.
 *
 * @module
 */
import { checkBytes } from "../../arguments/bytes.ts";
import {
  checkOptions,
  OBJECT,
  oneOf,
  type Rule,
} from "../../arguments/rules.ts";
import { checkGadget } from "../../check/gadget/gadget.ts";
import type { UdcCapabilities } from "../../check/endpoint_choice.ts";
import { DefinitionError, type Problem } from "../../check/problem.ts";
import { validateFunction } from "../../check/usb_function.ts";
import type { KernelVersion } from "../../compile/kernel_version.ts";
import type { FunctionDefinition } from "../../definition/function.ts";
import type {
  ConfigurationDefinition,
  GadgetDefinition,
} from "../../definition/gadget.ts";
import { type FunctionSpeed, type Speed, SPEEDS } from "../../usb/speed.ts";
import { bosFields } from "./bos.ts";
import { cloneFunction, compareOrder } from "./clone_function.ts";
import { divide } from "./configuration_functions.ts";
import type {
  ConfigurationSource,
  DeviceDescriptors,
  DeviceProblem,
} from "./device_descriptors.ts";
import { configurationFields, deviceFields } from "./device_fields.ts";
import { functionSpeedOf, guessSpeed } from "./device_speed.ts";
import { DeviceProblems } from "./problems.ts";
import { takeApart } from "./take_apart.ts";

const ACTION = "make a definition of a device";

/**
 * Where the clone will run. Without it, the newest kernel, and a controller that can do everything.
 *
 * @category Inspect
 */
export interface FromDeviceOptions {
  /** The kernel. */
  readonly kernel?: KernelVersion;
  /** The device controller. */
  readonly udc?: UdcCapabilities;
}

/**
 * A definition made from a device.
 *
 * @category Inspect
 */
export interface DeviceClone {
  /**
   * The gadget. Its functions are served by this process, and have no handlers yet: give them some with
   * `{ ...definition, functions: definition.functions.map(...) }`, or replace one by a kernel function.
   */
  readonly definition: GadgetDefinition<readonly FunctionDefinition[]>;
  /** What the gadget lacks, or has in another way than the device, in the order of the descriptors. */
  readonly problems: readonly DeviceProblem[];
}

const BYTES: Rule = {
  expected: "a Uint8Array",
  accepts: (it) => it instanceof Uint8Array,
};

/**
 * Makes a gadget's definition from the descriptors of a real device, as a host has read them: a clone, which hosts take
 * for the device as far as descriptors go.
 *
 * Each association becomes a function with its interfaces, and each other interface a function of its own:
 * `interfaces0-1`, `interface2`. Their order and their numbers are those of the device, so a function's first interface
 * has the number in its name. FunctionFS restarts all endpoints of a function when the host selects a setting of one of
 * its interfaces, so those of other functions go on; and each function can be replaced by one of the kernel.
 * Configurations share functions that are equal. Endpoints are named by the device's addresses: `ep81`. An endpoint of
 * an alternate setting whose address is in use already becomes another endpoint: `ep81_1_2` is that of alternate setting
 * 1, with number 2.
 *
 * The functions have descriptors for the speed of the device only, and the gadget's `maxSpeed` is that speed.
 *
 * All that FunctionFS, configfs or this package cannot carry is in `problems`; the rest is the same byte by byte, with
 * these exceptions, which are those of every gadget: the kernel numbers strings, picks the addresses of endpoints from
 * those of the controller, and computes `wTotalLength`.
 *
 * @throws {RangeError} When the descriptors are cut off, or do not begin with a device descriptor and a configuration.
 * @throws {TypeError} For an argument of another type.
 *
 * @example The device at port 2 of bus 1
 * ```ts ignore
 * import { Gadget } from "@usb/gadget";
 * import { definitionFromDevice } from "@usb/gadget/inspect";
 *
 * const { definition, problems } = definitionFromDevice({
 *   descriptors: Deno.readFileSync("/sys/bus/usb/devices/1-2/descriptors"),
 *   speed: "high-speed",
 *   strings: { 1: "ACME", 2: "Anvil" },
 * });
 * for (const { place, message } of problems) console.warn(`${place}: ${message}`);
 * await using gadget = await Gadget.start(definition);
 * ```
 *
 * @example What becomes of a keyboard
 * ```ts
 * import { definitionFromDevice } from "@usb/gadget/inspect";
 * import { assertEquals } from "@std/assert";
 *
 * const { definition, problems } = definitionFromDevice({
 *   descriptors: new Uint8Array([
 *     ...[18, 1, 0x00, 0x02, 0, 0, 0, 64, 0x09, 0x12, 0x01, 0, 0, 1, 0, 0, 0, 1],
 *     ...[9, 2, 34, 0, 1, 1, 0, 0xa0, 50],
 *     ...[9, 4, 0, 0, 1, 3, 1, 1, 0],
 *     ...[9, 0x21, 0x11, 0x01, 0, 1, 0x22, 63, 0],
 *     ...[7, 5, 0x81, 3, 8, 0, 10],
 *   ]),
 * });
 * const [keyboard] = definition.functions;
 * assertEquals(keyboard.name, "interface0");
 * assertEquals(keyboard.interfaces[0].endpoints?.ep81.kind, "in");
 * // It is not in there.
 * assertEquals(problems.map((it) => it.rule), ["report"]);
 * ```
 *
 * @category Inspect
 */
export function definitionFromDevice(
  device: DeviceDescriptors,
  options: FromDeviceOptions = {},
): DeviceClone {
  checkOptions(ACTION, device, {
    descriptors: BYTES,
    speed: oneOf(...SPEEDS),
    strings: OBJECT,
    reports: OBJECT,
    bos: BYTES,
  }, ["descriptors"]);
  checkOptions(ACTION, options, { kernel: OBJECT, udc: OBJECT });
  checkBytes(ACTION, '"descriptors"', device.descriptors);
  const { strings = {}, bos } = device;
  const problems = new DeviceProblems(strings);
  const { device: source, configurations } = takeApart(device.descriptors);
  const { speed = guessSpeed(source, configurations) } = device;
  const functionSpeed = functionSpeedOf(speed);
  const fields = deviceFields(source, functionSpeed, problems);
  if (speed === "low-speed") {
    problems.changed(
      source,
      "speed",
      "The gadget runs at full speed: FunctionFS has no low speed",
    );
  }
  const functions: FunctionDefinition[] = [];
  const parts = configurations.map((each, index) =>
    cloneConfiguration(
      each,
      index,
      functionSpeed,
      device.reports,
      functions,
      problems,
    )
  );
  const definition = soundGadget({
    ...fields,
    maxSpeed: speed === "low-speed" ? "full-speed" : speed,
    ...(bos ? bosFields(bos, problems) : {}),
    functions,
    configurations: parts,
  }, problems);
  parts.forEach((each, index) => {
    const used = functions.filter((it) => each.functions?.includes(it.name));
    checkPlace(used, speed, configurations[index], options, problems);
  });
  return { definition, problems: problems.list };
}

/** Adds the functions of a configuration that no earlier one has, and returns it. */
function cloneConfiguration(
  source: ConfigurationSource,
  index: number,
  speed: FunctionSpeed,
  reports: DeviceDescriptors["reports"],
  functions: FunctionDefinition[],
  problems: DeviceProblems,
): ConfigurationDefinition {
  const fields = configurationFields(source, index, speed, problems);
  const prefix = index === 0 ? "" : `configuration${index + 1}-`;
  const names: string[] = [];
  let offset = 0;
  const models = divide(source, speed, prefix, reports, problems);
  for (const model of models) {
    const own = cloneFunction(model, offset, problems);
    offset += own.interfaces.length;
    // Associations say how many interfaces precede them, so only what begins alike can be shared.
    const known = functions.find((it) =>
      !names.includes(it.name) && isSame(it, own) &&
      it.name.endsWith(own.name.slice(prefix.length))
    );
    if (known === undefined) functions.push(own);
    names.push((known ?? own).name);
  }
  compareOrder(models, problems);
  return { ...fields, functions: names };
}

function isSame(a: FunctionDefinition, b: FunctionDefinition): boolean {
  return JSON.stringify({ ...a, name: "" }) ===
    JSON.stringify({ ...b, name: "" });
}

/** Leaves out texts that configfs refuses. */
function soundGadget(
  definition: GadgetDefinition<readonly FunctionDefinition[]>,
  problems: DeviceProblems,
): GadgetDefinition<readonly FunctionDefinition[]> {
  const reasons = gadgetProblems(definition);
  const texts = ["manufacturer", "product", "serialNumber"] as const;
  const wrong = texts.filter((it) =>
    reasons.some(({ path }) => path === it || path.startsWith(`${it}[`))
  );
  for (const { path, rule, message } of reasons) {
    problems.leftOut({ place: path || "device" }, rule, message);
  }
  const dropped = Object.fromEntries(wrong.map((it) => [it, undefined]));
  const configurations = definition.configurations?.map((each, index) =>
    reasons.some((it) =>
        it.path.startsWith(`configurations[${index}].description`)
      )
      ? { ...each, description: undefined }
      : each
  );
  return { ...definition, ...dropped, configurations };
}

function gadgetProblems(definition: GadgetDefinition): readonly Problem[] {
  try {
    checkGadget(definition, "clone");
    return [];
  } catch (error) {
    if (error instanceof DefinitionError) return error.problems;
    throw error;
  }
}

/** Reports what the kernel and the controller cannot do, with all functions of a configuration. */
function checkPlace(
  functions: readonly FunctionDefinition[],
  speed: Speed,
  configuration: ConfigurationSource,
  { kernel, udc }: FromDeviceOptions,
  problems: DeviceProblems,
): void {
  const [first] = functions;
  if (first === undefined || !kernel && !udc) return;
  // The controller's endpoints are for all functions together.
  const all: FunctionDefinition = {
    ...first,
    associations: [],
    interfaces: functions.flatMap((it) => it.interfaces),
  };
  const maximumSpeed = udc?.maximumSpeed &&
    SPEEDS[
      Math.min(
        SPEEDS.indexOf(udc.maximumSpeed),
        Math.max(SPEEDS.indexOf(speed), SPEEDS.indexOf("full-speed")),
      )
    ];
  const found = validateFunction(all, {
    ...(kernel ? { kernel } : {}),
    ...(udc
      ? { udc: { ...udc, ...(maximumSpeed ? { maximumSpeed } : {}) } }
      : {}),
  });
  for (const { path, rule, message } of found) {
    const place = path === ""
      ? configuration.place
      : `${configuration.place}, ${path}`;
    problems.refused({ place }, rule, message);
  }
}
