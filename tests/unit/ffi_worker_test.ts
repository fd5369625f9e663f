/**
 * What isolates leave with the kernel when they end.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { destroyAbandonedContexts } from "../../ffi/aio/abandoned.ts";
import { exists, readTextFile } from "../../ffi/file.ts";
import { until } from "../support/waiting/until.ts";
import { ask, startWorker } from "../support/workers/start.ts";

/** Starts a Worker that waits, and returns its thread with it. */
async function startWaiting(): Promise<{ worker: Worker; thread: number }> {
  const worker = startWorker("waiting_worker.ts");
  return { worker, thread: await ask<number>(worker, []) };
}

const isAlive = (thread: number) => exists(`/proc/self/task/${thread}`);

/** How many AIO contexts this process has. */
function contexts(): number {
  return readTextFile("/proc/self/maps").split("/[aio]").length - 1;
}

Deno.test("the AIO contexts of Workers that have ended can be destroyed, and no others", async () => {
  const before = contexts();
  const [ended, living] = [await startWaiting(), await startWaiting()];
  assertEquals(contexts(), before + 2);
  assertEquals(await destroyAbandonedContexts(), 0);
  ended.worker.terminate();
  await until(() => !isAlive(ended.thread), "the thread has ended");
  assertEquals(contexts(), before + 2);
  assertEquals(await destroyAbandonedContexts(), 1);
  assertEquals(contexts(), before + 1);
  assert(isAlive(living.thread));
  living.worker.terminate();
  await until(() => !isAlive(living.thread), "the thread has ended");
  assertEquals(await destroyAbandonedContexts(), 1);
  assertEquals(contexts(), before);
});

/** Runs a program of tests/support/workers, and returns what it has written. */
async function run(file: string): Promise<string> {
  const program = new URL(`../support/workers/${file}`, import.meta.url);
  const { stdout, stderr, signal } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", program.pathname],
    env: { MALLOC_PERTURB_: "90", NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals([text(stderr), signal], ["", null]);
  return text(stdout);
}

Deno.test("the array of a parked poll is still there when its Worker has ended", async () => {
  assertEquals(await run("parked_poll_program.ts"), "100\n");
});

Deno.test("a Worker may end while it closes an AIO context", async () => {
  assertEquals(await run("closing_program.ts"), "alive\n");
});
