/**
 * The folder that keeps kernels between runs.
 *
 * @module
 */

import { homedir } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { VmError } from "./errors.ts";
import type { Job } from "./progress.ts";

/** Part of the folder's name: another recipe does not meet old results. */
const FORMAT = 1;

/** The folder, below `$XDG_CACHE_HOME` or `~/.cache`. */
export async function openCache(): Promise<string> {
  const cache = Deno.env.get("XDG_CACHE_HOME") || `${homedir()}/.cache`;
  const folder = `${cache}/usb-gadget-vm/v${FORMAT}`;
  try {
    await Deno.mkdir(folder, { recursive: true });
    // The guest looks at the folder from outside, without following symlinks.
    return await Deno.realPath(folder);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : `${cause}`;
    throw new VmError(
      `Cannot use cache folder "${folder}": ${reason}; choose another with XDG_CACHE_HOME`,
      { cause },
    );
  }
}

/** How often a lock is tried, in milliseconds. */
const LOCK_INTERVAL = 200;

/**
 * Runs `body` while no other process does the same under this name.
 *
 * @param onWait called when another process is at it
 */
export async function withLock<T>(
  cache: string,
  name: string,
  onWait: () => void,
  body: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  using file = await Deno.open(`${cache}/${name}.lock`, {
    write: true,
    create: true,
  });
  if (!await file.tryLock(true)) {
    onWait();
    // Waiting inside lock() could not be interrupted.
    do {
      await delay(LOCK_INTERVAL);
      signal?.throwIfAborted();
    } while (!await file.tryLock(true));
  }
  return await body();
}

/**
 * Returns a folder of the cache, which appears when it is complete.
 *
 * @param name its name in the cache
 * @param fill fills the folder at its first use
 */
export async function cachedFolder(
  cache: string,
  name: string,
  job: Job,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = `${cache}/${name}`;
  const exists = () => Deno.stat(folder).then(() => true, () => false);
  if (await exists()) return folder;
  const wait = () =>
    job.progress.step(`waiting for another run that fetches ${name}`);
  return await withLock(cache, name, wait, async () => {
    if (await exists()) return folder;
    const work = `${folder}.new`;
    // A run that was killed may have left something behind.
    await removeFolder(work);
    await Deno.mkdir(work);
    try {
      await fill(work);
      await Deno.rename(work, folder);
    } finally {
      await removeFolder(work);
    }
    return folder;
  }, job.signal);
}

/** Writes a file so that others see it whole or not at all. */
export async function writeAtomically(
  file: string,
  content: string | Uint8Array,
): Promise<void> {
  const temporary = `${file}.${Deno.pid}.new`;
  const bytes = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  await Deno.writeFile(temporary, bytes);
  await Deno.rename(temporary, file);
}

/** Removes a folder, if it is there. */
export async function removeFolder(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
