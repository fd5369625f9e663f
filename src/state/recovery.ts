/**
 * Removes gadgets: this process's own, and those left behind by others.
 *
 * @module
 */
import { destroyAbandonedContexts } from "../../ffi/aio/abandoned.ts";
import { exists, list } from "../../ffi/file.ts";
import { checkOptions, FLAG, type Rules, TEXT } from "../arguments/rules.ts";
import { type Claim, isClaimedTree, listClaims, unclaim } from "./claim.ts";
import { withLock } from "./claim_lock.ts";
import { closeFiles, removeMounts, waitForUnmount } from "./mounts.ts";
import { findConfigfs } from "../gadget/configfs/directory.ts";
import { removeTree } from "../gadget/configfs/remove.ts";
import { TreeWriter } from "../gadget/configfs/writer.ts";

/**
 * Which gadgets to remove.
 *
 * @category Gadget
 */
export interface CleanUpOptions {
  /** Only this one; by default all whose owner has ended. */
  readonly name?: string;
  /**
   * Also persistent gadgets.
   * @default {false}
   */
  readonly persistent?: boolean;
}

const OPTIONS: Rules<CleanUpOptions> = { name: TEXT, persistent: FLAG };

/** Removes gadgets that are left behind; see `Gadget.cleanUp()`. */
export async function cleanUp(options: CleanUpOptions = {}): Promise<string[]> {
  checkOptions("clean up gadgets", options, OPTIONS);
  const { name, persistent = false } = options;
  const isLeft = ({ owner, name: its }: Claim) =>
    (name === undefined || name === its) &&
    (owner === "dead" || persistent && owner === "persistent");
  if (!listClaims().some(isLeft)) return [];
  return await withLock(async () => {
    const removed: string[] = [];
    // Again: another process may have removed or made gadgets in the meantime.
    for (const claim of listClaims().filter(isLeft)) {
      await removeLeftover(claim);
      removed.push(claim.name);
    }
    return removed;
  });
}

async function removeLeftover({ name, pid }: Claim): Promise<void> {
  const path = findTree(name);
  // First: with the host gone, the transfers of a dying process end.
  if (path !== undefined) new TreeWriter(path).unbind();
  const instances = instancesOf(path);
  if (pid === Deno.pid) {
    // The kernel does this when a process ends, but not for a Worker.
    closeFiles(name, instances);
    await destroyAbandonedContexts();
  }
  await waitForUnmount(name, instances);
  removeGadget(name);
}

/** Removes a gadget of ours, or what exists of it, at once. */
export function removeGadget(name: string): void {
  const path = findTree(name);
  if (path !== undefined) new TreeWriter(path).unbind();
  removeMounts(name, instancesOf(path));
  if (path !== undefined) removeTree(new TreeWriter(path));
  unclaim(name);
}

/** The directory of a gadget of ours, if it still exists. */
function findTree(name: string): string | undefined {
  const path = `${findConfigfs()}/usb_gadget/${name}`;
  return exists(path) && isClaimedTree(path) ? path : undefined;
}

/** The FunctionFS instances of a gadget. */
function instancesOf(path: string | undefined): string[] {
  if (path === undefined || !exists(`${path}/functions`)) return [];
  return list(`${path}/functions`).filter((it) => it.name.startsWith("ffs."))
    .map((it) => it.name.slice("ffs.".length));
}
