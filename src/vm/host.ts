/**
 * Checks what the host has to offer before a VM is started.
 *
 * @module
 */

import { UsageError, VmError } from "./errors.ts";

/** The real path of a folder of the host. */
export async function existingFolder(
  path: string,
  action: string,
): Promise<string> {
  const real = await Deno.realPath(path).catch(() => undefined);
  if (real !== undefined && (await Deno.stat(real)).isDirectory) return real;
  throw new UsageError(
    `Cannot ${action} "${path}": it is not a folder of this machine`,
  );
}

/** Stops before the machine runs out of memory. */
export async function checkMemory(megabytes: number): Promise<void> {
  const info = await Deno.readTextFile("/proc/meminfo").catch(() => "");
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(info)?.[1];
  if (available === undefined) return;
  const free = Math.floor(Number(available) / 1024);
  if (free < megabytes) {
    throw new VmError(
      `Cannot give the VM ${megabytes} MB of memory: ${free} MB are available; end other programs, or ask for less with --memory`,
    );
  }
}

/** Sockets cannot have longer paths, with a name of ours behind this. */
const LONGEST_FOLDER = 60;

/** Makes a new folder for the files of a run. */
export async function makeRunFolder(): Promise<string> {
  const prefix = "gadget-vm-";
  const folder = await Deno.makeTempDir({ prefix });
  if (folder.length <= LONGEST_FOLDER) return folder;
  await Deno.remove(folder);
  return await Deno.makeTempDir({ dir: "/tmp", prefix });
}
