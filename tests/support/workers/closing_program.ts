/**
 * Terminates Workers while they close their AIO contexts. This is a separate program
 * because no other code may keep libaio loaded. It prints a line when it is done.
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
