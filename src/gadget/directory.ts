/**
 * The name and the directory of a gadget of this process.
 *
 * @module
 */
import { Errno, errorOf, isSystemError } from "../../ffi/errno.ts";
import { exists, mkdir } from "../../ffi/file.ts";
import { permissionHint } from "../remedies/hint.ts";
import {
  claim,
  claimTree,
  isClaimedTree,
  readClaim,
  unclaim,
} from "../state/claim.ts";
import { removeGadget } from "../state/recovery.ts";

/**
 * Claims a name and makes its directory, or adopts a persistent gadget.
 *
 * @param directory That of all gadgets.
 * @throws {Deno.errors.AlreadyExists} If the name is taken.
 */
export function makeOrAdopt(
  directory: string,
  name: string,
  persistent: boolean,
): "made" | "adopted" {
  const path = `${directory}/${name}`;
  const taken = (by: string) =>
    errorOf(
      Errno.EEXIST,
      `Cannot make gadget "${name}": ${by}; stop that one, or choose another name`,
      { syscall: "mkdir", path },
    );
  const elsewhere = `another program has made it (${path})`;
  const present = readClaim(name);
  const ours = present?.owner === "persistent" && persistent;
  if (present !== undefined && !ours) {
    throw taken(
      present.pid === 0
        ? "a persistent one has the name"
        : `one of process ${present.pid} has the name`,
    );
  }
  if (exists(path)) {
    if (ours && isClaimedTree(path)) return "adopted";
    throw taken(elsewhere);
  }
  // Its process was killed before it made a directory, or another program has
  // removed that.
  if (ours) unclaim(name);
  if (!claim(name, persistent)) throw taken("another process has the name");
  if (!make(name, path)) throw taken(elsewhere);
  return "made";
}

let nextNumber = 0;

/** The next name for a gadget without a given one, if it is free. */
export function nextName(): string {
  return `usb-gadget.${Deno.pid}.${nextNumber}`;
}

/** Makes the directory of a gadget under a free name; Workers use the same numbers. */
export function makeUnnamedDirectory(directory: string): string {
  for (;;) {
    const name = nextName();
    nextNumber++;
    const path = `${directory}/${name}`;
    if (exists(path) || !claim(name, false)) continue;
    if (make(name, path)) return name;
  }
}

/** Makes a directory for a claimed name. If it exists, gives up the claim and returns false. */
function make(name: string, path: string): boolean {
  try {
    mkdir(path, { action: "make gadget" });
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
