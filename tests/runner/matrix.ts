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
/** The speed at which all files run. */
const MAIN_SPEED = SPEEDS[0];

/** Every combination. */
export function product(
  archs: readonly string[],
  kernels: readonly string[],
  speeds: readonly Speed[],
): Run[] {
  return archs.flatMap((arch) =>
    kernels.flatMap((kernel) =>
      speeds.map((speed) => ({ arch, kernel, speed }))
    )
  );
}

/**
 * All runs: this machine's architecture with every kernel and speed, and the
 * others with the newest kernel. Those first, since their emulation is slow: it
 * goes on beside the rest.
 */
export function allRuns(): Run[] {
  const names = (native: boolean) =>
    ARCHITECTURES.filter((each) => isNative(each) === native)
      .map(({ name }) => name);
  return [
    ...product(names(false), [KERNELS[0]], [MAIN_SPEED]),
    ...product(names(true), KERNELS, SPEEDS),
  ];
}

/**
 * Variables for the tests of a run. On the newest kernel the package behaves as
 * on the main thread, on the others as in a Worker; see isolate.ts.
 */
export function runEnvironment({ kernel }: Run): Record<string, string> {
  return kernel === KERNELS[0] ? { GADGET_MAIN_THREAD: "1" } : {};
}

/**
 * Begins of the names of unit tests that are about this machine's ABI, and run
 * in the VMs of other architectures, too.
 */
const ABOUT_ABI = ["ffi_errno", "ffi_file", "ffi_reactor"];

/** Chooses unit tests to run in the VM of an architecture. */
export function unitFilesOn(files: readonly string[], arch: string): string[] {
  if (arch === Deno.build.arch) return [];
  return files.filter((file) => hasName(file, ABOUT_ABI));
}

/** Begins of the names of files that cannot run everywhere, and why. */
const LIMITED = [{
  begin: "dmabuf_",
  runsOn: ({ arch }: Where) => arch === "x86_64",
  reason: "their UDC with scatter-gather is built for x86-64",
}, {
  begin: "endpoint_isochronous",
  runsOn: ({ kernel }: Where) => isSince(kernel, { major: 7, minor: 3 }),
  reason: "usbip-vudc of older kernels crashes when FunctionFS leaves it",
}];

/** What limits which files can run. */
type Where = Pick<Run, "arch" | "kernel">;

/** Begins of the names of files whose subject is the same at every speed. */
const SAME_AT_EVERY_SPEED = [
  "arguments",
  "claim_lock",
  "cli_",
  "control_random",
  "control_flood",
  "control_report",
  "control_session",
  "descriptors_classes",
  "descriptors_oracle",
  "dmabuf_errors",
  "dmabuf_foreign",
  "dmabuf_guard",
  "dmabuf_random",
  "endpoint_isochronous",
  "endpoint_long",
  "endpoint_many",
  "endpoint_shared",
  "exit_",
  "gadget_",
  "host_",
  "pair_files",
  "program_life",
  "single_file",
  "stream_random",
];

/** Leaves out the files that a run at `speed` would only repeat. */
export function filesAtSpeed(
  files: readonly string[],
  speed: Speed,
): string[] {
  if (speed === MAIN_SPEED) return [...files];
  return files.filter((file) => !hasName(file, SAME_AT_EVERY_SPEED));
}

/** The first kernel with what the tests of a UDC with scatter-gather test. */
const SCATTER_GATHER_SINCE = { major: 6, minor: 9 };

/**
 * Why tests that want a UDC cannot run on a kernel; `undefined` where they can.
 */
export function obstacleTo(
  udc: UdcKind | undefined,
  kernel: string,
): string | undefined {
  return udc !== "sg" || isSince(kernel, SCATTER_GATHER_SINCE)
    ? undefined
    : "FunctionFS has no DMABUF transfers before 6.9";
}

function isSince(
  kernel: string,
  { major, minor }: { major: number; minor: number },
): boolean {
  const [first, second = 0] = kernel.split(".").map(Number);
  return first > major || (first === major && second >= minor);
}

/**
 * Leaves out the files that cannot run on an architecture or a kernel.
 *
 * @returns The others, and a sentence about each kind that was left out.
 */
export function filesThatRunOn(
  files: readonly string[],
  where: Where,
): { files: string[]; leftOut: string[] } {
  const other = LIMITED.filter((each) =>
    !each.runsOn(where) && files.some((file) => hasName(file, [each.begin]))
  );
  return {
    files: files.filter((file) =>
      !hasName(file, other.map(({ begin }) => begin))
    ),
    leftOut: other.map(({ begin, reason }) =>
      leftOutSentence(`The tests in ${begin}*_test.ts`, where, reason)
    ),
  };
}

/** Says what does not run, where, and why. */
export function leftOutSentence(
  what: string,
  { kernel, arch }: Where,
  reason: string,
): string {
  return `${what} are left out on Linux ${kernel}, ${arch}: ${reason}`;
}

function hasName(file: string, begins: readonly string[]): boolean {
  const name = file.slice(file.lastIndexOf("/") + 1);
  return begins.some((begin) => name.startsWith(begin));
}
