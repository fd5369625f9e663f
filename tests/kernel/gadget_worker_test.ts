/**
 * Gadgets in Workers, which can end at any moment.
 *
 * @module
 */
// VM: any speed, any architecture
import { setTimeout as delay } from "node:timers/promises";
import { assertEquals } from "@std/assert";
import { Gadget, kernelFunction } from "@usb/gadget";
import { withControllers } from "../support/machine/controllers.ts";
import { gadgetTraces, openFiles } from "../support/machine/leftovers.ts";
import { aioLibraries } from "../support/run/aio_libraries.ts";
import { soak } from "../support/run/soak.ts";
import { testSeed } from "../support/data/seed.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { ask, startWorker } from "../support/workers/start.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const mod = Deno.env.get("GADGET_BUNDLE") ??
  new URL("../../mod.ts", import.meta.url).href;
const { maxSpeed } = gadgetSpeed();

/** Runs the soak in a process of its own, and returns what it has written. */
async function runSoak(
  rounds: number,
  library: string,
  env: Record<string, string> = {},
): Promise<string> {
  const { code, signal, stdout, stderr } = await new Deno.Command(
    Deno.execPath(),
    {
      args: [
        "run",
        "--allow-all",
        "--no-check",
        "--cached-only",
        "--import-map=tests/import_map.json",
        "tests/support/workers/soak_program.ts",
        ...[rounds, testSeed(), library, maxSpeed].map(String),
      ],
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
    },
  ).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals({ code, signal, stderr: text(stderr) }, {
    code: 0,
    signal: null,
    stderr: "",
  });
  return text(stdout);
}

for (const library of aioLibraries) {
  const count = soak(50, 4);
  Deno.test(`what the host sends to Workers that have ended changes no memory of others (${library})`, async () => {
    assertEquals(
      await runSoak(count, library),
      `${count} Workers have ended, and no memory has changed\n`,
    );
  });
}

Deno.test("glibc finds nothing wrong with its memory when Workers end", async () => {
  const count = soak(50, 3);
  const [library] = aioLibraries;
  const env = {
    MALLOC_PERTURB_: "165",
    MALLOC_CHECK_: "3",
    // Since glibc 2.34 the checks have a library of their own.
    LD_PRELOAD: "libc_malloc_debug.so.0",
  };
  assertEquals(
    await runSoak(count, library, env),
    `${count} Workers have ended, and no memory has changed\n`,
  );
});

Deno.test("Workers and the main program start gadgets without names side by side", async () => {
  const traces = gadgetTraces();
  await withControllers(3, async () => {
    const workers = [1, 2].map(() => startWorker("gadget_worker.ts"));
    const names = Promise.all(
      workers.map((worker, index) =>
        ask<string>(worker, {
          mod,
          ids: { ...ids, productId: 2 + index },
          size: 4096,
          maxSpeed,
        })
      ),
    );
    const own = await Gadget.start({
      ...ids,
      maxSpeed,
      functions: [kernelFunction("Loopback")],
    });
    const all = [own.name, ...await names];
    assertEquals(new Set(all).size, 3, String(all));
    assertEquals(
      all.map((name) => name.split(".").slice(0, 2).join(".")),
      all.map(() => `usb-gadget.${Deno.pid}`),
    );
    assertEquals(await Gadget.cleanUp(), []);
    await own.stop();
    workers.forEach((worker) => worker.terminate());
    const removed: string[] = [];
    while (removed.length < 2) {
      removed.push(...await Gadget.cleanUp());
      await delay(2);
    }
    assertEquals(removed.sort(), all.slice(1).sort());
  });
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a Worker that stops its gadget leaves no descriptor and no AIO context", async () => {
  const contexts = () =>
    Deno.readTextFileSync("/proc/self/maps").split("/[aio]").length - 1;
  const before = contexts();
  const worker = startWorker("gadget_worker.ts");
  const files: number[] = [];
  for (let round = 0; round < 3; round++) {
    await ask<string>(worker, { mod, ids, size: 4096, maxSpeed });
    assertEquals(contexts(), before + 1);
    assertEquals(await ask(worker, "stop"), "stopped");
    assertEquals(contexts(), before);
    files.push(openFiles());
  }
  // The first round opens what the Worker keeps.
  assertEquals(files[2], files[1]);
  worker.terminate();
});
