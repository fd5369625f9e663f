/**
 * What a transfer may cost. Counted, not timed: on /dev/null and /dev/zero, so
 * that every run finds the same.
 */
import { assert, assertEquals } from "@std/assert";
import type { Cost, Costs } from "../support/measure/transfer_budget.ts";

/** A system call for each 32 transfers that are under way together. */
const SUBMITS = 1 / 32;

/** Bytes of the heap: the promise, what waits for it, and who answers it. */
const WRITE_BYTES = 1000;
const READ_BYTES = 1150;

async function count(what: "calls" | "heap"): Promise<Costs> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      "--no-check",
      "--import-map=tests/import_map.json",
      // Nothing is collected while bytes are counted.
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

Deno.test("transfers 32 deep share one system call, and call nothing else but for an address", async () => {
  const { write, readInto, read } = await count("calls");
  for (const { calls } of [write, readInto, read]) {
    const made = Object.entries(calls).filter(([, each]) => each > 0);
    assertEquals(new Map(made).get("io_submit"), SUBMITS);
    assertEquals(new Map(made).get("address_of"), 1);
    // The poll may be parked and woken once in a run.
    const others = made.filter(([name]) =>
      name !== "io_submit" && name !== "address_of"
    );
    const sum = others.reduce((sum, [, each]) => sum + each, 0);
    assert(sum < 0.01, JSON.stringify(calls));
  }
});

Deno.test("a transfer leaves no more than its promise and its call to be collected", async () => {
  const { write, readInto } = await count("heap");
  const check = ({ heapBytes }: Cost, most: number) => {
    // Less than nothing: something was collected, and the count is worthless.
    assert(heapBytes > 0 && heapBytes <= most, `${heapBytes} bytes each`);
  };
  check(write, WRITE_BYTES);
  check(readInto, READ_BYTES);
});
