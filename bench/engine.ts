/**
 * The cost of the engine without USB: the data path of endpoints on /dev/null and
 * /dev/zero. These need little work in the kernel and complete when they are
 * submitted, so nearly all of the time is spent in this package.
 *
 * ```sh
 * deno run -A --import-map=tests/import_map.json bench/engine.ts [DEPTH] [COUNT]
 * ```
 *
 * @module
 */
import {
  makeReads,
  makeReadsOfNewMemory,
  makeWrites,
  openEndpoints,
} from "../tests/support/measure/endpoints_on_files.ts";

const SIZE = 4096;
const depth = Number(Deno.args[0] ?? 32);
const count = Number(Deno.args[1] ?? 300_000);
const { write, read } = openEndpoints();

/** CPU time of all threads, in microseconds. */
function processorTime(): number {
  let sum = 0;
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    const text = Deno.readTextFileSync(`/proc/self/task/${name}/schedstat`);
    sum += Number(text.split(" ")[0]) / 1e3;
  }
  return sum;
}

const ways = {
  "write(data)": (count: number) => makeWrites(write, SIZE, depth, count),
  "read(buffer)": (count: number) => makeReads(read, SIZE, depth, count),
  "read(size)": (count: number) =>
    makeReadsOfNewMemory(read, SIZE, depth, count),
};

for (const [name, run] of Object.entries(ways)) {
  await run(count / 10);
  const before = processorTime();
  const started = performance.now();
  await run(count);
  const time = (performance.now() - started) * 1000;
  console.log(
    `${name.padEnd(12)} ${(time / count).toFixed(2)} us, ` +
      `${((processorTime() - before) / count).toFixed(2)} us of CPU time each`,
  );
}
Deno.exit(0);
