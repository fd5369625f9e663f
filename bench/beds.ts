/**
 * Where the benchmark runs: QEMU or User Mode Linux. README.md has what each of
 * them distorts.
 *
 * @module
 */
import { oneOf } from "../src/vm/arguments.ts";
import type { KernelProblem } from "../src/vm/guest/kernel_log.ts";
import type { OutputHandler } from "../src/vm/machine/stream.ts";
import type { Progress } from "../src/vm/progress.ts";
import { runInVm } from "../src/vm/run.ts";
import { runInUml } from "./uml/run.ts";

/** The beds; the first one is the default. */
export const BEDS = ["qemu", "uml"] as const;

/** One of {@linkcode BEDS}. */
export type Bed = typeof BEDS[number];

/** What runs in a bed. */
export interface BedRun {
  readonly command: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The series of the kernel, in QEMU. */
  readonly kernel?: string;
  /** What runs the guest's processor, in QEMU. */
  readonly accel?: "auto" | "kvm" | "tcg";
  /** The address of a Debian archive, else this machine's own. */
  readonly mirror?: string;
  /** Seconds. */
  readonly timeout: number;
  readonly progress: Progress;
  readonly onStdout: OutputHandler;
  readonly onStderr: OutputHandler;
}

/** How it went. */
export interface BedResult {
  readonly code: number;
  /** What the kernel complained of. */
  readonly problems: readonly KernelProblem[];
  /** Whether a fault of QEMU ended the run. */
  readonly qemuFault: boolean;
  /** The kernel's release. */
  readonly kernel: string;
  /** What runs the guest's programs: `"tcg"` is emulation. */
  readonly accel: "kvm" | "tcg" | "uml";
}

/** Eight controllers, one for each contender, and memory for all of them. */
const HCD = "is_super_speed=1 num=8";
const MEMORY = 3072;

/**
 * The bed of this name.
 *
 * @throws {UsageError} if there is none
 */
export function parseBed(name: string): Bed {
  return oneOf("bed", name, BEDS);
}

/** Runs a command in a bed. */
export async function runInBed(bed: Bed, run: BedRun): Promise<BedResult> {
  const common = { ...run, hcd: HCD, memory: MEMORY };
  if (bed === "uml") {
    const { release, ...result } = await runInUml(common);
    return { ...result, kernel: release, qemuFault: false, accel: "uml" };
  }
  const { release, accelerator, ...result } = await runInVm({
    ...common,
    modules: ["usb_f_ss_lb"],
  });
  return { ...result, kernel: release, accel: accelerator };
}

/** The model of this machine's processor, as far as it reports one. */
export function processor(): string {
  const text = Deno.readTextFileSync("/proc/cpuinfo");
  return /^model name\s*:\s*(.*)$/m.exec(text)?.[1] ?? Deno.build.arch;
}

/** The processors of a bed. */
export function bedMachine(bed: Bed): string {
  const model = processor();
  const { hardwareConcurrency: count } = navigator;
  return bed === "uml"
    ? `1 virtual processor, pinned to one of ${count} of ${model}`
    : `2 virtual processors on ${count} of ${model}`;
}
