/**
 * Runs the kernel tests: in a VM for each kernel and speed, or on this machine.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { type Architecture, architecture } from "../vm/architectures.ts";
import { VmError } from "../vm/errors.ts";
import { terminalProgress } from "../vm/progress.ts";
import { isQemuFault, runInVm, type Speed, type UdcKind } from "../vm/vm.ts";
import { type Counts, countTests } from "./counts.ts";
import { compileProgram } from "./compiler.ts";
import { cacheImports, ROOT, testArguments, testFiles } from "./deno_test.ts";
import { ensureHostPrograms } from "./host_programs.ts";
import {
  allRuns,
  filesAtSpeed,
  filesByUdc,
  filesOnArchitecture,
  finishedFiles,
  type Run,
  udcsOf,
} from "./matrix.ts";
import { makeSingleFile } from "./single_file.ts";
import { ensureTestusb } from "./testusb.ts";

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

The dmabuf tests run in a VM of their own, whose UDC can scatter-gather; with
--here they run if GADGET_UDC=sg says that this machine's can.
GADGET_SEED=N in the environment makes random tests begin with seed N.
`;

/** A VM may take this long, in seconds. */
const TIMEOUT = 20 * 60;
const SOAK_TIMEOUT = 3 * 60 * 60;

interface Plan {
  files: string[];
  udc: UdcKind;
  environment: Record<string, string>;
  extra: string[];
  timeout: number;
}

/** A variable of this environment, to be handed on to the VM. */
function inherited(name: string): Record<string, string> {
  const value = Deno.env.get(name);
  return value === undefined ? {} : { [name]: value };
}

/** Passes output on, and keeps it to count the tests in it. */
class Tee {
  #text = "";
  readonly #decoder = new TextDecoder();

  write(chunk: Uint8Array): Promise<void> {
    this.#text += this.#decoder.decode(chunk, { stream: true });
    let rest = chunk;
    while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
    return Promise.resolve();
  }

  get counts(): Counts {
    return countTests(this.#text);
  }
}

async function inVm(plan: Plan, run: Run, attempts = 3): Promise<Counts> {
  const { arch, kernel, speed } = run;
  console.log(
    `\nKernel tests on Linux ${kernel} at ${speed} speed, ${arch}${
      plan.udc === "sg" ? ", with scatter-gather" : ""
    }`,
  );
  const tee = new Tee();
  using progress = terminalProgress();
  const started = performance.now();
  const result = await runInVm({
    command: ["deno", ...testArguments(plan.files), ...plan.extra],
    arch,
    kernel,
    speed,
    udc: plan.udc,
    cwd: ROOT,
    env: plan.environment,
    timeout: plan.timeout,
    progress,
    onStdout: (chunk) => tee.write(chunk),
    onStderr: (chunk) => tee.write(chunk),
  });
  for (const { title, lines } of result.problems) {
    console.log(`The kernel complained: ${title}\n${lines.join("\n")}`);
  }
  if (isQemuFault(result) && attempts > 1) {
    console.log("That is a fault of QEMU, not of the tests: once more");
    return await inVm(plan, run, attempts - 1);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`Linux ${result.release}, ${result.accelerator}, ${seconds} s`);
  return withExitCode(tee.counts, result.code);
}

async function here(plan: Plan): Promise<Counts> {
  const tee = new Tee();
  const child = new Deno.Command(Deno.execPath(), {
    args: [...testArguments(plan.files), ...plan.extra],
    cwd: ROOT,
    env: plan.environment,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  for await (const chunk of child.stdout) await tee.write(chunk);
  return withExitCode(tee.counts, (await child.status).code);
}

/** A run that failed without a failed test has failed all the same. */
function withExitCode(counts: Counts, code: number): Counts {
  if (code !== 0 && counts.failed === 0) {
    console.log(`The run ended with exit code ${code}`);
    counts.failed++;
  }
  return counts;
}

/**
 * Fetches and compiles what the tests need on an architecture.
 *
 * @param made Removes what is not to stay.
 * @returns Variables that tell where it is.
 */
async function prepare(
  files: readonly string[],
  architecture: Architecture,
  made: AsyncDisposableStack,
): Promise<Record<string, string>> {
  await cacheImports(files, architecture);
  using progress = terminalProgress();
  const job = { progress };
  await ensureHostPrograms(architecture, job);
  const variables: Record<string, string> = {};
  if (files.some((file) => file.includes("usbtest"))) {
    variables.GADGET_TESTUSB = await ensureTestusb(architecture, job);
  }
  if (files.some((file) => file.includes("pair_"))) {
    const source = `${ROOT}tests/support/pair_program.c`;
    variables.GADGET_PAIR_PROGRAM = await compileProgram(
      source,
      architecture,
      job,
    );
  }
  if (files.some((file) => file.includes("single_file"))) {
    const { path } = made.use(await makeSingleFile(architecture, job));
    variables.GADGET_SINGLE_FILE = path;
  }
  return variables;
}

/** The values of an option, which have commas between. */
function list(text: string): string[] {
  return text.split(",");
}

/** Every combination. */
function* product(
  archs: string[],
  kernels: string[],
  speeds: Speed[],
): Generator<Run> {
  for (const arch of archs) {
    for (const kernel of kernels) {
      for (const speed of speeds) yield { arch, kernel, speed };
    }
  }
}

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    string: ["arch", "kernel", "speed", "filter", "repeat"],
    boolean: ["all", "soak", "here", "help"],
    default: {
      arch: Deno.build.arch,
      kernel: "7.3",
      speed: "super",
      repeat: "1",
    },
  });
  if (args.help) {
    console.log(HELP);
    return 0;
  }
  const files = args._.length > 0
    ? args._.map(String)
    : finishedFiles(testFiles("tests/kernel"));
  const plan: Plan = {
    files,
    udc: "stock",
    environment: {
      ...(args.soak ? { GADGET_SOAK: "1" } : {}),
      ...inherited("GADGET_SEED"),
      ...(Deno.stdout.isTerminal() ? {} : { NO_COLOR: "1" }),
    },
    extra: args.filter === undefined ? [] : [`--filter=${args.filter}`],
    timeout: args.soak ? SOAK_TIMEOUT : TIMEOUT,
  };
  const runs = args.all ? allRuns() : [
    ...product(
      list(args.arch).map((name) => architecture(name).name),
      list(args.kernel),
      list(args.speed) as Speed[],
    ),
  ];
  await using made = new AsyncDisposableStack();
  const environments = new Map<string, Record<string, string>>();
  for (const arch of new Set(runs.map((run) => run.arch))) {
    environments.set(arch, await prepare(files, architecture(arch), made));
  }
  const total = { passed: 0, failed: 0 };
  const add = ({ passed, failed }: Counts) => {
    total.passed += passed;
    total.failed += failed;
  };
  for (let round = 0; round < Number(args.repeat); round++) {
    if (args.here) {
      const environment = {
        ...plan.environment,
        ...environments.get(Deno.build.arch),
      };
      // Whoever has a UDC with scatter-gather says so.
      const udc = Deno.env.get("GADGET_UDC") === "sg" ? "sg" : "stock";
      add(await here({ ...plan, files: filesByUdc(files)[udc], environment }));
      continue;
    }
    for (const run of runs) {
      const chosen = filesOnArchitecture(
        args.all ? filesAtSpeed(files, run.speed) : files,
        run.arch,
      );
      chosen.leftOut.forEach((sentence) => console.log(`\n${sentence}`));
      const environment = {
        ...plan.environment,
        ...environments.get(run.arch),
      };
      const groups = filesByUdc(chosen.files);
      for (const udc of udcsOf(run.kernel)) {
        const files = groups[udc];
        if (files.length === 0) continue;
        add(await inVm({ ...plan, files, udc, environment }, run));
      }
    }
  }
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
