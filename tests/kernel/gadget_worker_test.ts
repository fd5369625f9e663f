/**
 * Gadgets in Workers, which can end at any moment.
 *
 * @module
 */
import "../support/libraries.ts";
import { assertEquals } from "@std/assert";
import { aioLibraries } from "../support/libraries.ts";
import { soak } from "../support/soak.ts";
import { testSeed } from "../support/seed.ts";
import { gadgetSpeed } from "../support/speed.ts";

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
        "tests/support/worker_soak.ts",
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
  const count = soak(50, 6);
  Deno.test(`what the host sends to Workers that have ended changes no memory of others (${library})`, async () => {
    assertEquals(
      await runSoak(count, library),
      `${count} Workers have ended, and no memory has changed\n`,
    );
  });
}
