/**
 * Removes what gadgets of this package have left behind.
 *
 * @module
 */
import { destroyAbandonedContexts } from "../../ffi/aio/abandoned.ts";
import { exists, list } from "../../ffi/file.ts";
import { checkOptions, FLAG, type Rules, TEXT } from "../arguments/rules.ts";
import { type Claim, isClaimedTree, listClaims, unclaim } from "./claim.ts";
import { withLock } from "./claim_lock.ts";
import {
  closeFiles,
  removeMounts,
  waitForUnmount,
} from "./mounts.ts";
import { findConfigfs } from "../remedies/kernel.ts";
import { removeTree, unbindTree } from "../gadget/configfs/remove.ts";
import { TreeWriter } from "../gadget/configfs/writer.ts";

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

const OPTIONS: Rules<CleanUpOptions> = { name: TEXT, persistent: FLAG };

/**
 * Removes the gadgets of this package whose processes or Workers have ended
 * without doing it: their directories in configfs, mounts and mount points. What
 * others have made, and what belongs to a process that runs, is not touched.
 *
 * @returns The names of the gadgets that were removed.
 * @throws {Deno.errors.TimedOut} If another process keeps the lock, under which
 * this is done, for half a minute.
 */
export async function cleanUp(options: CleanUpOptions = {}): Promise<string[]> {
  checkOptions("clean up gadgets", options, OPTIONS);
  const { name, persistent = false } = options;
  const isLeft = ({ owner, name: its }: Claim) =>
    (name === undefined || name === its) &&
    (owner === "dead" || persistent && owner === "persistent");
  if (!listClaims().some(isLeft)) return [];
  return await withLock(async () => {
    const removed: string[] = [];
    // Again: another process may have removed and made some in the meantime.
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
  if (path !== undefined) unbindTree(new TreeWriter(path));
  const instances = instancesOf(path);
  if (pid === Deno.pid) {
    // What the kernel does when a process ends, and not when a Worker does.
    closeFiles(name, instances);
    await destroyAbandonedContexts();
  }
  await waitForUnmount(name, instances);
  removeGadget(name);
}

/** Removes a gadget of ours at once, whatever of it there is. */
export function removeGadget(name: string): void {
  const path = findTree(name);
  if (path !== undefined) unbindTree(new TreeWriter(path));
  removeMounts(name, instancesOf(path));
  if (path !== undefined) removeTree(new TreeWriter(path));
  unclaim(name);
}

/** The directory of a gadget of ours, if it is still there. */
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
