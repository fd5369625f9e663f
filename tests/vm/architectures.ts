/**
 * What differs between the processor architectures that a VM can have. Only
 * x86-64 is filled in; a new architecture is a new row.
 *
 * @module
 */

import { list, UsageError } from "./errors.ts";

/** One processor architecture, as QEMU, the kernel and Debian see it. */
export interface Architecture {
  /** The name, as `uname -m` and `Deno.build.arch` spell it. */
  name: string;
  /** The name that Debian's packages use. */
  debian: string;
  /** The emulator. */
  qemu: string;
  /** The Debian package of the emulator. */
  qemuPackage: string;
  /** Arguments that choose the machine. */
  machine: readonly string[];
  /** The processor model, by accelerator. */
  cpu: { readonly kvm: string; readonly tcg: string };
  /** The kernel's name for the first serial port. */
  console: string;
  /** Kernel parameters that shorten the boot on this machine. */
  parameters: readonly string[];
  /** Kernel parameters for emulation only. */
  emulationParameters: readonly string[];
}

/** The known architectures, by name. */
export const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x86_64: {
    name: "x86_64",
    debian: "amd64",
    qemu: "qemu-system-x86_64",
    qemuPackage: "qemu-system-x86",
    machine: ["-machine", "pc,usb=off"],
    cpu: { kvm: "host", tcg: "max" },
    console: "ttyS0",
    parameters: ["no_timer_check", "tsc=reliable"],
    // QEMU before 8.1 can let a processor run code that another one is just
    // patching, and the kernel dies of "int3". It patches itself mostly while
    // it boots, so the other processors join later, in init.sh. The rest saves
    // the second that this would cost, for locks and for measuring a delay loop.
    emulationParameters: ["maxcpus=1", "noreplace-smp", "lpj=10000000"],
  },
};

/** Looks an architecture up by name. */
export function architecture(name: string): Architecture {
  const found = ARCHITECTURES[name];
  if (found === undefined) {
    throw new UsageError(
      `Cannot emulate architecture "${name}": known is ${
        list(Object.keys(ARCHITECTURES))
      }`,
    );
  }
  return found;
}
