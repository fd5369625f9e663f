/**
 * What a caller asks of a VM, and what comes back.
 *
 * @module
 */

import type { KernelProblem } from "./guest/kernel_log.ts";
import type { Progress } from "./progress.ts";

/**
 * The machine.
 *
 * @category Virtual machine
 */
export interface VmOptions {
  /** A kernel series of Debian's: "7.3", "6.12" or "6.1". @default {"7.3"} */
  kernel?: string;
  /** The image of another kernel; needs `modulesDir`. */
  vmlinuz?: string;
  /** The `/lib/modules/RELEASE` that belongs to `vmlinuz`. */
  modulesDir?: string;
  /**
   * The address of a Debian archive, which has the kernel and, for another
   * architecture, the guest's programs.
   *
   * @default the variable `USB_GADGET_VM_MIRROR`, or else the archive that this
   * machine's apt uses
   */
  mirror?: string;
  /**
   * The device controller: dummy_hcd as Debian builds it, or built with
   * scatter-gather, which DMABUF transfers need. The command finds it in
   * `GADGET_UDC`.
   *
   * @default {"stock"}
   */
  udc?: "stock" | "sg";
  /**
   * The processor architecture, by the kernel's name or by Debian's: "x86_64"
   * or "arm64". Another one than this machine's is emulated.
   *
   * @default this machine's
   */
  arch?: string;
  /**
   * What runs the guest's processor. `"auto"` is KVM if a guest has booted with
   * it on this machine, else emulation.
   *
   * @default {"auto"}
   */
  accel?: "auto" | "kvm" | "tcg";
  /** Receives what is going on: fetching takes minutes. */
  progress?: Progress;
  /** Ends the VM; the call then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * The machine, and what runs in it.
 *
 * @category Virtual machine
 */
export interface VmRunOptions extends VmOptions {
  /**
   * The program and its arguments. It runs as root, without a network, over this
   * machine's files. `deno` is the Deno of this process, with its cache.
   */
  command: readonly string[];
  /** The folder that the command starts in. @default the current one */
  cwd?: string;
  /**
   * Folders of this machine that the command may write to, at the same paths.
   * What it writes elsewhere is gone when the VM ends.
   */
  shares?: readonly string[];
  /**
   * Variables, besides `PATH`, `HOME`, `TERM`, `CI` and a few others of this
   * process.
   */
  env?: Readonly<Record<string, string>>;
  /** The speed of the link, given to the command as `GADGET_SPEED`. @default {"super"} */
  speed?: "full" | "high" | "super";
  /**
   * Parameters of dummy_hcd, or `"none"`: neither dummy_hcd nor usb_f_fs nor
   * configfs is loaded. @default {"is_super_speed=1"}
   */
  hcd?: string;
  /** Kernel modules to load besides dummy_hcd and usb_f_fs, such as "usbmon". */
  modules?: readonly string[];
  /** The guest's memory in megabytes. @default {2048} */
  memory?: number;
  /**
   * The guest's processors, 1 or 2. With one, dummy_hcd does not crash on many
   * small writes in a row: see docs/vm.md. @default {2}
   */
  processors?: 1 | 2;
  /** Seconds from power-on to the command's end. @default {300} */
  timeout?: number;
  /** Complaints of the kernel to let pass, by their first line. */
  allowLog?: readonly RegExp[];
  /**
   * Receives standard output as it comes; else it is collected. A promise holds
   * the guest back until it settles.
   */
  onStdout?: (chunk: Uint8Array) => void | Promise<void>;
  /** Receives standard error; like `onStdout`. */
  onStderr?: (chunk: Uint8Array) => void | Promise<void>;
  /** Receives the serial console, with all of the kernel's messages. */
  onConsole?: (chunk: Uint8Array) => void | Promise<void>;
}

/**
 * How a command went.
 *
 * @category Virtual machine
 */
export interface VmResult {
  /**
   * The command's exit code, 128 + n after signal n; or 3 if the kernel
   * complained, whatever the command said.
   */
  code: number;
  /** The command's own exit code; absent if the kernel died first. */
  commandCode?: number;
  /** Warnings, oopses and the like in the kernel's log. */
  problems: KernelProblem[];
  /**
   * Whether the kernel died by a fault of QEMU before 8.1, which can let a
   * processor run code that another one is just patching ("int3"). Such a run
   * says nothing about the command, and may be repeated.
   */
  qemuFault: boolean;
  /** The kernel's log, line by line. */
  log: string[];
  /** Standard output, unless `onStdout` took it. */
  stdout: Uint8Array;
  /** Standard error, unless `onStderr` took it. */
  stderr: Uint8Array;
  /** The kernel's release, as `uname -r` prints it. */
  release: string;
  /** What ran the guest's processor: `"tcg"` is emulation. */
  accelerator: "kvm" | "tcg";
  /** Seconds from power-on to the command's start. */
  bootSeconds?: number;
}
