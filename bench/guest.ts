/**
 * The part of the benchmark that runs in the VM: takes a plan from the
 * environment, and prints the measurements as JSON.
 *
 * @module
 */
import type { Contender, Programs } from "./contenders.ts";
import { measureExtras } from "./extras.ts";
import type { Cell, Plan } from "./plan.ts";
import {
  canDo,
  isMadeForCell,
  type Measurement,
  RunningContender,
} from "./running_contender.ts";

/** All rounds of one contender in one cell. */
export interface RawCell extends Omit<Cell, "count"> {
  contender: Contender;
  count: number;
  /** One per round; empty if the contender was skipped. */
  rounds: Measurement[];
  skipped?: string;
}

/** The output of a run in the VM. */
export interface RawResults {
  cells: RawCell[];
  start: { contender: Contender; seconds: number[]; residentBytes: number }[];
  extras?: Awaited<ReturnType<typeof measureExtras>>;
}

const plan: Plan = JSON.parse(Deno.env.get("BENCH_PLAN")!);
const programs: Programs = JSON.parse(Deno.env.get("BENCH_PROGRAMS")!);

// Large transfers, 32 deep in both directions, exceed the default limit of usbfs.
await Deno.writeTextFile(
  "/sys/module/usbcore/parameters/usbfs_memory_mb",
  "0",
);
const udcs = [...Deno.readDirSync("/sys/class/udc")].map(({ name }) => name)
  .sort();

/** What contenders that serve all cells run before the measurements. */
const WARM_UP: readonly Cell[] = [
  { direction: "duplex", size: 4096, depth: 32, count: 8000 },
  { direction: "ping", size: 64, depth: 1, count: 500 },
];

/** Each contender has its own UDC, so all can stay bound. */
const udcOf = new Map(
  plan.contenders.map((contender, index) => [contender, udcs[index]]),
);
const results: RawResults = { cells: [], start: [] };
const raw = new Map<string, RawCell>();
for (const cell of plan.cells) {
  for (const contender of plan.contenders) {
    const entry: RawCell = { ...cell, contender, rounds: [] };
    const reason = programs.skipped[contender];
    if (reason !== undefined) entry.skipped = reason;
    else if (!canDo(contender, cell)) entry.skipped = "cannot do it";
    results.cells.push(entry);
    raw.set(key(contender, cell), entry);
  }
}
for (const contender of plan.contenders) {
  results.start.push({ contender, seconds: [], residentBytes: 0 });
}

function key(contender: Contender, cell: Cell): string {
  return [contender, cell.direction, cell.size, cell.depth].join();
}

function start(contender: Contender, cell: Cell): Promise<RunningContender> {
  return RunningContender.start(contender, {
    programs,
    udc: udcOf.get(contender)!,
    cell,
  });
}

async function end(contender: Contender, running: RunningContender) {
  const entry = results.start.find((each) => each.contender === contender)!;
  entry.seconds.push(running.startSeconds);
  entry.residentBytes = Math.max(
    entry.residentBytes,
    running.residentBytes ?? 0,
  );
  await running[Symbol.asyncDispose]();
}

/** Cells grouped by size and depth, for which some contenders are started. */
const groups = Map.groupBy(plan.cells, ({ size, depth }) => `${size} ${depth}`);

const able = new Set(
  plan.contenders.filter((contender) =>
    programs.commands[contender] !== undefined
  ),
);
/** Contenders that serve all cells, and those started for the current cells. */
const running = new Map<Contender, RunningContender>();

/** Runs a step of a contender; one that fails is excluded from then on. */
async function attempt(contender: Contender, what: () => Promise<void>) {
  try {
    await what();
  } catch (error) {
    const reason = `failed: ${error instanceof Error ? error.message : error}`;
    console.error(`${contender} ${reason}`);
    able.delete(contender);
    for (const entry of results.cells) {
      if (entry.contender === contender && entry.rounds.length === 0) {
        entry.skipped ??= reason;
      }
    }
    const one = running.get(contender);
    running.delete(contender);
    await one?.[Symbol.asyncDispose]().catch(() => {});
  }
}

const begin = (contender: Contender, cell: Cell) =>
  attempt(contender, async () => {
    running.set(contender, await start(contender, cell));
  });

const finish = (contender: Contender) =>
  attempt(contender, async () => {
    const one = running.get(contender);
    running.delete(contender);
    if (one !== undefined) await end(contender, one);
  });

/** Measures cells of one size and depth, once. */
async function measureGroup(cells: readonly Cell[], round: number) {
  for (const contender of able) {
    if (!isMadeForCell(contender)) continue;
    if (!cells.some((cell) => canDo(contender, cell))) continue;
    await begin(contender, cells[0]);
  }
  for (const cell of cells) {
    // Reversed in every other round, so that no contender is always first.
    const order = round % 2 === 0 ? [...able] : [...able].reverse();
    for (const contender of order) {
      const entry = raw.get(key(contender, cell))!;
      if (entry.skipped !== undefined) continue;
      await attempt(contender, async () => {
        const one = running.get(contender)!;
        if (round === 0) await one.measure({ ...cell, count: cell.depth });
        entry.rounds.push(await one.measure(cell));
      });
    }
  }
  for (const contender of [...running.keys()]) {
    if (isMadeForCell(contender)) await finish(contender);
  }
}

const lasting = [...able].filter((contender) => !isMadeForCell(contender));
for (const contender of lasting) {
  await begin(contender, plan.cells[0]);
  // A daemon runs for days, so its first second is not measured. Each contender
  // gets this warm-up, although only a JIT compiler needs it.
  await attempt(contender, async () => {
    for (const cell of WARM_UP) await running.get(contender)?.measure(cell);
  });
}
const isLate = () => performance.now() / 60_000 > plan.minutes;
for (let round = 0; round < plan.rounds; round++) {
  for (const cells of groups.values()) {
    if (round > 0 && isLate()) break;
    await measureGroup(cells, round);
    const { size, depth } = cells[0];
    console.error(`round ${round + 1} of ${plan.rounds}: ${size} x ${depth}`);
  }
  // If the VM does not finish, this is a partial result.
  console.log(JSON.stringify(results));
}
for (const contender of lasting) await finish(contender);
if (plan.extras) {
  for (let round = 1; round < plan.rounds && !isLate(); round++) {
    for (const contender of lasting) {
      if (!able.has(contender)) continue;
      await begin(contender, plan.cells[0]);
      await finish(contender);
    }
  }
}

if (plan.extras) {
  results.extras = await measureExtras({ programs, udcs });
}
console.log(JSON.stringify(results));
Deno.exit(0);
