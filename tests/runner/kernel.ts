/**
 * Runs the kernel tests: in a VM for each kernel and speed, or on this machine.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { VmError } from "../vm/errors.ts";
import { terminalProgress } from "../vm/progress.ts";
import { isQemuFault, runInVm, type Speed } from "../vm/vm.ts";
import { bundlePackage } from "./bundle.ts";
import { type Counts, countTests } from "./counts.ts";
import { cacheImports, ROOT, testArguments, testFiles } from "./deno_test.ts";
import { ensureHostPrograms } from "./host_programs.ts";
import { groupByMachine, type MachineGroup } from "./machine.ts";
import { filesAtSpeed, finishedFiles } from "./matrix.ts";
import { ensureTestusb } from "./testusb.ts";

const HELP = `Runs the kernel tests.

Usage: deno task test:kernel [OPTIONS] [FILE...]

  --kernel LIST   kernels to boot, such as 7.3,6.12,6.1 (default 7.3)
  --speed LIST    speeds, such as super,high,full (default super)
  --all           every kernel, and every speed where that matters
  --soak          with the full counts of rounds and bytes
  --here          on this machine's own UDC, without a VM
  --filter TEXT   only tests with this in their name
  --repeat N      the same again and again, to find what is not stable

GADGET_SEED=N in the environment makes random tests begin with seed N.
`;

const KERNELS = ["7.3", "6.12", "6.1"];
const SPEEDS: readonly Speed[] = ["super", "high", "full"];

/** A VM may take this long, in seconds. */
const TIMEOUT = 12 * 60;
const SOAK_TIMEOUT = 3 * 60 * 60;

interface Plan extends MachineGroup {
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

async function inVm(
  plan: Plan,
  kernel: string,
  speed: Speed,
  attempts = 3,
): Promise<Counts> {
  const request = plan.request === "" ? "" : ` with ${plan.request}`;
  console.log(`\nKernel tests on Linux ${kernel} at ${speed} speed${request}`);
  const tee = new Tee();
  using progress = terminalProgress();
  const started = performance.now();
  const result = await runInVm({
    ...plan.machine,
    command: ["deno", ...testArguments(plan.files), ...plan.extra],
    kernel,
    speed,
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
    return await inVm(plan, kernel, speed, attempts - 1);
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

function readTest(file: string): Promise<string> {
  return Deno.readTextFile(file.startsWith("/") ? file : ROOT + file);
}

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    string: ["kernel", "speed", "filter", "repeat"],
    boolean: ["all", "soak", "here", "help"],
    default: { kernel: "7.3", speed: "super", repeat: "1" },
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
    request: "",
    machine: {},
    environment: {
      ...(args.soak ? { GADGET_SOAK: "1" } : {}),
      ...inherited("GADGET_SEED"),
      ...(Deno.stdout.isTerminal() ? {} : { NO_COLOR: "1" }),
    },
    extra: args.filter === undefined ? [] : [`--filter=${args.filter}`],
    timeout: args.soak ? SOAK_TIMEOUT : TIMEOUT,
  };
  await cacheImports(files);
  {
    using progress = terminalProgress();
    await ensureHostPrograms({ progress });
    if (files.some((file) => file.includes("usbtest"))) {
      plan.environment.GADGET_TESTUSB = await ensureTestusb({ progress });
    }
  }
  await using bundle = await bundlePackage();
  Object.assign(plan.environment, bundle.environment);
  const kernels = args.all ? KERNELS : String(args.kernel).split(",");
  const speeds = args.all ? SPEEDS : String(args.speed).split(",") as Speed[];
  const total = { passed: 0, failed: 0 };
  const add = ({ passed, failed }: Counts) => {
    total.passed += passed;
    total.failed += failed;
  };
  for (let round = 0; round < Number(args.repeat); round++) {
    if (args.here) {
      const groups = await groupByMachine(files, readTest);
      for (const { request, files } of groups) {
        if (request === "") add(await here({ ...plan, files }));
        else console.log(`Left out, for they want a VM: ${files.join(" ")}`);
      }
      continue;
    }
    for (const kernel of kernels) {
      for (const speed of speeds) {
        const chosen = args.all ? filesAtSpeed(files, speed) : files;
        for (const group of await groupByMachine(chosen, readTest)) {
          add(await inVm({ ...plan, ...group }, kernel, speed));
        }
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
