/**
 * The cost of the engine without USB: transfers to /dev/null and from /dev/zero,
 * by the data path of this package's endpoints and by a C program. They need
 * little work in the kernel and complete when they are submitted.
 *
 * @module
 */
import type { Job } from "../../src/vm/progress.ts";
import type { WayName } from "../../tests/support/measure/transfer_ways.ts";
import { compile, denoCommand, importMapOf } from "../contenders.ts";
import { Program } from "../program.ts";
import { sizeName, table } from "../report.ts";
import { median } from "../results.ts";

/** What to measure. */
export interface EnginePlan {
  readonly ways: readonly WayName[];
  readonly sizes: readonly number[];
  readonly depths: readonly number[];
  readonly rounds: number;
  /** Folders of checkouts of this package, to compare. */
  readonly checkouts: readonly string[];
}

/** The transfers of a cell: so many, or fewer of so many bytes. */
const MOST = 40_000;
const MOST_BYTES = 2 ** 31;

interface Cell {
  readonly way: WayName;
  readonly size: number;
  readonly depth: number;
  readonly count: number;
  /** Of each contender; the first one is C. */
  readonly times: Time[][];
}

/** Microseconds of one transfer. */
interface Time {
  readonly wall: number;
  readonly cpu: number;
}

/** Measures C and this package in turns, and returns a table. */
export async function benchEngine(plan: EnginePlan, job: Job): Promise<string> {
  const { checkouts, rounds } = plan;
  const contenders = [
    Program.start([await compile("engine/libaio.c", job, "-laio")]),
    ...checkouts.map((folder) => Program.start(ours(folder))),
  ];
  const cells = makeCells(plan);
  // V8 compiles during the first round, which does not count.
  for (let round = 0; round <= rounds; round++) {
    job.progress.step(`round ${round} of ${rounds}`);
    for (const { times, ...cell } of cells) {
      for (const [index, contender] of contenders.entries()) {
        const time = await measure(contender, { ...cell, isC: index === 0 });
        if (round > 0) (times[index] ??= []).push(time);
      }
    }
  }
  await Promise.all(contenders.map((each) => each.end()));
  return [
    `Microseconds of a transfer, medians of ${rounds} rounds; times C, fewest to most`,
    report(cells, checkouts),
  ].join("\n\n");
}

function makeCells({ ways, sizes, depths }: EnginePlan): Cell[] {
  return ways.flatMap((way) =>
    sizes.flatMap((size) => {
      const count = Math.min(MOST, Math.floor(MOST_BYTES / size));
      return depths.map((depth) => ({ way, size, depth, count, times: [] }));
    })
  );
}

function ours(folder: string): string[] {
  return denoCommand(
    "--allow-sys", // to ask for CPU time
    importMapOf(folder),
    `${folder}/bench/engine/package.ts`,
  );
}

async function measure(
  contender: Program,
  { way, size, depth, count, isC }: Omit<Cell, "times"> & { isC: boolean },
): Promise<Time> {
  const isWrite = way === "write" || way === "writable";
  const kind = !isC ? way : isWrite ? "write" : "read";
  await contender.say(`${kind} ${size} ${depth} ${count}`);
  const [wall, cpu] = (await contender.next()).split(" ").map(Number);
  return { wall: wall / count, cpu: cpu / count };
}

function report(cells: readonly Cell[], checkouts: readonly string[]): string {
  const rows = cells.map(({ way, size, depth, times }) => {
    const [c] = times;
    return [
      `${way} ${sizeName(size)} x ${depth}`,
      middle(c),
      ...times.slice(1).flatMap((each) => [
        middle(each),
        spread(each.map(({ wall }, round) => wall / c[round].wall)),
        spread(each.map(({ cpu }, round) => cpu / c[round].cpu)),
      ]),
    ];
  });
  const names = checkouts.length === 1
    ? ["package"]
    : checkouts.map((folder) => folder.replace(/\/$/, "").replace(/.*\//, ""));
  const columns = names.flatMap((name) => [name, "times C", "CPU times C"]);
  return table([["", "C", ...columns], ...rows]);
}

function middle(times: readonly Time[]): string {
  return median(times.map(({ wall }) => wall)).toFixed(2);
}

function spread(ratios: readonly number[]): string {
  const values = [median(ratios), Math.min(...ratios), Math.max(...ratios)];
  const [middle, least, most] = values.map((ratio) => ratio.toFixed(2));
  return `${middle} (${least} to ${most})`;
}
