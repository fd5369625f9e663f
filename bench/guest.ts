/**
 * The part of the benchmark that runs in the VM: takes a plan by its
 * environment, and says what it has measured as JSON.
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
  /** One for each round; empty if it was skipped. */
  rounds: Measurement[];
  skipped?: string;
}

/** What a run in the VM says. */
export interface RawResults {
  cells: RawCell[];
  start: { contender: Contender; seconds: number[]; residentBytes: number }[];
  extras?: Awaited<ReturnType<typeof measureExtras>>;
}

const plan: Plan = JSON.parse(Deno.env.get("BENCH_PLAN")!);
const programs: Programs = JSON.parse(Deno.env.get("BENCH_PROGRAMS")!);

// Large transfers 32 deep in both directions are more than usbfs allows.
await Deno.writeTextFile(
  "/sys/module/usbcore/parameters/usbfs_memory_mb",
  "0",
);
const udcs = [...Deno.readDirSync("/sys/class/udc")].map(({ name }) => name)
  .sort();

/** What lasting contenders do before anything is measured. */
const WARM_UP: readonly Cell[] = [
  { direction: "duplex", size: 4096, depth: 32, count: 8000 },
  { direction: "ping", size: 64, depth: 1, count: 500 },
];

/** Every contender has its own UDC, so that all can stay. */
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

/** Cells of one size and depth, which some contenders are made for. */
const groups = Map.groupBy(plan.cells, ({ size, depth }) => `${size} ${depth}`);

const able = plan.contenders.filter((contender) =>
  programs.commands[contender] !== undefined
);
const lasting = new Map<Contender, RunningContender>();
for (const contender of able) {
  if (isMadeForCell(contender)) continue;
  const one = await start(contender, plan.cells[0]);
  lasting.set(contender, one);
  // A daemon runs for days; what is measured is not its first second. All get
  // the same, though only a just-in-time compiler needs it.
  for (const cell of WARM_UP) await one.measure(cell);
}
for (let round = 0; round < plan.rounds; round++) {
  for (const cells of groups.values()) {
    const running = new Map(lasting);
    for (const contender of able) {
      if (!isMadeForCell(contender)) continue;
      if (!cells.some((cell) => canDo(contender, cell))) continue;
      running.set(contender, await start(contender, cells[0]));
    }
    for (const cell of cells) {
      // Every other round the other way round: nobody is always the first.
      const order = round % 2 === 0 ? able : able.toReversed();
      for (const contender of order) {
        const entry = raw.get(key(contender, cell))!;
        if (entry.skipped !== undefined) continue;
        const one = running.get(contender)!;
        if (round === 0) await one.measure({ ...cell, count: cell.depth });
        entry.rounds.push(await one.measure(cell));
      }
    }
    for (const [contender, one] of running) {
      if (isMadeForCell(contender)) await end(contender, one);
    }
    const { size, depth } = cells[0];
    console.error(`round ${round + 1} of ${plan.rounds}: ${size} x ${depth}`);
  }
}
for (const [contender, one] of lasting) await end(contender, one);
if (plan.extras) {
  for (let round = 1; round < plan.rounds; round++) {
    for (const contender of lasting.keys()) {
      await end(contender, await start(contender, plan.cells[0]));
    }
  }
}

if (plan.extras) {
  results.extras = await measureExtras({ programs, udcs });
}
console.log(JSON.stringify(results));
Deno.exit(0);
