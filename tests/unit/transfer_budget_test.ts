/**
 * The budget of a transfer, counted rather than timed: on /dev/null and /dev/zero,
 * so every run gives the same result.
 */
import { assert, assertEquals } from "@std/assert";
import type { Cost, Costs } from "../support/measure/transfer_budget.ts";

/** One system call per 32 transfers in flight. */
const SUBMITS = 1 / 32;

/** Bytes of the heap: the promise, its continuation, and its resolver. */
const WRITE_BYTES = 1000;
const READ_BYTES = 1150;

async function count(what: "calls" | "heap"): Promise<Costs> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      "--no-check",
      "--import-map=tests/import_map.json",
      // No garbage collection while bytes are counted.
      "--v8-flags=--min-semi-space-size=128,--max-semi-space-size=128",
      "tests/support/measure/transfer_budget.ts",
      what,
    ],
    cwd: new URL("../..", import.meta.url),
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert(success, text(stderr));
  return JSON.parse(text(stdout));
}

Deno.test("32 transfers in flight share one system call, and each adds only a call for an address", async () => {
  const { write, readInto, read } = await count("calls");
  for (const { calls } of [write, readInto, read]) {
    const made = Object.entries(calls).filter(([, each]) => each > 0);
    assertEquals(new Map(made).get("io_submit"), SUBMITS);
    assertEquals(new Map(made).get("address_of"), 1);
    // The poll may be parked and woken once per run.
    const others = made.filter(([name]) =>
      name !== "io_submit" && name !== "address_of"
    );
    const sum = others.reduce((sum, [, each]) => sum + each, 0);
    assert(sum < 0.01, JSON.stringify(calls));
  }
});

Deno.test("a transfer leaves only its promise and its call as garbage", async () => {
  const { write, readInto } = await count("heap");
  const check = ({ heapBytes }: Cost, most: number) => {
    // A negative count means a garbage collection: the result is useless.
    assert(heapBytes > 0 && heapBytes <= most, `${heapBytes} bytes each`);
  };
  check(write, WRITE_BYTES);
  check(readInto, READ_BYTES);
});
