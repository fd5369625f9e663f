/**
 * Ends Workers while they close their AIO contexts. A program of its own, since
 * nothing else in it may keep libaio loaded. Writes a line at its end.
 *
 * @module
 */
import { exists, readTextFile } from "../../../ffi/file.ts";
import { until } from "../waiting/until.ts";
import { ask, startWorker } from "./start.ts";

for (let round = 0; round < 5; round++) {
  const worker = startWorker("closing_worker.ts");
  const thread = await ask<number>(worker, "close");
  worker.terminate();
  await until(
    () =>
      !exists(`/proc/self/task/${thread}`) &&
      !readTextFile("/proc/self/maps").includes("/[aio]"),
    "the thread has ended, and the context is gone",
  );
}
console.log("alive");
Deno.exit(0);
