/**
 * Which test files run where.
 *
 * @module
 */
import { ARCHITECTURES, isNative } from "../vm/architectures.ts";
import type { Speed, UdcKind } from "../vm/vm.ts";

/** One run of tests in a VM. */
export interface Run {
  /** The architecture, by the kernel's name. */
  arch: string;
  kernel: string;
  speed: Speed;
}

const KERNELS = ["7.3", "6.12", "6.1"];
const SPEEDS: readonly Speed[] = ["super", "high", "full"];

/**
 * All runs: this machine's architecture with every kernel and speed, and the
 * others, whose emulation is slow, with the newest kernel.
 */
export function allRuns(): Run[] {
  return ARCHITECTURES.toSorted((a, b) =>
    Number(isNative(b)) - Number(isNative(a))
  ).flatMap((architecture) =>
    isNative(architecture)
      ? KERNELS.flatMap((kernel) =>
        SPEEDS.map((speed) => ({ arch: architecture.name, kernel, speed }))
      )
      : [{ arch: architecture.name, kernel: KERNELS[0], speed: SPEEDS[0] }]
  );
}

/** The speed at which all files run. */
const MAIN_SPEED = SPEEDS[0];

/** Begins of the names of files that one architecture can run, and why. */
const ONE_ARCHITECTURE = [{
  begin: "dmabuf_",
  arch: "x86_64",
  reason: "their UDC with scatter-gather is built for x86-64",
}];

/** Begins of the names of files whose subject is the same at every speed. */
const SAME_AT_EVERY_SPEED = [
  "cli_",
  "control_random",
  "control_hostile",
  "descriptors_classes",
  "descriptors_oracle",
  "dmabuf_errors",
  "dmabuf_foreign",
  "dmabuf_guard",
  "dmabuf_random",
  "exit_",
  "gadget_",
  "host_",
];

/**
 * Begins of the names of files that are still being worked on. They run when
 * they are named, and belong to the suite once they have passed 20 times in a
 * row on every kernel.
 */
const UNFINISHED = ["control_", "dmabuf_", "endpoint_", "gadget_"];

/** Leaves out the files that nobody trusts yet. */
export function finishedFiles(files: readonly string[]): string[] {
  return files.filter((file) => !hasName(file, UNFINISHED));
}

/** Leaves out the files that a run at `speed` would only repeat. */
export function filesAtSpeed(
  files: readonly string[],
  speed: Speed,
): string[] {
  if (speed === MAIN_SPEED) return [...files];
  return files.filter((file) => !hasName(file, SAME_AT_EVERY_SPEED));
}

/** Begins of the names of files that need a UDC with scatter-gather. */
const SCATTER_GATHER = ["dmabuf_"];

/** Begins of the names of those among them that need one without. */
const NO_SCATTER_GATHER = ["dmabuf_errors"];

/** The first kernel with what files for such a UDC test. */
const SCATTER_GATHER_SINCE = { major: 6, minor: 9 };

/** Divides files by the UDC that they need; a group may be empty. */
export function filesByUdc(
  files: readonly string[],
): Record<UdcKind, string[]> {
  const needsSg = (file: string) =>
    hasName(file, SCATTER_GATHER) && !hasName(file, NO_SCATTER_GATHER);
  return {
    stock: files.filter((file) => !needsSg(file)),
    sg: files.filter(needsSg),
  };
}

/** The UDCs that a kernel is tested with. */
export function udcsOf(kernel: string): UdcKind[] {
  const { major, minor } = SCATTER_GATHER_SINCE;
  const [first, second = 0] = kernel.split(".").map(Number);
  const old = first < major || (first === major && second < minor);
  return old ? ["stock"] : ["stock", "sg"];
}

/**
 * Leaves out the files that an architecture cannot run.
 *
 * @returns The others, and a sentence about each kind that was left out.
 */
export function filesOnArchitecture(
  files: readonly string[],
  arch: string,
): { files: string[]; leftOut: string[] } {
  const other = ONE_ARCHITECTURE.filter((each) =>
    each.arch !== arch && files.some((file) => hasName(file, [each.begin]))
  );
  return {
    files: files.filter((file) =>
      !hasName(file, other.map(({ begin }) => begin))
    ),
    leftOut: other.map(({ begin, reason }) =>
      `The tests in ${begin}*_test.ts are left out on ${arch}: ${reason}`
    ),
  };
}

function hasName(file: string, begins: readonly string[]): boolean {
  const name = file.slice(file.lastIndexOf("/") + 1);
  return begins.some((begin) => name.startsWith(begin));
}
