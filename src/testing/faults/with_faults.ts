/**
 * Functions with faults.
 *
 * @module
 */
import { show } from "../../arguments/show.ts";
import { checkArgument, type NamesOf, OBJECT } from "../../arguments/rules.ts";
import { defineFunction, layoutOf } from "../../check/usb_function.ts";
import type {
  FunctionDefinition,
  InterfaceDefinition,
  UsbFunction,
} from "../../definition/function.ts";
import { intercept } from "../../functionfs/transfer/interception.ts";
import {
  type ControlHandler,
  type SetupRequest,
  unhandled,
} from "../../usb/control.ts";
import { checkPlan } from "./check_plan.ts";
import { faultyHandler } from "./control.ts";
import { InFaultPort } from "./in_port.ts";
import { OutFaultPort } from "./out_port.ts";
import type { FaultKind, FaultPlan, FaultRecord, FaultRule } from "./plan.ts";
import { FaultRun } from "./run.ts";
import { Cable } from "./unplug.ts";

/** The record of each definition with faults. */
const records = new WeakMap<UsbFunction, () => FaultRecord>();

/**
 * Returns a function that is the same, except that faults are injected into its
 * transfers and control requests, to find out how the software of a host copes
 * with them. Also works with ready-made functions: their code does not change,
 * and their endpoints are those of any function.
 *
 * The faults come between the endpoints and the kernel, whichever way the
 * program uses: `serve`, sessions or the endpoints of the function, transfers or
 * streams. An endpoint that a rule names has one request in the kernel at a
 * time. DMABUFs and other programs that use the function's files get no faults.
 * A `"disconnect"` needs a gadget in configfs, such as those of
 * `Gadget.start()`; it is detached from its controller and attached again.
 *
 * Counts and the record begin anew each time the function is opened.
 *
 * @param definition A function, such as of `usbFunction()`.
 * @throws {TypeError} If something in the plan is of another type, unknown or
 * missing; the message has its path, such as `rules[0].ms`.
 * @throws {RangeError} If a number in the plan is out of range.
 * @throws {DefinitionError} With all problems of the definition.
 *
 * @example A disk whose third transfer to the host is a STALL
 * ```ts
 * import { bulkPair, usbFunction } from "@usb/gadget";
 * import { faultsOf, withFaults } from "@usb/gadget/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const disk = usbFunction({
 *   name: "disk",
 *   interfaces: [{ class: 0x08, endpoints: { link: bulkPair() } }],
 * });
 * const faulty = withFaults(disk, {
 *   rules: [{ endpoint: "link", direction: "in", fault: "stall", at: 3 }],
 * });
 * // Start a gadget with it, and let the host use it
 * assertEquals(faultsOf(faulty).faults, []);
 * ```
 *
 * @category Faults
 */
export function withFaults<
  const N extends string,
  const I extends readonly InterfaceDefinition[],
>(definition: UsbFunction<N, I>, plan: FaultPlan): UsbFunction<N, I> {
  checkArgument("inject faults", "the definition", definition, OBJECT);
  layoutOf(definition); // Throws unless it is valid.
  checkPlan(definition, plan);
  const { rules, seed = randomSeed() } = structuredClone(plan);
  let run = new FaultRun(rules, seed);
  const options = optionsOf(definition);
  if (rules.some(({ endpoint }) => endpoint === 0)) {
    const next = (setup: SetupRequest) => run.next(0, setup);
    const { control = refuse, standardControl = refuse } = options;
    const others = faultyHandler(control, next);
    options.standardControl = faultyHandler(standardControl, next);
    options.control = (setup) =>
      // Standard requests have come through the other handler.
      setup.type === "standard" ? control(setup) : others(setup);
  }
  const faulty = defineFunction(options as UsbFunction<N, I>);
  records.set(faulty, () => ({ seed, faults: [...run.injected] }));
  intercept(faulty, {
    open(opened) {
      const current = run = new FaultRun(rules, seed);
      const cable = new Cable(opened);
      return (endpoint) => {
        const { name, direction, queue } = endpoint;
        if (!rules.some((it) => concerns(it, name, direction))) return queue;
        const disconnect = (ms: number) => cable.unplug(ms);
        return direction === "in"
          ? new InFaultPort(endpoint, {
            next: (size) => current.next(name, { direction, size }),
            disconnect,
          })
          : new OutFaultPort(endpoint, {
            before: () => current.next(name, { direction }, BEFORE),
            after: (size) => current.next(name, { direction, size }, AFTER),
            disconnect,
          });
      };
    },
  });
  return faulty;
}

/**
 * Returns what was injected into a function since it was last opened.
 *
 * @param definition What {@linkcode withFaults} has returned.
 * @throws {TypeError} If it is something else.
 *
 * @category Faults
 */
export function faultsOf(definition: UsbFunction): FaultRecord {
  const record = records.get(definition);
  if (record !== undefined) return record();
  throw new TypeError(
    `Cannot look up the faults of ${
      show(definition)
    }: give what withFaults() has returned`,
  );
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}

const refuse: ControlHandler = () => unhandled;

/** Faults of OUT transfers that come before the data, and those after it. */
const BEFORE: ReadonlySet<FaultKind> = new Set(["delay", "stall"]);
const AFTER: ReadonlySet<FaultKind> = new Set([
  "shorten",
  "drop",
  "disconnect",
]);

function concerns(
  { endpoint, direction }: FaultRule,
  name: string,
  of: "in" | "out",
): boolean {
  return endpoint === name && (direction ?? of) === of;
}

type Options = {
  -readonly [K in keyof FunctionDefinition]: FunctionDefinition[K];
};

/** The options of a definition, which may be an instance of a class. */
function optionsOf(definition: UsbFunction): Options {
  const fields = Object.keys(FIELDS) as (keyof FunctionDefinition)[];
  return Object.fromEntries(fields.flatMap((name) => {
    const value = definition[name] as unknown;
    if (value === undefined) return [];
    return [[
      name,
      typeof value === "function" ? value.bind(definition) : value,
    ]];
  })) as unknown as Options;
}

const FIELDS: NamesOf<FunctionDefinition> = {
  name: true,
  interfaces: true,
  speeds: true,
  languages: true,
  associations: true,
  microsoftOs: true,
  otg: true,
  allControlRecipients: true,
  config0Setup: true,
  rwProxy: true,
  virtualAddresses: true,
  control: true,
  standardControl: true,
  onError: true,
  onControl: true,
  serve: true,
};
