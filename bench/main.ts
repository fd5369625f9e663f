/**
 * `deno task bench`: compares this package with other libraries, C and the
 * kernel, in one VM or in User Mode Linux. See `--help`.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { oneOf } from "../src/vm/arguments.ts";
import { VmError } from "../src/vm/errors.ts";
import { run } from "../src/vm/process.ts";
import { terminalProgress } from "../src/vm/progress.ts";
import { bedMachine, BEDS, parseBed, processor, runInBed } from "./beds.ts";
import {
  build,
  checkoutOf,
  type Contender,
  CONTENDERS,
  ROOT,
} from "./contenders.ts";
import type { RawResults } from "./guest.ts";
import {
  DEPTHS,
  type Direction,
  DIRECTIONS,
  makeCells,
  type Plan,
  SIZES,
} from "./plan.ts";
import { type WayName, WAYS } from "../tests/support/measure/transfer_ways.ts";
import { benchEngine, type EnginePlan } from "./engine/main.ts";
import { report } from "./report.ts";
import { summarize } from "./results.ts";
import { writeResults } from "./write_results.ts";

const HELP = `Compares this package with C, Rust, Python and the kernel.

Usage: deno task bench [OPTIONS]

  --bed NAME          ${BEDS.join(" or ")}: where it runs (default ${BEDS[0]});
                      the first run in uml builds a kernel, in some minutes
  --engine            only the engine without USB, beside C, on this machine
  --ways LIST         with --engine: ${Object.keys(WAYS).join(", ")}
  --quick             few cells, few rounds: under a minute of measuring
  --contenders LIST   ${CONTENDERS.join(", ")};
                      gadget:FOLDER is this package from another checkout
  --sizes LIST        bytes (default ${SIZES.join(",")})
  --depths LIST       transfers in flight (default ${DEPTHS.join(",")})
  --directions LIST   in, out, duplex, ping (default all)
  --rounds N          rounds (default 5)
  --minutes N         starts no further cell after this time (default 100)
  --scale X           multiplies the transfers of each cell (default 1)
  --kernel VERSION    kernel to boot in qemu (default 7.3)
  --mirror URL        the Debian archive that has it (default: what this
                      machine's apt uses)
  --write             write results.json, results.md and the bed's chart here;
                      with --engine, engine.md
`;

const TIMEOUT = 2 * 60 * 60;

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    string: [
      "contenders",
      "sizes",
      "ways",
      "depths",
      "directions",
      "rounds",
      "scale",
      "minutes",
      "kernel",
      "bed",
      "mirror",
    ],
    boolean: ["engine", "quick", "write", "help"],
    default: { bed: BEDS[0], kernel: "7.3" },
  });
  if (args.help) {
    console.log(HELP);
    return 0;
  }
  const { quick } = args;
  const bed = parseBed(args.bed);
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
  if (args.engine) {
    const plan: EnginePlan = {
      ways: list(args.ways, Object.keys(WAYS))
        .map((way) => oneOf("ways", way, Object.keys(WAYS) as WayName[])),
      checkouts: (list(args.contenders, ["gadget"]) as Contender[])
        .flatMap((contender) => checkoutOf(contender) ?? []),
      sizes: list(args.sizes, SIZES).map(Number),
      depths: list(args.depths, DEPTHS).map(Number),
      rounds,
    };
    await measureEngine(plan, args.write);
    return 0;
  }
  const minutes = Number(args.minutes ?? 100);
  const plan: Plan = { contenders, rounds, cells, minutes, extras: !quick };

  using progress = terminalProgress();
  const programs = await build(contenders, { progress });
  let output = "";
  const decoder = new TextDecoder();
  const result = await runInBed(bed, {
    command: [
      Deno.execPath(),
      "run",
      "--allow-all",
      "--no-check",
      "--import-map=tests/import_map.json",
      "bench/guest.ts",
    ],
    kernel: args.kernel,
    mirror: args.mirror,
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
  if (result.qemuFault) {
    console.error("This is a fault of QEMU: run the benchmark again");
  }
  // Each round prints a line with all results so far.
  const last = output.split("\n").findLast((line) => line.startsWith("{"));
  if (last === undefined) return result.code;
  const results = summarize(JSON.parse(last) as RawResults, {
    machine: bedMachine(bed),
    kernel: result.kernel,
    accel: result.accel,
  });
  console.log(report(results));
  if (args.write) {
    await writeResults(bed, results);
    await run(Deno.execPath(), ["fmt", "--quiet", "bench"], { cwd: ROOT });
  }
  return result.code;
}

/** Measures the engine without USB, and writes engine.md if that is wanted. */
async function measureEngine(plan: EnginePlan, write: boolean): Promise<void> {
  using progress = terminalProgress();
  const text = await benchEngine(plan, { progress });
  console.log(text);
  if (!write) return;
  await Deno.writeTextFile(
    new URL("engine.md", import.meta.url),
    `Linux ${Deno.osRelease()}, ${processor()}\n\n${text}\n`,
  );
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    console.error(`bench: ${error.message}`);
    Deno.exit(error.exitCode);
  }
}
