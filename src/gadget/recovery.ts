/**
 * Removes what gadgets of this package have left behind.
 *
 * @module
 */
import { exists, list } from "../../ffi/file.ts";
import {
  type Claim,
  listClaims,
  readClaim,
  STATE,
  unclaim,
  withLock,
} from "./claim.ts";
import { removeMounts, waitForUnmount } from "./function_mount.ts";
import { findConfigfs } from "./remedies.ts";
import { removeTree, unbindTree } from "./tree_remove.ts";
import { TreeWriter } from "./tree_writer.ts";

/** Which gadgets to remove. */
export interface CleanUpOptions {
  /**
   * Only this one.
   * @default {undefined} All that nobody owns any more.
   */
  readonly name?: string;
  /**
   * Also gadgets that were made to stay.
   * @default {false}
   */
  readonly persistent?: boolean;
}

/**
 * Removes the gadgets of this package whose processes have ended without doing
 * it: their directories in configfs, mounts and mount points. What others have
 * made, and what belongs to a process that runs, is not touched.
 *
 * @returns The names of the gadgets that were removed.
 */
export async function cleanUp(options: CleanUpOptions = {}): Promise<string[]> {
  const { name, persistent = false } = options;
  const isLeft = ({ owner, name: its }: Claim) =>
    (name === undefined || name === its) &&
    (owner === "dead" || persistent && owner === "persistent");
  if (!listClaims().some(isLeft)) return [];
  return await withLock(async () => {
    const removed: string[] = [];
    // Again: another process may have removed and made some in the meantime.
    for (const { name } of listClaims().filter(isLeft)) {
      await removeLeftover(name);
      removed.push(name);
    }
    return removed;
  });
}

async function removeLeftover(name: string): Promise<void> {
  const writer = treeOf(name);
  const instances = instancesOf(name);
  // First: with the host gone, the transfers of a dying process end.
  if (writer !== undefined && exists(writer.root)) unbindTree(writer);
  await waitForUnmount(name, instances);
  removeGadget(name);
}

/** Removes a gadget of ours at once, whatever of it there is. */
export function removeGadget(name: string): void {
  const writer = treeOf(name);
  const instances = instancesOf(name);
  if (writer !== undefined && exists(writer.root)) unbindTree(writer);
  removeMounts(name, instances);
  if (writer !== undefined) removeTree(writer);
  unclaim(name);
}

/** The FunctionFS instances of a gadget. */
export function instancesOf(name: string): string[] {
  const writer = treeOf(name);
  const path = `${writer?.root}/functions`;
  if (writer === undefined || !exists(path)) return [];
  return list(path).filter((it) => it.name.startsWith("ffs."))
    .map((it) => it.name.slice("ffs.".length));
}

function treeOf(name: string): TreeWriter | undefined {
  const configfs = findConfigfs();
  if (configfs === undefined) return undefined;
  return new TreeWriter(`${configfs}/usb_gadget/${name}`);
}

/** Whether a gadget of this package has this name. */
export function isOurs(name: string): boolean {
  return exists(STATE) && readClaim(name) !== undefined;
}
