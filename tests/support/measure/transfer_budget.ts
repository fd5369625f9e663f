/**
 * Measures the cost of transfers: a program for `transfer_budget_test.ts` that
 * prints the result as JSON. It needs a young generation that is large enough to
 * avoid garbage collection.
 *
 * @module
 */
import { countCalls } from "./call_counter.ts";
import { openEndpoints } from "./endpoints_on_files.ts";
import { collectGarbage } from "./memory.ts";
import { countPromises } from "./promise_counter.ts";
import { type Way, type WayName, WAYS } from "./transfer_ways.ts";

const SIZE = 4096;
const DEPTHS = [1, 32];
const WARM_UP = 20_000;
const COUNT = 3_200;

/** The average cost of a transfer. */
export interface Cost {
  /** Calls of C functions, by their names in the symbol tables. */
  readonly calls: Readonly<Record<string, number>>;
  /** Bytes of the JavaScript heap. */
  readonly heapBytes: number;
  readonly promises: number;
}

/** A kind of transfer, and how many are in flight. */
export type Kind = `${WayName} x ${1 | 32}`;

/** The costs of each kind of transfer. */
export type Costs = Readonly<Record<Kind, Cost>>;

/** What to count. The others change with it, and mean nothing then. */
export type Counted = "calls" | "heap" | "promises";

let calls: Readonly<Record<string, number>> = {};
let promises = () => 0;

async function measure(way: Way, depth: number): Promise<Cost> {
  const run = (count: number) => way(endpoints, SIZE, depth, count);
  await run(WARM_UP);
  collectGarbage();
  const before = { ...calls };
  const promisesBefore = promises();
  const heapBefore = Deno.memoryUsage().heapUsed;
  await run(COUNT);
  const each = (count: number) => count / COUNT;
  return {
    heapBytes: each(Deno.memoryUsage().heapUsed - heapBefore),
    promises: each(promises() - promisesBefore),
    calls: Object.fromEntries(
      Object.entries(calls)
        .map(([name, count]) => [name, each(count - (before[name] ?? 0))]),
    ),
  };
}

const counted = Deno.args[0] as Counted;
if (counted === "calls") calls = countCalls();
const endpoints = openEndpoints();
if (counted === "promises") promises = countPromises();
const costs: Partial<Record<Kind, Cost>> = {};
for (const [name, way] of Object.entries(WAYS)) {
  for (const depth of DEPTHS) {
    costs[`${name} x ${depth}` as Kind] = await measure(way, depth);
  }
}
console.log(JSON.stringify(costs));
Deno.exit(0);
