/**
 * The names that a gadget and its functions have in configfs, as FunctionFS
 * instances, and as files in `/run/usb-gadget`.
 *
 * @module
 */
import { type GadgetFunction, isKernelFunction } from "./gadget.ts";

/** The folder for the state of gadgets. Like configfs, `/run` is empty at boot. */
export const STATE = "/run/usb-gadget";

/** Suffixes of files about a gadget. No gadget and no function has "=" in its name. */
export const GADGET_FILE = { owner: "=owner", tree: "=tree" } as const;

/** Suffixes of files about a function, in the folder of its gadget. */
export const FUNCTION_FILE = {
  /** A link to where the function is mounted. */
  mount: "=mount",
  /** A link to a directory that was made for the mount. */
  made: "=made",
  /** Copies of the blocks that were written to `ep0`. */
  descriptors: "=descriptors",
  strings: "=strings",
} as const;

/** configfs keeps `ffs.INSTANCE` in 40 bytes, with a NUL at the end. */
const MAX_INSTANCE_NAME = 35;

/**
 * The FunctionFS instance of a function. Instances are visible to the whole
 * system, so the gadget's name comes first, or a hash of both names where they
 * are too long.
 */
export function instanceName(gadget: string, functionName: string): string {
  const name = `${gadget}-${functionName}`;
  if (name.length <= MAX_INSTANCE_NAME) return name;
  let hash = 0x811c9dc5; // FNV-1a
  for (const char of name) {
    hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
  }
  return `${hash.toString(36).padStart(7, "0")}-${functionName}`
    .slice(0, MAX_INSTANCE_NAME);
}

/** The name of a function's directory below `functions/`. */
export function functionDirectory(
  gadget: string,
  definition: GadgetFunction,
): string {
  return isKernelFunction(definition)
    ? `${definition.type}.${definition.name}`
    : `ffs.${instanceName(gadget, definition.name)}`;
}
