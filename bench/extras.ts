/**
 * What is not a matter of cells: idle functions, and many gadgets at once.
 *
 * @module
 */
import type { Programs } from "./contenders.ts";
import type { Cell } from "./plan.ts";
import { RunningContender } from "./running_contender.ts";

const GADGETS = 8;
const CELL: Cell = { direction: "in", size: 65_536, depth: 8, count: 300 };
const IDLE_MS = 5000;

/** What came out. */
export interface Extras {
  /** Processor seconds of eight idle gadgets, per second. */
  idleCpu: number;
  /** MB/s of each of eight gadgets that send at once. */
  shares: number[];
}

/** Starts eight gadgets, lets them be idle, and then all send at once. */
export async function measureExtras(
  { programs, udcs }: { programs: Programs; udcs: readonly string[] },
): Promise<Extras> {
  const gadgets: RunningContender[] = [];
  for (let index = 0; index < GADGETS; index++) {
    gadgets.push(
      await RunningContender.start("gadget", {
        programs,
        udc: udcs[index],
        cell: CELL,
        label: `gadget ${index}`,
      }),
    );
  }
  await Promise.all(gadgets.map((gadget) => gadget.measure(CELL)));
  const cpu = () =>
    gadgets.reduce((sum, gadget) => sum + gadget.cpuSeconds!, 0);
  const before = cpu();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const idleCpu = (cpu() - before) / (IDLE_MS / 1000);
  const times = await Promise.all(
    gadgets.map((gadget) => gadget.measure(CELL)),
  );
  for (const gadget of gadgets) await gadget[Symbol.asyncDispose]();
  const megabytes = CELL.size * CELL.count / 1e6;
  return { idleCpu, shares: times.map(({ seconds }) => megabytes / seconds) };
}
