import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  bulkIn,
  bulkPair,
  DefinitionError,
  interruptIn,
  isochronousIn,
  type SetupRequest,
  Stall,
  unhandled,
  usbFunction,
} from "@usb/gadget";
import {
  fakeSetup,
  type FaultPlan,
  faultsOf,
  withFaults,
} from "@usb/gadget/testing";
import { FaultRun } from "../../src/testing/faults/run.ts";
import type { FaultRule } from "../../src/testing/faults/plan.ts";
import { chance, seedOf } from "../../src/testing/faults/schedule.ts";
import type { SetupFields } from "../../src/usb/setup_packet.ts";

const tool = usbFunction({
  name: "tool",
  interfaces: [{
    class: 0xff,
    endpoints: {
      link: bulkPair(),
      status: interruptIn(),
      video: isochronousIn({ maxPacketSize: 64 }),
    },
    alternates: [{ endpoints: { fast: bulkIn() } }],
  }],
});

const IN = { endpoint: "link", direction: "in" } as const;
const OUT = { endpoint: "link", direction: "out" } as const;

Deno.test("a bad plan throws an error that has the path of what is wrong", () => {
  const cases: [rule: unknown, error: typeof TypeError, message: string][] = [
    [
      {},
      TypeError,
      "rules[0].endpoint must be the name of an endpoint, or 0 for control requests, is undefined",
    ],
    [
      { ...IN, fualt: "stall" },
      TypeError,
      'rules[0] has no field "fualt": did you mean "fault"?',
    ],
    [
      { ...IN, endpoint: "lnik" },
      TypeError,
      'rules[0].endpoint must be an endpoint of function "tool", is "lnik": did you mean "link"?',
    ],
    [
      { ...IN, endpoint: "toString" },
      TypeError,
      "rules[0].endpoint must be an endpoint",
    ],
    [
      { ...IN, direction: "IN" },
      TypeError,
      'rules[0].direction must be "in" or "out", is "IN"',
    ],
    [
      { endpoint: "link", fault: "drop", at: 1 },
      TypeError,
      'rules[0].direction is missing: "link" is a pair, give "in" or "out"',
    ],
    [
      { endpoint: "status", direction: "out", fault: "drop", at: 1 },
      TypeError,
      'rules[0].direction must be "in" for the endpoint "status"',
    ],
    [{ ...IN, at: 1 }, TypeError, "rules[0].fault is missing"],
    [
      { ...IN, fault: "explode", at: 1 },
      TypeError,
      'rules[0].fault must be "delay", "stall", "shorten", "drop" or "disconnect", is "explode"',
    ],
    [
      { endpoint: 0, fault: "drop", at: 1 },
      TypeError,
      'rules[0].fault must be "delay" or "stall" for control requests',
    ],
    [
      { endpoint: "video", fault: "stall", at: 1 },
      TypeError,
      "rules[0].fault must not be",
    ],
    [
      { ...IN, fault: "stall" },
      TypeError,
      'rules[0] must have one of "at", "every" or "probability", has none',
    ],
    [
      { ...IN, fault: "stall", at: 1, every: 2 },
      TypeError,
      'has "at" and "every"',
    ],
    [
      { ...IN, fault: "stall", at: 0 },
      RangeError,
      "rules[0].at must be an integer of 1 or more, is 0",
    ],
    [
      { ...IN, fault: "stall", at: [1, 2.5] },
      RangeError,
      "rules[0].at[1] must be an integer of 1 or more, is 2.5",
    ],
    [
      { ...IN, fault: "stall", at: [] },
      TypeError,
      "rules[0].at must not be empty",
    ],
    [
      { ...IN, fault: "stall", at: [1, null] },
      TypeError,
      "rules[0].at[1] must be a number, is null",
    ],
    [
      { ...IN, fault: "stall", at: "3" },
      TypeError,
      'rules[0].at must be a number, is "3"',
    ],
    [
      { ...IN, fault: "stall", every: NaN },
      RangeError,
      "rules[0].every must be",
    ],
    [
      { ...IN, fault: "stall", probability: 1.5 },
      RangeError,
      "rules[0].probability must be a number from 0 to 1, is 1.5",
    ],
    [
      { ...IN, fault: "stall", every: 1, times: -1 },
      RangeError,
      "rules[0].times must be",
    ],
    [
      { ...IN, fault: "delay", at: 1 },
      TypeError,
      'rules[0].ms is missing: "delay" needs it',
    ],
    [
      { ...IN, fault: "delay", ms: 2 ** 31, at: 1 },
      RangeError,
      "rules[0].ms must be an integer from 0 to 2147483647",
    ],
    [
      { ...IN, fault: "drop", ms: 5, at: 1 },
      TypeError,
      'rules[0].ms is not for "drop": remove it',
    ],
    [
      { ...IN, fault: "shorten", at: 1 },
      TypeError,
      "rules[0].bytes is missing",
    ],
    [
      { ...OUT, fault: "stall", bytes: 5, at: 1 },
      TypeError,
      'rules[0].bytes is not for "stall" out: remove it',
    ],
    [
      { ...OUT, fault: "stall", minSize: 5, at: 1 },
      TypeError,
      "rules[0].minSize is not for",
    ],
    [
      { ...IN, fault: "drop", minSize: 5, maxSize: 4, at: 1 },
      RangeError,
      "rules[0].minSize must be at most maxSize, 4, is 5",
    ],
    [
      { ...IN, fault: "drop", request: 1, at: 1 },
      TypeError,
      "rules[0].request is not for an endpoint other than 0",
    ],
    [
      { endpoint: 0, fault: "stall", request: 256, at: 1 },
      RangeError,
      "rules[0].request must be an integer from 0 to 255",
    ],
    [null, TypeError, "rules[0] must be an object, is null"],
  ];
  for (const [rule, error, message] of cases) {
    const plan = { rules: [rule] } as FaultPlan;
    const thrown = assertThrows(() => withFaults(tool, plan), error, message);
    assertEquals(thrown.constructor, error, message);
    assert(thrown.message.startsWith("Cannot inject faults: "));
  }
  assertThrows(
    () => withFaults("tool" as unknown as typeof tool, { rules: [] }),
    TypeError,
    'Cannot inject faults: the definition must be an object, is "tool"',
  );
  const plans: [plan: unknown, message: string][] = [
    [null, "the plan must be an object"],
    [{}, "rules must be an array, is undefined"],
    [{ rules: [], seeds: 1 }, 'the plan has no field "seeds"'],
    [{ rules: [], seed: "a" }, 'seed must be a number, is "a"'],
  ];
  for (const [plan, message] of plans) {
    assertThrows(() => withFaults(tool, plan as FaultPlan), TypeError, message);
  }
  assertThrows(
    () => withFaults(tool, { rules: [], seed: 2 ** 32 }),
    RangeError,
    "seed must be an integer from 0 to 4294967295",
  );
});

Deno.test("rules for every kind of endpoint are accepted", () => {
  const rules: FaultRule[] = [
    { ...IN, fault: "stall", bytes: 100, at: [1, 5], minSize: 1 },
    { ...OUT, fault: "disconnect", ms: 100, every: 7, maxSize: 31 },
    { endpoint: "status", fault: "shorten", bytes: 0, probability: 0.5 },
    { endpoint: "video", fault: "drop", probability: 1, times: 2 },
    { endpoint: "fast", direction: "in", fault: "delay", ms: 0, at: 1 },
    { endpoint: 0, direction: "in", fault: "stall", request: 0xfe, at: 1 },
  ];
  const plan = JSON.parse(JSON.stringify({ seed: 0, rules }));
  const faulty = withFaults(tool, plan);
  plan.rules.splice(0);
  assertEquals(faultsOf(faulty), { seed: 0, faults: [] });
});

Deno.test("withFaults() leaves the definition as it is, and returns one like it", () => {
  const plan: FaultPlan = { rules: [{ ...IN, fault: "drop", at: 1 }] };
  const faulty: typeof tool = withFaults(tool, plan);
  assertEquals(faulty, tool);
  assert(faulty !== tool);
  assertThrows(() => faultsOf(tool), TypeError, "withFaults()");
  const { seed } = faultsOf(faulty);
  assert(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32);
  assertThrows(
    () => withFaults({ ...tool, name: "" }, plan),
    DefinitionError,
  );
});

Deno.test("withFaults() keeps the methods of a ready-made function on their object", () => {
  class Tool {
    readonly name = "tool";
    readonly interfaces = tool.interfaces;
    #served = 0;
    get speeds() {
      return ["high"] as const;
    }
    control() {
      return Uint8Array.of(this.#served);
    }
    serve() {
      return ++this.#served;
    }
  }
  const made = new Tool();
  const faulty = withFaults(made, { rules: [] });
  assertEquals(faulty.speeds, ["high"]);
  (faulty.serve as () => unknown)();
  assertEquals(faulty.control!(vendorRequest(1)), Uint8Array.of(1));
});

function vendorRequest(
  request: number,
  fields: Partial<SetupFields> = {},
): SetupRequest {
  return fakeSetup({
    direction: "in",
    type: "vendor",
    recipient: "device",
    request,
    value: 0,
    index: 0,
    length: 1,
    ...fields,
  }).setup;
}

/** The transfers that a rule hits, of so many. */
function hits(rule: FaultRule, count: number, seed = 1, place = 0): number[] {
  const rules = Array(place + 1).fill({ ...rule, endpoint: "other" });
  rules[place] = rule;
  const run = new FaultRun(rules, seed);
  for (let index = 0; index < count; index++) {
    run.next("link", { direction: "in", size: 100 });
  }
  return run.injected.map(({ transfer }) => transfer);
}

Deno.test("at, every and times pick transfers", () => {
  const rule = { ...IN, fault: "drop" } as const;
  assertEquals(hits({ ...rule, at: 3 }, 10), [3]);
  assertEquals(hits({ ...rule, at: [7, 2] }, 10), [2, 7]);
  assertEquals(hits({ ...rule, every: 4 }, 10), [4, 8]);
  assertEquals(hits({ ...rule, every: 1, times: 2 }, 10), [1, 2]);
  assertEquals(hits({ ...rule, at: 3, minSize: 101 }, 10), []);
  assertEquals(hits({ ...rule, at: 3, maxSize: 99 }, 10), []);
  assertEquals(hits({ ...rule, at: 3, minSize: 100, maxSize: 100 }, 10), [3]);
  assertEquals(hits({ ...rule, probability: 0 }, 1000), []);
  assertEquals(hits({ ...rule, probability: 1 }, 3), [1, 2, 3]);
});

Deno.test("a rule that shortens leaves out what is short enough", () => {
  const rule = { ...IN, fault: "shorten", every: 1 } as const;
  assertEquals(hits({ ...rule, bytes: 100 }, 3), []);
  assertEquals(hits({ ...rule, bytes: 99 }, 3), [1, 2, 3]);
});

Deno.test("a seed gives the same transfers, whatever happens on other endpoints", () => {
  const rule = { ...IN, fault: "drop", probability: 0.1 } as const;
  const first = hits(rule, 1000, 7);
  assertEquals(hits(rule, 1000, 7), first);
  assertEquals(hits(rule, 500, 7), first.filter((it) => it <= 500));
  assert(first.length > 70 && first.length < 130, `${first.length} of 1000`);
  assert(JSON.stringify(hits(rule, 1000, 8)) !== JSON.stringify(first));
  // Two rules alike are independent of each other.
  assert(JSON.stringify(hits(rule, 1000, 7, 1)) !== JSON.stringify(first));
});

Deno.test("the seeds of plans and rules give evenly spread, independent numbers", () => {
  for (const seed of [0, 1, 2, 2 ** 32 - 1]) {
    for (const rule of [0, 1]) {
      const counts = Array(10).fill(0);
      let rises = 0;
      let last = 0;
      for (let index = 1; index <= 10_000; index++) {
        const value = chance(seedOf(seed, rule), index);
        assert(value >= 0 && value < 1);
        counts[Math.floor(value * 10)]++;
        if (value > last) rises++;
        last = value;
      }
      assert(counts.every((it) => it > 850 && it < 1150), `${seed}: ${counts}`);
      assert(rises > 4800 && rises < 5200, `${seed}: ${rises} rises`);
    }
  }
});

Deno.test("the first rule that applies is injected, and all of them count", () => {
  const run = new FaultRun([
    { ...IN, fault: "stall", at: 2 },
    { ...IN, fault: "drop", every: 2, times: 1 },
    { ...OUT, fault: "drop", every: 1 },
  ], 1);
  for (let index = 0; index < 5; index++) {
    run.next("link", { direction: "in", size: 1 });
  }
  assertEquals(
    run.injected.map(({ rule, transfer }) => [rule, transfer]),
    [[0, 2], [1, 4]],
  );
});

Deno.test("control requests are stalled or delayed, and counted once", async () => {
  const requests: number[] = [];
  const control = (setup: SetupRequest) => {
    requests.push(setup.request);
    return setup.type === "standard" ? unhandled : Uint8Array.of(1);
  };
  const faulty = withFaults({ ...tool, control }, {
    rules: [
      { endpoint: 0, fault: "stall", request: 0xfe, at: 2 },
      { endpoint: 0, fault: "delay", ms: 20, direction: "out", at: 1 },
      { endpoint: 0, fault: "stall", request: 6, at: 2 },
    ],
  });
  const ask = (request: number, direction: "in" | "out" = "in") =>
    faulty.control!(vendorRequest(request, { direction }));
  assertEquals(ask(0xfe), Uint8Array.of(1));
  assertEquals(ask(0xff), Uint8Array.of(1));
  assertThrows(() => ask(0xfe), Stall);
  assertEquals(requests, [0xfe, 0xff]);
  const before = performance.now();
  assertEquals(await ask(1, "out"), Uint8Array.of(1));
  assert(performance.now() - before > 15);
  const standard = vendorRequest(6, { type: "standard" });
  assertEquals(faulty.standardControl!(standard), unhandled);
  assertEquals(faulty.control!(standard), unhandled);
  assertThrows(() => faulty.standardControl!(standard), Stall);
  assertEquals(
    faultsOf(faulty).faults.map(({ rule, transfer }) => [rule, transfer]),
    [[0, 2], [1, 1], [2, 2]],
  );
});
