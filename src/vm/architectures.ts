/**
 * What differs between the processor architectures that a VM can have.
 *
 * @module
 */

import { list, UsageError } from "./errors.ts";

/** One processor architecture, as QEMU, the kernel, Debian and npm see it. */
export interface Architecture {
  /** The name, as `uname -m` and `Deno.build.arch` spell it. */
  name: typeof Deno.build.arch;
  /** The name that Debian's packages use. */
  debian: string;
  /** The name that npm's packages use. */
  npm: string;
  /** The npm package with Deno for it. */
  denoPackage: string;
  /** What the names of its compilers begin with. */
  gnu: string;
  /** The emulator. */
  qemu: string;
  /** The Debian package of the emulator. */
  qemuPackage: string;
  /** The machine, by accelerator. */
  machine: { readonly kvm: string; readonly tcg: string };
  /** The processor model, by accelerator. */
  cpu: { readonly kvm: string; readonly tcg: string };
  /** The kernel's name for the first serial port. */
  console: string;
  /** Kernel parameters that shorten the boot on this machine. */
  parameters: readonly string[];
  /** Kernel parameters for emulation only. */
  emulationParameters: readonly string[];
}

/** The known architectures. */
export const ARCHITECTURES: readonly Architecture[] = [
  {
    name: "x86_64",
    debian: "amd64",
    npm: "x64",
    denoPackage: "@deno/linux-x64-glibc",
    gnu: "x86_64-linux-gnu",
    qemu: "qemu-system-x86_64",
    qemuPackage: "qemu-system-x86",
    machine: { kvm: "pc,usb=off", tcg: "pc,usb=off" },
    // With "enhanced rep movsb" the C library and the kernel copy by that
    // instruction, which QEMU emulates byte by byte: eight times as slow.
    cpu: { kvm: "host", tcg: "max,-erms,-fsrm" },
    console: "ttyS0",
    parameters: ["no_timer_check", "tsc=reliable"],
    // QEMU before 8.1 can let a processor run code that another one is just
    // patching, and the kernel dies of "int3". It patches itself mostly while
    // it boots, so the other processors join later, in init.sh. The rest saves
    // the second that this would cost, for locks and for measuring a delay loop.
    emulationParameters: ["maxcpus=1", "noreplace-smp", "lpj=10000000"],
  },
  {
    name: "aarch64",
    debian: "arm64",
    npm: "arm64",
    denoPackage: "@deno/linux-arm64-glibc",
    gnu: "aarch64-linux-gnu",
    qemu: "qemu-system-aarch64",
    qemuPackage: "qemu-system-arm",
    // KVM has the interrupt controller of the processor, whose version varies.
    machine: { kvm: "virt,gic-version=host", tcg: "virt" },
    // The true way to sign pointers is far too slow in emulation.
    cpu: { kvm: "host", tcg: "max,pauth-impdef=on" },
    console: "ttyAMA0",
    parameters: [],
    emulationParameters: [],
  },
];

/** Looks an architecture up by the kernel's name or by Debian's. */
export function architecture(name: string): Architecture {
  const found = ARCHITECTURES.find((each) =>
    each.name === name || each.debian === name
  );
  if (found === undefined) {
    throw new UsageError(
      `Cannot emulate architecture "${name}": known are ${
        list(ARCHITECTURES.flatMap((each) => [each.name, each.debian]))
      }`,
    );
  }
  return found;
}

/** Whether a VM of this architecture can use this machine's own programs. */
export function isNative({ name }: Architecture): boolean {
  return name === Deno.build.arch;
}
