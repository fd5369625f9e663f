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

type KernelAndSpeed = Pick<Run, "kernel" | "speed">;

/** What `deno task test` runs. */
const USUAL: KernelAndSpeed = { kernel: "7.3", speed: "super" };
/**
 * Each kernel and each speed, but not all pairs, which would take CI twice as
 * long.
 */
const PAIRS: readonly KernelAndSpeed[] = [
  USUAL,
  { kernel: "6.12", speed: "high" },
  { kernel: "6.1", speed: "super" },
  { kernel: "7.3", speed: "full" },
];
/** What is enough for a class of device: both ends of what its users have. */
const CLASS_PAIRS = PAIRS.slice(0, 2);
/** What is enough for `any speed`: the newest kernel and the oldest. */
const ANY_SPEED_PAIRS = [USUAL, PAIRS[2]];

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
 * The runs of `test:all`: each kernel and each speed on this machine's
 * architecture, and the other architectures with the newest kernel.
 *
 * @param rest Leaves out what `deno task test` runs.
 */
export function allRuns(rest = false): Run[] {
  return ARCHITECTURES.flatMap((architecture) => {
    const arch = architecture.name;
    return isNative(architecture)
      ? PAIRS.slice(rest ? 1 : 0).map((pair) => ({ arch, ...pair }))
      : { arch, ...USUAL };
  });
}

/**
 * Variables for the tests of a run. On the newest kernel the package behaves as
 * on the main thread, on the others as in a Worker; see isolate.ts.
 */
export function runEnvironment({ kernel }: Run): Record<string, string> {
  return kernel === USUAL.kernel ? { GADGET_MAIN_THREAD: "1" } : {};
}

/** Whether `test:all` runs a file there: not where another run shows as much. */
export function isWorthRunning(
  file: TestFile,
  { arch, kernel, speed }: Run,
): boolean {
  const isPair = (pair: KernelAndSpeed) =>
    pair.kernel === kernel && pair.speed === speed;
  if (file.anySpeed && !ANY_SPEED_PAIRS.some(isPair)) return false;
  if (file.newestKernel && kernel !== USUAL.kernel) return false;
  if (arch !== Deno.build.arch) return file.anyArchitecture;
  return !file.deviceClass || CLASS_PAIRS.some(isPair);
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
