/**
 * The steps by which a gadget comes to be.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { exists } from "../../ffi/file.ts";
import { compileFunction } from "../descriptors/mod.ts";
import { FunctionFs } from "../functionfs/mod.ts";
import { runningKernel } from "../functionfs/running_kernel.ts";
import { interfaceOffsets } from "./check_gadget.ts";
import { claim, readClaim, unclaim } from "./claim.ts";
import { mountFunction } from "./function_mount.ts";
import {
  type GadgetDefinition,
  instanceName,
  isKernelFunction,
  isOwnFunction,
} from "./gadget_definition.ts";
import type { GadgetOptions } from "./gadget_options.ts";
import { recordBlocks } from "./record.ts";
import { permissionHint, ROOT_REMEDY } from "./remedies.ts";
import { TreeWriter } from "./tree_writer.ts";

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
  const taken = (whose: string) =>
    new Deno.errors.AlreadyExists(
      `Cannot make gadget "${name}": ${whose}; stop that one, or choose another name`,
    );
  const present = readClaim(name);
  if (present?.owner === "persistent" && persistent) return true;
  if (present !== undefined) {
    throw taken(
      present.pid === 0
        ? "a persistent one has the name"
        : `one of process ${present.pid} has the name`,
    );
  }
  const path = `${directory}/${name}`;
  if (exists(path)) throw taken(`somebody else has made it (${path})`);
  if (!claim(name, persistent)) throw taken("another process has the name");
  try {
    new TreeWriter(path).make("");
    return false;
  } catch (error) {
    unclaim(name);
    if (isSystemError(error, "EEXIST")) {
      throw taken(`somebody else has made it (${path})`);
    }
    throw permissionHint(error, ROOT_REMEDY);
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
    const { path } = mountFunction(name, each.name, instance, options);
    return [each.name, path];
  }));
}

/** Opens the functions that this process serves. */
export function openAll(
  definition: GadgetDefinition,
  name: string,
  mountPoints: ReadonlyMap<string, string>,
  { libaio, eventfd }: GadgetOptions,
): Record<string, FunctionFs> {
  const offsets = interfaceOffsets(definition);
  const open: [string, FunctionFs][] = [];
  try {
    for (const each of definition.functions.filter(isOwnFunction)) {
      const interfaceOffset = offsets.get(each.name);
      const options = { interfaceOffset, libaio, eventfd };
      const mounted = mountPoints.get(each.name)!;
      recordBlocks(
        name,
        instanceName(name, each.name),
        compileFunction(each, { interfaceOffset, kernel: runningKernel() }),
      );
      open.push([each.name, FunctionFs.open(each, mounted, options)]);
    }
  } catch (error) {
    for (const [, each] of open) each.closeNow();
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
