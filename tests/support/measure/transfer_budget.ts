/**
 * Measures the cost of transfers: a program for `transfer_budget_test.ts` that
 * prints the result as JSON. It needs a young generation that is large enough to
 * avoid garbage collection.
 *
 * @module
 */
import { countCalls } from "./call_counter.ts";
import {
  makeReads,
  makeReadsOfNewMemory,
  makeWrites,
  openEndpoints,
} from "./endpoints_on_files.ts";

const SIZE = 16_384;
const DEPTH = 32;
const WARM_UP = 20_000;
const COUNT = 6_400;

/** The average cost of a transfer. */
export interface Cost {
  /** Calls of C functions, by their names in the symbol tables. */
  readonly calls: Readonly<Record<string, number>>;
  /** Bytes of the JavaScript heap. */
  readonly heapBytes: number;
}

/** The costs of each kind of transfer. */
export interface Costs {
  readonly write: Cost;
  readonly readInto: Cost;
  readonly read: Cost;
}

let counts: Readonly<Record<string, number>> = {};

async function measure(
  run: (size: number, depth: number, count: number) => Promise<void>,
): Promise<Cost> {
  await run(SIZE, DEPTH, WARM_UP);
  const callsBefore = { ...counts };
  const heapBefore = Deno.memoryUsage().heapUsed;
  await run(SIZE, DEPTH, COUNT);
  const heapBytes = (Deno.memoryUsage().heapUsed - heapBefore) / COUNT;
  const calls = Object.fromEntries(
    Object.entries(counts).map((
      [name, count],
    ) => [name, (count - (callsBefore[name] ?? 0)) / COUNT]),
  );
  return { calls, heapBytes };
}

if (import.meta.main) {
  if (Deno.args[0] === "calls") counts = countCalls();
  const { write, read } = openEndpoints();
  const costs: Costs = {
    write: await measure((...cell) => makeWrites(write, ...cell)),
    readInto: await measure((...cell) => makeReads(read, ...cell)),
    read: await measure((...cell) => makeReadsOfNewMemory(read, ...cell)),
  };
  console.log(JSON.stringify(costs));
  Deno.exit(0);
}
