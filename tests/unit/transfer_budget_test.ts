/**
 * The budget of a transfer, counted rather than timed: on /dev/null and /dev/zero,
 * so every run gives the same result.
 */
import { assert } from "@std/assert";
import type {
  Cost,
  Costs,
  Counted,
  Kind,
} from "../support/measure/transfer_budget.ts";

/** What a transfer may cost, alone and with 31 others in flight. */
const BUDGETS: Record<Kind, Budget> = {
  // One promise of the call, and one of the caller's `await`.
  "write x 1": { promises: 2, submits: 1, heapBytes: 1450 },
  "write x 32": { promises: 2, submits: 1 / 32, heapBytes: 1000 },
  "read(buffer) x 1": { promises: 2, submits: 1, heapBytes: 1700 },
  "read(buffer) x 32": { promises: 2, submits: 1 / 32, heapBytes: 1200 },
  "read(size) x 1": { promises: 2, submits: 1, heapBytes: 1700 },
  "read(size) x 32": { promises: 2, submits: 1 / 32, heapBytes: 1200 },
  // Four packets, each with a request of its own.
  "readExactly x 1": { promises: 2, submits: 4 / 32, heapBytes: 3600 },
  "readExactly x 32": { promises: 2, submits: 2 / 32, heapBytes: 3600 },
  // What came together is requested again in two halves.
  "transfers x 1": { promises: 2, submits: 1, heapBytes: 2150 },
  "transfers x 32": { promises: 2, submits: 2 / 32, heapBytes: 1600 },
  // Most of the promises are the platform's.
  "writable x 1": { promises: 6, submits: 1, heapBytes: 3000 },
  "writable x 32": { promises: 5.1, submits: 2 / 32, heapBytes: 1800 },
  "readable x 1": { promises: 4.1, submits: 1, heapBytes: 2600 },
  "readable x 32": { promises: 4, submits: 2 / 32, heapBytes: 1900 },
  "readable(byob) x 1": { promises: 4.1, submits: 1, heapBytes: 3500 },
  "readable(byob) x 32": { promises: 4, submits: 2 / 32, heapBytes: 3000 },
};

interface Budget {
  readonly promises: number;
  /** System calls. */
  readonly submits: number;
  /** At most. */
  readonly heapBytes: number;
}

async function measure(what: Counted): Promise<Costs> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      "--no-check",
      "--import-map=tests/import_map.json",
      // No garbage collection while bytes are counted.
      "--v8-flags=--expose-gc,--min-semi-space-size=128,--max-semi-space-size=128",
      "tests/support/measure/transfer_budget.ts",
      what,
    ],
    cwd: new URL("../..", import.meta.url),
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert(success, text(stderr));
  return JSON.parse(text(stdout));
}

function assertNear(
  actual: number,
  expected: number,
  tolerance: number,
  name: string,
): void {
  const isNear = Math.abs(actual - expected) <= tolerance;
  assert(isNear, `${name}: ${actual}, not ${expected}`);
}

function checkEach(
  costs: Costs,
  check: (cost: Cost, budget: Budget, name: string) => void,
): void {
  for (const [name, budget] of Object.entries(BUDGETS)) {
    check(costs[name as Kind], budget, name);
  }
}

Deno.test("a transfer shares its system call, and adds at most a call for an address", async () => {
  checkEach(await measure("calls"), ({ calls }, { submits }, name) => {
    const { io_submit, address_of = 0, ...others } = calls;
    assertNear(io_submit, submits, 0.01, name);
    assert(address_of < 1.05, `${name}: ${address_of} addresses`);
    // The poll may be parked and woken once per run.
    const sum = Object.values(others).reduce((sum, each) => sum + each, 0);
    assert(sum < 0.02, `${name}: ${JSON.stringify(calls)}`);
  });
});

Deno.test("a transfer makes few promises", async () => {
  checkEach(await measure("promises"), (cost, { promises }, name) => {
    assertNear(cost.promises, promises, 0.1, name);
  });
});

Deno.test("a transfer leaves little garbage", async () => {
  checkEach(await measure("heap"), (cost, budget, name) => {
    // A negative count means a garbage collection: the result is useless.
    assert(
      cost.heapBytes > 0 && cost.heapBytes <= budget.heapBytes,
      `${name}: ${cost.heapBytes} bytes each`,
    );
  });
});
