/**
 * What gadgets leave behind on a machine: tests compare before and after.
 *
 * @module
 */
import { exists, list } from "../../../ffi/file.ts";
import { listMounts } from "../../../ffi/mount.ts";

/** Stays once it was made. */
const LOCK = "=lock";

/** The traces of gadgets on this machine, as readable lines. */
export function gadgetTraces(): string[] {
  const folders = [
    "/sys/kernel/config/usb_gadget",
    "/run/usb-gadget",
  ].flatMap((folder) =>
    exists(folder)
      ? list(folder).filter(({ name }) => name !== LOCK)
        .map(({ name }) => `${folder}/${name}`)
      : []
  );
  const mounts = listMounts().filter(({ type }) => type === "functionfs")
    .map(({ source, target }) => `${source} on ${target}`);
  return [...folders, ...mounts];
}

/** How many file descriptors this process has open. */
export function openFiles(): number {
  return list("/proc/self/fd").length;
}
