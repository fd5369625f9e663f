/**
 * Runs the kernel tests: in VMs for each kernel and speed, or on this machine.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { architecture } from "../../src/vm/architectures.ts";
import { VmError } from "../../src/vm/errors.ts";
import type { Speed } from "../../src/vm/guest/guest.ts";
import { ROOT, testFiles } from "./deno_test.ts";
import { deal, groupByMachine, parseHeader, type TestFile } from "./machine.ts";
import {
  allRuns,
  filesThatRunOn,
  isWorthRunning,
  product,
  type Run,
} from "./matrix.ts";
import { prepare } from "./prepare.ts";
import { type Results, summary } from "./results.ts";
import { LateOutput, liveOutput, runHere, runInGuest } from "./test_run.ts";

const HELP = `Runs the kernel tests.

Usage: deno task test:kernel [OPTIONS] [FILE...]

  --kernel LIST   kernels to boot, such as 7.3,6.12,6.1 (default 7.3)
  --speed LIST    speeds, such as super,high,full (default super)
  --arch LIST     architectures, such as x86_64,arm64 (default this machine's)
  --all           every kernel, every speed where that matters, and the other
                  architectures with the newest kernel
  --rest          with --all: without what "deno task test" runs
  --soak          with the full counts of rounds and bytes
  --here          on this machine's own UDC, without a VM
  --filter TEXT   only tests with this in their name
  --repeat N      the same again and again, to find what is not stable
  --jobs N        so many VMs side by side; each shows its output at its end.
                  A single kernel and speed is dealt out to them

A test file with options in its header, such as "// VM: --hcd none", has a VM of
its own. With --here it is left out, except those with "--udc sg", which run if
GADGET_UDC=sg says that this UDC can scatter-gather. GADGET_SEED=N in the
environment sets the first seed of random tests.
`;

/** A VM may take this long, in seconds. */
const TIMEOUT = 60 * 60;
const SOAK_TIMEOUT = 3 * 60 * 60;
/** A test that takes longer hangs, in minutes: the longest takes one or two. */
const LONGEST_TEST = 8;

/** A variable of this environment, to be handed on to the VM. */
function inherited(name: string): Record<string, string> {
  const value = Deno.env.get(name);
  return value === undefined ? {} : { [name]: value };
}

/** The values of an option, which have commas between. */
function list(text: string): string[] {
  return text.split(",");
}

function readHeaders(paths: readonly string[]): Promise<TestFile[]> {
  return Promise.all(paths.map(async (path) => {
    const file = path.startsWith("/") ? path : ROOT + path;
    return parseHeader(path, await Deno.readTextFile(file));
  }));
}

/**
 * How long a run takes, compared with others: as its number of files, and
 * emulated Arm is slower. The longest begin first, so that all jobs end at
 * about the same time.
 */
function weight({ arch }: Run, files: readonly string[]): number {
  return files.length * (arch === Deno.build.arch ? 1 : 2);
}

/** Runs jobs, up to `limit` of them side by side. */
async function runAll(
  jobs: readonly (() => Promise<void>)[],
  limit: number,
): Promise<void> {
  const waiting = [...jobs];
  await Promise.all(Array.from({ length: limit }, async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) await job();
  }));
}

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    string: ["arch", "kernel", "speed", "filter", "repeat", "jobs"],
    boolean: ["all", "rest", "soak", "here", "help"],
    default: {
      arch: Deno.build.arch,
      kernel: "7.3",
      speed: "super",
      repeat: "1",
      jobs: "1",
    },
  });
  if (args.help) {
    console.log(HELP);
    return 0;
  }
  const paths = args._.length > 0
    ? args._.map(String)
    : testFiles("tests/kernel");
  const files = await readHeaders(paths);
  const unitFiles = await readHeaders(args.all ? testFiles("tests/unit") : []);
  /** The files of a run, as far as its kernel and architecture let them. */
  const filesOf = (run: Run): TestFile[] =>
    args.all
      ? [
        ...files.filter((file) => isWorthRunning(file, run)),
        ...(run.arch === Deno.build.arch
          ? []
          : unitFiles.filter((file) => isWorthRunning(file, run))),
      ]
      : files;
  const common = {
    environment: {
      ...(args.soak ? { GADGET_SOAK: "1" } : {}),
      ...inherited("GADGET_SEED"),
      ...(Deno.stdout.isTerminal() ? {} : { NO_COLOR: "1" }),
    },
    extra: args.filter === undefined ? [] : [`--filter=${args.filter}`],
    timeout: args.soak ? SOAK_TIMEOUT : TIMEOUT,
    longestTest: args.soak ? Infinity : LONGEST_TEST,
  };
  const runs: Run[] = args.all ? allRuns(args.rest) : product(
    list(args.arch).map((name) => architecture(name).name),
    list(args.kernel),
    list(args.speed) as Speed[],
  );
  await using made = new AsyncDisposableStack();
  const environments = new Map<string, Record<string, string>>();
  for (const [arch, its] of Map.groupBy(runs, (run) => run.arch)) {
    const all = new Set(its.flatMap(filesOf).map(({ path }) => path));
    const variables = await prepare([...all], architecture(arch), made);
    environments.set(arch, { ...common.environment, ...variables });
  }
  const total: Results = { passed: 0, failed: 0, failures: [] };
  const add = ({ passed, failed, failures }: Results) => {
    total.passed += passed;
    total.failed += failed;
    total.failures.push(...failures);
  };
  const limit = Number(args.jobs);
  const jobs: { weight: number; work(): Promise<void> }[] = [];
  for (let round = 0; round < Number(args.repeat); round++) {
    if (args.here) {
      const environment = environments.get(Deno.build.arch)!;
      for (const group of groupByMachine(files)) {
        const { udc } = group.machine;
        const possible = udc === undefined
          ? group.request === ""
          : Deno.env.get("GADGET_UDC") === udc;
        if (possible) add(await runHere({ ...common, ...group, environment }));
        else console.log(`Left out, need a VM: ${group.files.join(" ")}`);
      }
      continue;
    }
    for (const run of runs) {
      const environment = environments.get(run.arch)!;
      const possible = filesThatRunOn(filesOf(run), run);
      for (const sentence of possible.leftOut) console.log(`\n${sentence}`);
      const groups = groupByMachine(possible.files).flatMap((group) =>
        // Many runs keep all jobs busy anyway.
        runs.length < limit && group.request === "" ? deal(group, limit) : group
      );
      for (const group of groups) {
        const test = { ...common, ...group, environment };
        const work = async () => {
          if (limit === 1) return add(await runInGuest(test, run, liveOutput));
          const output = new LateOutput();
          try {
            add(await runInGuest(test, run, output));
          } finally {
            output.show();
          }
        };
        jobs.push({ weight: weight(run, group.files), work });
      }
    }
  }
  if (limit > 1) jobs.sort((a, b) => b.weight - a.weight);
  await runAll(jobs.map(({ work }) => work), limit);
  console.log(`\n${summary(total)}`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    console.error(`vm: ${error.message}`);
    Deno.exit(1);
  }
}
