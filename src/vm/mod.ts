/**
 * Runs a command on a stock Debian kernel with a virtual USB device controller,
 * in QEMU: gadgets and their tests, on any Linux machine and in CI.
 *
 * ```sh
 * deno run --allow-all jsr:@usb/gadget/vm -- deno test --allow-all
 * ```
 *
 * ```ts ignore
 * import { runInVm } from "@usb/gadget/vm";
 *
 * const { code, stdout, problems } = await runInVm({
 *   command: ["deno", "test", "--allow-all"],
 *   shares: ["coverage"],
 * });
 * ```
 *
 * The command sees this machine's files and programs, and may write anywhere;
 * only what it writes to a shared folder stays. It has no network: a program
 * finds the modules that Deno has in its cache, as after `deno install`.
 *
 * Needs `--allow-all`, and QEMU, a static BusyBox, xz and kmod: as root on
 * Debian or Ubuntu, they are installed at the first use. Kernels are kept in
 * `usb-gadget-vm` in the user's cache folder (`XDG_CACHE_HOME`).
 *
 * @module
 */

import { runMain } from "./main.ts";

export { VmError } from "./errors.ts";
export type { KernelProblem } from "./guest/kernel_log.ts";
export type { VmOptions, VmResult, VmRunOptions } from "./options.ts";
export type { Progress } from "./progress.ts";
export { prepareVm, runInVm } from "./run.ts";

if (import.meta.main) await runMain();
