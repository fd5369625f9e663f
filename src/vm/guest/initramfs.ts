/**
 * Builds the guest's initial file system, or rather the part of it that is
 * kept from run to run: the tools and modules. `guest.ts` adds the rest.
 *
 * @module
 */

import { characterDevice, directory, file, packCpio, symlink } from "./cpio.ts";
import {
  loadOrder,
  moduleName,
  readModule,
  readModuleIndex,
} from "./modules.ts";

/** Modules that reach the host: its files, and the ports for output. */
const TRANSPORT = [
  "virtio_pci",
  "virtio_console",
  "9pnet_virtio",
  "9p",
  "overlay",
];

/** Modules that every run gets. */
const GADGET = ["configfs", "dummy_hcd", "usb_f_fs"];

/** The commands that init.sh uses; all are BusyBox. */
const COMMANDS = (
  "cat cp hostname ifconfig insmod kill ln mkdir mkfifo mount poweroff printf " +
  "setsid sh sleep switch_root sync tr"
).split(" ");

/**
 * Builds the part that stays: BusyBox and the modules that a run begins with,
 * unpacked, so that the guest has little to do.
 *
 * @param modulesDir the kernel's module folder, with `modules.dep`
 * @param busybox the program, linked statically
 */
export async function buildInitramfs(
  modulesDir: string,
  busybox: string,
): Promise<Uint8Array> {
  const index = await readModuleIndex(modulesDir);
  const transport = loadOrder(index, TRANSPORT);
  const gadget = loadOrder(index, GADGET).filter((path) =>
    !transport.includes(path)
  );
  const modules = await Promise.all(
    [...transport, ...gadget].map(async (path) =>
      file(
        `gadget-vm/modules/${moduleName(path)}`,
        await readModule(`${modulesDir}/${path}`),
      )
    ),
  );
  return packCpio([
    directory("dev"),
    characterDevice("dev/console", 5, 1),
    directory("gadget-vm"),
    directory("gadget-vm/bin"),
    file("gadget-vm/bin/busybox", await Deno.readFile(busybox), 0o755),
    ...COMMANDS.map((name) => symlink(`gadget-vm/bin/${name}`, "busybox")),
    directory("gadget-vm/modules"),
    ...modules,
    file("gadget-vm/transport", names(transport)),
    file("gadget-vm/gadget", names(gadget)),
    directory("bin"),
    symlink("bin/sh", "../gadget-vm/bin/busybox"),
  ]);
}

function names(paths: readonly string[]): string {
  return paths.map((path) => `${moduleName(path)}\n`).join("");
}
