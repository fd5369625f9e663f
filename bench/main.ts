/**
 * `deno task bench`: compares this package with other libraries, C and the
 * kernel, in one VM. See `--help`.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { VmError } from "../tests/vm/errors.ts";
import { run } from "../tests/vm/process.ts";
import { terminalProgress } from "../tests/vm/progress.ts";
import { isQemuFault, runInVm } from "../tests/vm/vm.ts";
import { build, type Contender, CONTENDERS } from "./contenders.ts";
import type { RawResults } from "./guest.ts";
import {
  DEPTHS,
  type Direction,
  DIRECTIONS,
  makeCells,
  type Plan,
  SIZES,
} from "./plan.ts";
import { report } from "./report.ts";
import { summarize } from "./results.ts";
import { drawThroughput } from "./chart.ts";

const HELP = `Compares this package with C, Rust, Python and the kernel.

Usage: deno task bench [OPTIONS]

  --quick             few cells, few rounds: under a minute of measuring
  --contenders LIST   ${CONTENDERS.join(", ")};
                      gadget:FOLDER is this package from another checkout
  --sizes LIST        bytes (default ${SIZES.join(",")})
  --depths LIST       transfers in flight (default ${DEPTHS.join(",")})
  --directions LIST   in, out, duplex, ping (default all)
  --rounds N          rounds (default 5)
  --minutes N         starts no further cell after this time (default 100)
  --scale X           multiplies the transfers of each cell (default 1)
  --kernel VERSION    kernel to boot (default 7.3)
  --write             write results.json, results.md and throughput.svg here
`;

const ROOT = decodeURIComponent(new URL("..", import.meta.url).pathname);
const TIMEOUT = 2 * 60 * 60;

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    string: [
      "contenders",
      "sizes",
      "depths",
      "directions",
      "rounds",
      "scale",
      "minutes",
      "kernel",
    ],
    boolean: ["quick", "write", "help"],
    default: { kernel: "7.3" },
  });
  if (args.help) {
    console.log(HELP);
    return 0;
  }
  const { quick } = args;
  const list = (given: string | undefined, usual: readonly unknown[]) =>
    given?.split(",") ?? usual.map(String);
  const contenders = list(
    args.contenders,
    quick ? ["c-libaio", "gadget"] : CONTENDERS,
  ) as Contender[];
  const scale = Number(args.scale ?? 1);
  const cells = makeCells(
    list(
      args.directions,
      quick ? ["in", "out"] : [...DIRECTIONS, "ping"],
    ) as Direction[],
    list(args.sizes, quick ? [4096, 16_384, 65_536] : SIZES).map(Number),
    list(args.depths, quick ? [8, 32] : DEPTHS).map(Number),
    scale,
  );
  const rounds = Number(args.rounds ?? (quick ? 3 : 5));
  const minutes = Number(args.minutes ?? 100);
  const plan: Plan = { contenders, rounds, cells, minutes, extras: !quick };

  using progress = terminalProgress();
  const programs = await build(contenders, { progress });
  let output = "";
  const decoder = new TextDecoder();
  const result = await runInVm({
    command: [
      Deno.execPath(),
      "run",
      "--allow-all",
      "--no-check",
      "--import-map=tests/import_map.json",
      "bench/guest.ts",
    ],
    kernel: args.kernel,
    hcd: "is_super_speed=1 num=8",
    modules: ["usb_f_ss_lb"],
    memory: 3072,
    cwd: ROOT,
    env: {
      BENCH_PLAN: JSON.stringify(plan),
      BENCH_PROGRAMS: JSON.stringify(programs),
    },
    timeout: TIMEOUT,
    progress,
    onStdout: (chunk) => {
      output += decoder.decode(chunk, { stream: true });
      return Promise.resolve();
    },
    onStderr: async (chunk) => {
      await Deno.stderr.write(chunk);
    },
  });
  for (const { title, lines } of result.problems) {
    console.error(`The kernel complained: ${title}\n${lines.join("\n")}`);
  }
  if (isQemuFault(result)) {
    console.error("This is a fault of QEMU: run the benchmark again");
  }
  // Each round prints a line with all results so far.
  const last = output.split("\n").findLast((line) => line.startsWith("{"));
  if (last === undefined) return result.code;
  const results = summarize(JSON.parse(last) as RawResults, {
    machine: machine(),
    kernel: result.release,
    accel: result.accelerator,
  });
  const text = report(results);
  console.log(text);
  if (args.write) {
    const write = (name: string, text: string) =>
      Deno.writeTextFile(new URL(name, import.meta.url), text);
    await write("results.json", `${JSON.stringify(results, null, 2)}\n`);
    await write("results.md", text);
    await write("throughput.svg", drawThroughput(results));
    await run(Deno.execPath(), ["fmt", "--quiet", "bench"], { cwd: ROOT });
  }
  return result.code;
}

/** The CPU, as far as this machine reports it. */
function machine(): string {
  const text = Deno.readTextFileSync("/proc/cpuinfo");
  const model = /^model name\s*:\s*(.*)$/m.exec(text)?.[1] ?? Deno.build.arch;
  return `2 virtual processors on ${navigator.hardwareConcurrency} of ${model}`;
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    console.error(`bench: ${error.message}`);
    Deno.exit(1);
  }
}
