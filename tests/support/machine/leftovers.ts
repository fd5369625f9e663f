/**
 * What gadgets leave on a machine. Tests compare it before and after.
 *
 * @module
 */
import { exists, list } from "../../../ffi/file.ts";
import { listMounts } from "../../../ffi/mount.ts";

/** This folder stays once it was created. */
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

/** The number of open file descriptors of this process. */
export function openFiles(): number {
  return list("/proc/self/fd").length;
}
