/**
 * What the engine costs without any USB: the data path of endpoints on
 * /dev/null and /dev/zero. The kernel has little work with them, and each
 * transfer is done when it is submitted, so that what is left is ours.
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

/** Processor time of all threads, in microseconds. */
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
      `${((processorTime() - before) / count).toFixed(2)} us of processor each`,
  );
}
Deno.exit(0);
