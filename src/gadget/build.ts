/**
 * The steps by which a gadget comes to be.
 *
 * @module
 */
import { Errno, errorOf, isSystemError } from "../../ffi/errno.ts";
import { exists } from "../../ffi/file.ts";
import { FunctionFs } from "../functionfs/function_fs.ts";
import { interfaceOffsets } from "../check/gadget/interface_offsets.ts";
import {
  claim,
  claimTree,
  isClaimedTree,
  readClaim,
  unclaim,
} from "../state/claim.ts";
import { mountFunction } from "../state/mounts.ts";
import {
  type GadgetDefinition,
  instanceName,
  isKernelFunction,
  isOwnFunction,
} from "../definition/gadget.ts";
import type { GadgetOptions } from "./options.ts";
import { removeGadget } from "../state/recovery.ts";
import { readLinks, restoreLinks } from "./configfs/relink.ts";
import { permissionHint } from "../remedies/hint.ts";
import { ShownValues } from "./configfs/shown_values.ts";
import { planApply } from "./configfs/apply.ts";
import { modelGadget } from "./configfs/tree.ts";
import { type GadgetChange, TreeWriter } from "./configfs/writer.ts";

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

/** Makes the name ours. Returns whether a persistent gadget is there already. */
export function acquire(
  name: string,
  directory: string,
  persistent: boolean,
): boolean {
  const path = `${directory}/${name}`;
  const taken = (whose: string) =>
    errorOf(
      Errno.EEXIST,
      `Cannot make gadget "${name}": ${whose}; stop that one, or choose another name`,
      { syscall: "mkdir", path },
    );
  const elsewhere = `somebody else has made it (${path})`;
  const present = readClaim(name);
  const adopted = present?.owner === "persistent" && persistent;
  if (present !== undefined && !adopted) {
    throw taken(
      present.pid === 0
        ? "a persistent one has the name"
        : `one of process ${present.pid} has the name`,
    );
  }
  if (exists(path)) {
    if (adopted && isClaimedTree(path)) return true;
    throw taken(elsewhere);
  }
  // Adopted without a directory: its process was killed before it made one, or
  // somebody has removed it.
  if (adopted) unclaim(name);
  if (!claim(name, persistent)) throw taken("another process has the name");
  if (!makeDirectory(name, path)) throw taken(elsewhere);
  return false;
}

let nextNumber = 0;

/** The name that a gadget gets next that has none of its own, if it is free. */
export function nextName(): string {
  return `usb-gadget.${Deno.pid}.${nextNumber}`;
}

/**
 * Makes a name ours that no other gadget has: Workers of this process take
 * theirs from the same numbers.
 */
export function acquireFree(directory: string): string {
  for (;;) {
    const name = nextName();
    nextNumber++;
    const path = `${directory}/${name}`;
    if (exists(path) || !claim(name, false)) continue;
    if (makeDirectory(name, path)) return name;
  }
}

/**
 * Makes the directory of a gadget whose name is ours. If there is one already,
 * returns false and gives the name up.
 */
function makeDirectory(name: string, path: string): boolean {
  try {
    new TreeWriter(path).make("");
    claimTree(path);
    return true;
  } catch (error) {
    if (isSystemError(error, "EEXIST")) {
      unclaim(name);
      return false;
    }
    removeGadget(name);
    throw permissionHint(error);
  }
}

/** What a gadget consists of when it is made, bound to nothing yet. */
export interface GadgetParts {
  /** Its directory. */
  readonly root: string;
  /** Where FunctionFS is mounted, by the names of functions. */
  readonly mountPoints: ReadonlyMap<string, string>;
  /** The controller that it was bound to before, `""` without one. */
  readonly udc: string;
  /** What was changed in configfs. */
  readonly changes: readonly GadgetChange[];
  /** How values read that the kernel shows in its own way. */
  readonly shown: ShownValues;
}

/**
 * Makes the directory of a gadget what it should be, and mounts its functions.
 * Detaches it for that where it has to. Where something fails, what was attached
 * is attached again with the functions that it had, as far as they are there.
 */
export function buildGadget(
  definition: GadgetDefinition,
  root: string,
  options: GadgetOptions,
): GadgetParts {
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
    return { root, mountPoints, udc, changes: writer.changes, shown };
  } catch (error) {
    if (detach) {
      restoreLinks(writer, links);
      writer.setUdcBack(udc);
    }
    throw error;
  }
}

/** Mounts the functions of FunctionFS, and tells where. */
export function mountAll(
  definition: GadgetDefinition,
  name: string,
  { mounts = {} }: GadgetOptions,
): Map<string, string> {
  const functions = definition.functions.filter((it) => !isKernelFunction(it));
  return new Map(functions.map((each) => {
    const instance = instanceName(name, each.name);
    const options = mounts[each.name];
    return [each.name, mountFunction(name, each.name, instance, options)];
  }));
}

/** Opens the functions that this process serves, by their names. */
export async function openFunctions(
  definition: GadgetDefinition,
  mountPoints: ReadonlyMap<string, string>,
  { libaio, eventfd }: GadgetOptions,
): Promise<Readonly<Record<string, FunctionFs>>> {
  const offsets = interfaceOffsets(definition);
  const open: [string, FunctionFs][] = [];
  try {
    for (const each of definition.functions.filter(isOwnFunction)) {
      const interfaceOffset = offsets.get(each.name);
      const mounted = mountPoints.get(each.name)!;
      const options = { interfaceOffset, libaio, eventfd };
      open.push([each.name, FunctionFs.open(each, mounted, options)]);
    }
  } catch (error) {
    await Promise.all(open.map(([, each]) => each.close()));
    throw error;
  }
  return Object.freeze(Object.fromEntries(open));
}

/** Checks that the functions that this process serves stay as they are. */
export function checkOwnFunctions(
  before: GadgetDefinition,
  now: GadgetDefinition,
): void {
  const offsets = [interfaceOffsets(before), interfaceOffsets(now)];
  const own = before.functions.filter(isOwnFunction);
  const other = now.functions.filter(isOwnFunction);
  for (const each of new Set([...own, ...other])) {
    if (!own.includes(each) || !other.includes(each)) {
      throw new TypeError(
        `Cannot change gadget: the function "${each.name}" must stay the same object as long as this process serves it; stop the gadget, and start another`,
      );
    }
    const moved = offsets[0].get(each.name) !== offsets[1].get(each.name);
    if (moved && (each.associations?.length ?? 0) > 0) {
      throw new TypeError(
        `Cannot change gadget: the function "${each.name}" has associations, and must keep the number of interfaces before it`,
      );
    }
  }
}
