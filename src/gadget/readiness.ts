/**
 * Whether the functions of a gadget can be bound.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { exists, list, readTextFile } from "../../ffi/file.ts";
import type { FunctionFs } from "../functionfs/mod.ts";
import {
  functionDirectory,
  type GadgetDefinition,
  isKernelFunction,
  isOwnFunction,
} from "./gadget_definition.ts";
import type { TreeWriter } from "./tree_writer.ts";

/** A gadget, as far as its binding goes. */
export interface BindingSubject {
  readonly name: string;
  readonly writer: TreeWriter;
  readonly definition: GadgetDefinition;
  /** Where each function of FunctionFS is mounted. */
  readonly mountPoints: ReadonlyMap<string, string>;
  /** The functions of this process. */
  readonly functions: Readonly<Record<string, FunctionFs>>;
}

/** A function without descriptors. */
export interface UnreadyFunction {
  readonly name: string;
  /** Whether it is one of this process, and so has been closed for good. */
  readonly closed: boolean;
}

/** The functions of a gadget that have no descriptors. */
export function unreadyFunctions(subject: BindingSubject): UnreadyFunction[] {
  return subject.definition.functions.flatMap((each): UnreadyFunction[] => {
    const { name } = each;
    if (isKernelFunction(each)) return [];
    if (isOwnFunction(each)) {
      const closed = subject.functions[name]?.state === "closed";
      return closed ? [{ name, closed }] : [];
    }
    const directory = functionDirectory(subject.name, each);
    const ready = `${subject.writer.root}/functions/${directory}/ready`;
    const isReady = exists(ready)
      ? readTextFile(ready) === "1"
      : hasEndpoints(subject.mountPoints.get(name));
    return isReady ? [] : [{ name, closed: false }];
  });
}

/** Kernels before 6.9 do not tell; but the files of endpoints appear. */
function hasEndpoints(mountPoint: string | undefined): boolean {
  if (mountPoint === undefined) return false;
  try {
    return list(mountPoint).length > 1;
  } catch (error) {
    // Unmounted, and its directory removed.
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}
