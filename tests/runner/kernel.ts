/**
 * Runs the kernel tests: in VMs for each kernel and speed, or on this machine.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { architecture } from "../vm/architectures.ts";
import { VmError } from "../vm/errors.ts";
import type { Speed } from "../vm/vm.ts";
import type { Counts } from "./counts.ts";
import { ROOT, testFiles } from "./deno_test.ts";
import { deal, groupByMachine, type MachineGroup } from "./machine.ts";
import {
  allRuns,
  filesAtSpeed,
  filesThatRunOn,
  leftOutSentence,
  obstacleTo,
  product,
  type Run,
  unitFilesOn,
} from "./matrix.ts";
import { prepare } from "./prepare.ts";
import {
  LateOutput,
  liveOutput,
  type Output,
  runHere,
  runInGuest,
  type TestRun,
} from "./test_run.ts";

const HELP = `Runs the kernel tests.

Usage: deno task test:kernel [OPTIONS] [FILE...]

  --kernel LIST   kernels to boot, such as 7.3,6.12,6.1 (default 7.3)
  --speed LIST    speeds, such as super,high,full (default super)
  --arch LIST     architectures, such as x86_64,arm64 (default this machine's)
  --all           every kernel, every speed where that matters, and the other
                  architectures with the newest kernel
  --soak          with the full counts of rounds and bytes
  --here          on this machine's own UDC, without a VM
  --filter TEXT   only tests with this in their name
  --repeat N      the same again and again, to find what is not stable
  --jobs N        so many VMs side by side; each shows its output at its end.
                  A single kernel and speed is dealt out to them

Tests that want a VM of their own have it; with --here they are left out, except
the dmabuf tests, which run if GADGET_UDC=sg says that this UDC can scatter-gather.
GADGET_SEED=N in the environment makes random tests begin with seed N.
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

/** Unit tests that another architecture runs as well. */
function unitFiles(arch: string): string[] {
  return unitFilesOn(testFiles("tests/unit"), arch);
}

function byMachine(files: readonly string[]): Promise<MachineGroup[]> {
  return groupByMachine(
    files,
    (file) => Deno.readTextFile(file.startsWith("/") ? file : ROOT + file),
  );
}

/** A VM that fails counts as a test that fails: the others go on. */
async function runOrFail(
  test: TestRun,
  run: Run,
  output: Output,
): Promise<Counts> {
  try {
    return await runInGuest(test, run, output);
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    output.say(`vm: ${error.message}`);
    return { passed: 0, failed: 1 };
  }
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
    boolean: ["all", "soak", "here", "help"],
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
  const files = args._.length > 0
    ? args._.map(String)
    : testFiles("tests/kernel");
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
  const runs: Run[] = args.all ? allRuns() : product(
    list(args.arch).map((name) => architecture(name).name),
    list(args.kernel),
    list(args.speed) as Speed[],
  );
  await using made = new AsyncDisposableStack();
  const environments = new Map<string, Record<string, string>>();
  for (const arch of new Set(runs.map((run) => run.arch))) {
    const all = args.all ? [...files, ...unitFiles(arch)] : files;
    const variables = await prepare(all, architecture(arch), made);
    environments.set(arch, { ...common.environment, ...variables });
  }
  const total = { passed: 0, failed: 0 };
  const add = ({ passed, failed }: Counts) => {
    total.passed += passed;
    total.failed += failed;
  };
  const limit = Number(args.jobs);
  const jobs: (() => Promise<void>)[] = [];
  for (let round = 0; round < Number(args.repeat); round++) {
    if (args.here) {
      const environment = environments.get(Deno.build.arch)!;
      for (const group of await byMachine(files)) {
        const { udc } = group.machine;
        const possible = udc === undefined
          ? group.request === ""
          : Deno.env.get("GADGET_UDC") === udc;
        if (possible) add(await runHere({ ...common, ...group, environment }));
        else console.log(`Left out, for they want a VM: ${group.files}`);
      }
      continue;
    }
    for (const run of runs) {
      const environment = environments.get(run.arch)!;
      const chosen = filesThatRunOn(
        args.all
          ? [...filesAtSpeed(files, run.speed), ...unitFiles(run.arch)]
          : files,
        run,
      );
      chosen.leftOut.forEach((sentence) => console.log(`\n${sentence}`));
      const groups = (await byMachine(chosen.files)).flatMap((group) =>
        // Many runs keep all jobs busy anyway.
        runs.length < limit && group.request === "" ? deal(group, limit) : group
      );
      for (const group of groups) {
        const obstacle = obstacleTo(group.machine.udc, run.kernel);
        if (obstacle !== undefined) {
          const what = `${group.files}`;
          console.log(`\n${leftOutSentence(what, run, obstacle)}`);
          continue;
        }
        const test = { ...common, ...group, environment };
        jobs.push(async () => {
          if (limit === 1) return add(await runOrFail(test, run, liveOutput));
          const output = new LateOutput();
          try {
            add(await runOrFail(test, run, output));
          } finally {
            output.show();
          }
        });
      }
    }
  }
  await runAll(jobs, limit);
  console.log(
    `\nKernel tests: ${total.passed} passed, ${total.failed} failed`,
  );
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
