/**
 * Which test files run on which architecture and kernel, at which speed.
 *
 * @module
 */
import { ARCHITECTURES, isNative } from "../../src/vm/architectures.ts";
import type { Speed } from "../../src/vm/guest/guest.ts";
import type { TestFile } from "./machine.ts";

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
/**
 * What is enough for a class of device: both ends of what its users have. An
 * architecture that is emulated lacks the host's programs.
 */
const CLASS_RUNS: readonly Pick<Run, "kernel" | "speed">[] = [
  { kernel: KERNELS[0], speed: MAIN_SPEED },
  { kernel: "6.12", speed: "high" },
];

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
 * All runs: this machine's architecture with every kernel and speed, but the
 * slowest speed with the newest kernel only; and the others with that kernel.
 *
 * @param rest Leaves out the newest kernel at the main speed on this machine's
 * architecture, which `deno task test` runs.
 */
export function allRuns(rest = false): Run[] {
  const names = (native: boolean) =>
    ARCHITECTURES.filter((each) => isNative(each) === native)
      .map(({ name }) => name);
  return [
    ...product(names(false), [KERNELS[0]], [MAIN_SPEED]),
    ...product(names(true), KERNELS, SPEEDS)
      .filter(({ kernel, speed }) => speed !== "full" || kernel === KERNELS[0])
      .slice(rest ? 1 : 0),
  ];
}

/**
 * Variables for the tests of a run. On the newest kernel the package behaves as
 * on the main thread, on the others as in a Worker; see isolate.ts.
 */
export function runEnvironment({ kernel }: Run): Record<string, string> {
  return kernel === KERNELS[0] ? { GADGET_MAIN_THREAD: "1" } : {};
}

/** Whether `test:all` runs a file there: not where another run shows as much. */
export function isWorthRunning(
  file: TestFile,
  { arch, kernel, speed }: Run,
): boolean {
  if (file.anySpeed && speed !== MAIN_SPEED) return false;
  if (file.newestKernel && kernel !== KERNELS[0]) return false;
  return !file.deviceClass || arch === Deno.build.arch &&
      CLASS_RUNS.some((run) => run.kernel === kernel && run.speed === speed);
}

/** Why a file cannot run on an architecture or kernel, if it cannot. */
export function obstacleTo(
  { machine, since }: Pick<TestFile, "machine" | "since">,
  { arch, kernel }: Pick<Run, "arch" | "kernel">,
): string | undefined {
  if (machine.udc === "sg" && arch !== "x86_64") {
    return "the UDC with scatter-gather is built for x86-64";
  }
  // FunctionFS has no DMABUF transfers before.
  const first = since ?? (machine.udc === "sg" ? "6.9" : "0.0");
  return isSince(kernel, first) ? undefined : `needs Linux ${first}`;
}

/**
 * Separates the files that cannot run on an architecture and kernel.
 *
 * @returns The others, and a sentence for each reason.
 */
export function filesThatRunOn(
  files: readonly TestFile[],
  run: Pick<Run, "arch" | "kernel">,
): { files: TestFile[]; leftOut: string[] } {
  const byObstacle = Map.groupBy(files, (file) => obstacleTo(file, run));
  const { kernel, arch } = run;
  return {
    files: byObstacle.get(undefined) ?? [],
    leftOut: [...byObstacle].flatMap(([obstacle, files]) =>
      obstacle === undefined ? [] : [
        `Left out on Linux ${kernel}, ${arch}, ${obstacle}: ${
          files.map(({ path }) => path).join(" ")
        }`,
      ]
    ),
  };
}

/** Compares two numbers of kernels, such as "6.12" and "6.9". */
function isSince(kernel: string, first: string): boolean {
  const [major, minor = 0] = kernel.split(".").map(Number);
  const [firstMajor, firstMinor] = first.split(".").map(Number);
  return major > firstMajor || (major === firstMajor && minor >= firstMinor);
}
