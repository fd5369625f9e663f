/**
 * Creates a gadget: its directory in configfs, the mounts of its functions, and
 * the functions that this process serves.
 *
 * @module
 */
import { interfaceOffsets } from "../check/gadget/interfaces.ts";
import {
  type GadgetDefinition,
  isKernelFunction,
  isOwnFunction,
} from "../definition/gadget.ts";
import { FunctionFs } from "../functionfs/function_fs.ts";
import { mountData } from "../functionfs/mount.ts";
import { permissionHint } from "../remedies/hint.ts";
import { removeAtExit } from "../state/exit.ts";
import { mountFunction } from "../state/mounts.ts";
import { cleanUp, removeGadget } from "../state/recovery.ts";
import { planApply } from "./configfs/apply.ts";
import { ShownValues } from "./configfs/compare.ts";
import { gadgetsDirectory } from "./configfs/directory.ts";
import { readLinks, restoreLinks } from "./configfs/links.ts";
import { modelGadget } from "./configfs/tree.ts";
import { type GadgetChange, TreeWriter } from "./configfs/writer.ts";
import { controllerDriver, USB_IP_DRIVER } from "./udc/udc.ts";
import { makeOrAdopt, makeUnnamedDirectory } from "./directory.ts";
import type { GadgetOptions } from "./options.ts";

/** Checks that a gadget can stay without its process. */
export function checkPersistent(
  definition: GadgetDefinition,
  { name }: GadgetOptions,
): void {
  if (name === undefined) {
    throw new TypeError(
      'Cannot make gadget: a persistent one needs a "name", by which it is found again',
    );
  }
  const own = definition.functions.find(isOwnFunction);
  if (own !== undefined) {
    throw new TypeError(
      `Cannot make gadget: a persistent one cannot have the function "${own.name}", which ends with this process; use externalFunction() and serve it elsewhere`,
    );
  }
}

/** A gadget that exists. Changes replace its definition and mount points. */
export interface LiveGadget {
  readonly name: string;
  /** Its directory. */
  readonly root: string;
  definition: GadgetDefinition;
  /** Where FunctionFS is mounted, by the names of functions. */
  mountPoints: ReadonlyMap<string, string>;
  /** The functions that this process serves, by their names. */
  readonly functions: Readonly<Record<string, FunctionFs>>;
}

/** What building a gadget results in. */
export interface BuiltGadget {
  readonly mountPoints: ReadonlyMap<string, string>;
  /** The controller that it was bound to before, `""` without one. */
  readonly udc: string;
  /** What was changed in configfs. */
  readonly changes: readonly GadgetChange[];
  /** How values read that the kernel shows in its own way. */
  readonly shown: ShownValues;
}

/** A gadget that is created, and not bound. */
export interface CreatedGadget {
  readonly gadget: LiveGadget;
  readonly built: BuiltGadget;
  /** Whether it is a persistent gadget that existed before. */
  readonly adopted: boolean;
  /** Ends its removal at the exit of the process. */
  handOver(): Promise<void>;
}

/**
 * Creates a gadget, or adopts a persistent one. A failure leaves nothing behind,
 * and neither does the end of the process before the gadget is handed over.
 */
export async function createGadget(
  definition: GadgetDefinition,
  options: GadgetOptions,
): Promise<CreatedGadget> {
  const { name: given, persistent = false } = options;
  const directory = gadgetsDirectory();
  await cleanUp();
  let made: string | undefined;
  const handOver = removeAtExit({
    stopNow: () => {
      if (made !== undefined && !persistent) removeGadget(made);
    },
  });
  try {
    if (given === undefined) made = makeUnnamedDirectory(directory);
    else if (makeOrAdopt(directory, given, persistent) === "made") made = given;
    const name = made ?? given!;
    const root = `${directory}/${name}`;
    const built = buildGadget(definition, root, options);
    const { mountPoints } = built;
    const functions = await openFunctions(definition, mountPoints, options);
    const gadget = { name, root, definition, mountPoints, functions };
    return { gadget, built, adopted: made === undefined, handOver };
  } catch (error) {
    const ended = handOver();
    if (made !== undefined) removeGadget(made);
    await ended;
    throw permissionHint(error);
  }
}

/**
 * Brings the directory of a gadget into line with its definition, and mounts its
 * functions. Detaches the gadget first where a change needs it; if something
 * fails, attaches it again with the functions that remain.
 */
export function buildGadget(
  definition: GadgetDefinition,
  root: string,
  options: GadgetOptions,
): BuiltGadget {
  const name = root.slice(root.lastIndexOf("/") + 1);
  const writer = new TreeWriter(root);
  const plan = planApply(writer, modelGadget(definition, name));
  const { udc } = writer;
  const detach = udc !== "" && (plan.unbound || plan.enumerated);
  const links = detach ? readLinks(writer) : [];
  try {
    if (detach) writer.setUdc("");
    plan.run();
    const mountPoints = mountAll(definition, name, options);
    const shown = new ShownValues();
    shown.note(writer);
    return { mountPoints, udc, changes: writer.changes, shown };
  } catch (error) {
    if (detach) {
      restoreLinks(writer, links);
      writer.setUdcBack(udc);
    }
    throw error;
  }
}

/** Mounts the functions of FunctionFS. Returns where, by their names. */
export function mountAll(
  { functions }: GadgetDefinition,
  gadget: string,
  { mounts = {}, udc = "" }: GadgetOptions,
): Map<string, string> {
  // Its kernel driver crashes when a process that is killed closes a function of a
  // device in use: it waits in a way that a signal ends (vudc_dev.c,
  // usbip_stop_eh()).
  const noDisconnect = controllerDriver(udc) === USB_IP_DRIVER;
  return new Map(
    functions.filter((it) => !isKernelFunction(it)).map(({ name }) => {
      const { [name]: options = {} } = mounts;
      const data = mountData({ noDisconnect, ...options });
      return [name, mountFunction(gadget, name, data, options.path)];
    }),
  );
}

/** Opens the functions that this process serves, by their names. */
export async function openFunctions(
  definition: GadgetDefinition,
  mountPoints: ReadonlyMap<string, string>,
  { libaio, eventfd, trace }: GadgetOptions,
): Promise<Readonly<Record<string, FunctionFs>>> {
  const offsets = interfaceOffsets(definition);
  const open: [string, FunctionFs][] = [];
  try {
    for (const each of definition.functions.filter(isOwnFunction)) {
      const interfaceOffset = offsets.get(each.name);
      const mounted = mountPoints.get(each.name)!;
      const options = { interfaceOffset, libaio, eventfd, trace };
      open.push([each.name, FunctionFs.open(each, mounted, options)]);
    }
  } catch (error) {
    await Promise.all(open.map(([, each]) => each.close()));
    throw error;
  }
  return Object.freeze(Object.fromEntries(open));
}
