import { assert, assertEquals, assertThrows } from "@std/assert";
import { bulkPair, usbFunction } from "@usb/gadget";
import { gadgetTest, type GadgetTestOptions } from "@usb/gadget/testing";
import { receiveError, sendError } from "../../src/testing/remote/error.ts";
import { readFlags } from "../../src/testing/remote/flags.ts";
import { readMessages } from "../../src/testing/remote/messages.ts";
import { AgentOutput, failureOf } from "../../src/testing/remote/output.ts";

const SECRET = "5ec12e70";

/** What the parser makes of output that comes in such pieces. */
function parse(...chunks: string[]): { events: string[]; report: string } {
  const events: string[] = [];
  const output = new AgentOutput(SECRET, {
    onBegin: (process) => events.push(`begin ${process}`),
    onOutput: (text) => events.push(`output ${JSON.stringify(text)}`),
    onResult: (result) => events.push(`result ${JSON.stringify(result)}`),
    onVerdict: (id, passed) => events.push(`verdict ${id} ${passed}`),
    onExit: (code) => events.push(`exit ${code}`),
  });
  for (const chunk of chunks) output.write(new TextEncoder().encode(chunk));
  return { events, report: output.report };
}

const passing = [
  "running 2 tests from ./a_test.ts\n",
  `${SECRET} 0 ... ok (1ms)\n`,
  `${SECRET} 1 ...\n------- output -------\n`,
  `${SECRET} begin 42\n`,
  "hello\nwithout an end",
  `${SECRET} end {}\n`,
  "----- output end -----\n",
  `\x1b[0m${SECRET} 1 ... \x1b[32mok\x1b[0m \x1b[90m(2ms)\x1b[0m\n`,
  `\n${SECRET} exit 0\n`,
].join("");

Deno.test("what a test writes and what Deno reports are kept apart, however the output is cut", () => {
  const expected = [
    "verdict 0 true",
    "begin 42",
    'output "hello\\nwithout an end"',
    "result {}",
    "verdict 1 true",
    "exit 0",
  ];
  const joined = (events: string[]) => {
    const text = events.filter((it) => it.startsWith("output"))
      .map((it) => JSON.parse(it.slice(7))).join("");
    const others = events.filter((it) => !it.startsWith("output"));
    others.splice(2, 0, `output ${JSON.stringify(text)}`);
    return others;
  };
  for (let size = 1; size < 60; size++) {
    const chunks = passing.match(new RegExp(`[^]{1,${size}}`, "g"))!;
    assertEquals(
      joined(parse(...chunks).events),
      expected,
      `pieces of ${size}`,
    );
  }
});

Deno.test("a process that ends in a test shows what it wrote, and Deno's report in it", () => {
  const { events, report } = parse(
    `${SECRET} begin 1\nhalf a line`,
    "\n\n ERRORS \n\n./a_test.ts (uncaught error)\nerror: TypeError: why\n    at x\n\n",
    `\n${SECRET} exit 1\n`,
  );
  assertEquals(events.at(-1), "exit 1");
  assert(events.includes('output "half a line"') || events.length > 2);
  assertEquals(failureOf(report, SECRET), "TypeError: why\n    at x");
});

Deno.test("Deno's report about a test is found by the test's name", () => {
  const report = [
    " ERRORS ",
    "",
    `${SECRET} 3 => ./a_test.ts:1:1`,
    "error: Leaks detected:",
    "  - A file was opened",
    "",
    " FAILURES ",
  ].join("\n");
  assertEquals(
    failureOf(report, SECRET, 3),
    "Leaks detected:\n  - A file was opened",
  );
  assertEquals(failureOf(report, SECRET, 33), undefined);
  assertEquals(failureOf(report, SECRET), undefined);
});

Deno.test("an error comes with its class, its stack, its code, and its causes", () => {
  const thrown = new Deno.errors.Busy("taken\nby another", {
    cause: new AggregateError([new TypeError("a"), "b"], "both"),
  });
  const sent = sendError(Object.assign(thrown, { code: "EBUSY" }));
  const error = receiveError(JSON.parse(JSON.stringify(sent)));
  assertEquals(error.name, "Busy");
  assertEquals(error.message, "taken\nby another");
  assertEquals((error as Error & { code: string }).code, "EBUSY");
  assert(error.stack!.includes("testing_remote_test.ts:"), error.stack);
  assert(!error.stack!.includes("ext:"), error.stack);
  const cause = error.cause as AggregateError;
  assert(cause instanceof AggregateError);
  assertEquals(cause.errors.map(({ name, message }) => [name, message]), [
    ["TypeError", "a"],
    ["", "b"],
  ]);
});

Deno.test("an error that is its own cause can be sent", () => {
  const error = new Error("circle");
  error.cause = error;
  let depth = 0;
  for (let at: Error | undefined = receiveError(sendError(error)); at;) {
    at = at.cause as Error | undefined;
    depth++;
  }
  assert(depth > 1 && depth < 20);
});

Deno.test("what a second deno needs is taken from a command line", () => {
  assertEquals(
    readFlags([
      "deno",
      "test",
      "-A",
      "--config",
      "other.json",
      "--import-map=map.json",
      "--unstable-webgpu",
      "--filter",
      "x",
      "--coverage=cov",
      "--seed=1",
      "--preload",
      "first.ts",
      "--v8-flags=--expose-gc",
      "a_test.ts",
      "--",
      "--config=mine",
    ]),
    {
      resolution: [
        "--config",
        "other.json",
        "--import-map=map.json",
        "--unstable-webgpu",
      ],
      test: ["--seed=1", "--preload", "first.ts", "--v8-flags=--expose-gc"],
      coverage: "cov",
    },
  );
  assertEquals(readFlags(["deno", "test", "--coverage"]).coverage, "coverage");
  assertEquals(readFlags(["deno", "test"]), {
    resolution: [],
    test: [],
    coverage: undefined,
  });
});

Deno.test("messages are lines, however they are cut", async () => {
  const bytes = new TextEncoder().encode('{"a":"ü"}\n{"b":2}\n{"c"');
  const stream = ReadableStream.from(
    Array.from(bytes, (_, index) => bytes.subarray(index, index + 1)),
  );
  assertEquals(await Array.fromAsync(readMessages(stream)), [
    { a: "ü" },
    { b: 2 },
  ]);
});

Deno.test("gadgetTest() refuses options that mean nothing", () => {
  const device = {
    vendorId: 0x1209,
    productId: 1,
    functions: [usbFunction({
      name: "echo",
      interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
    })],
  };
  const wrong: [Record<string, unknown>, string][] = [
    [{ speeds: [] }, '"speeds" must be'],
    [{ speeds: ["fast"] }, '"speeds" must be'],
    [{ kernels: [] }, '"kernels" must be'],
    [{ kernels: ["newest"] }, '"kernels" must be'],
    [{ modules: ["usb storage"] }, '"modules" must be'],
    [{ timeout: 0 }, '"timeout" must be'],
    [{ timeout: Infinity }, '"timeout" must be'],
    [{ ifUnavailable: "skip" }, '"ifUnavailable" must be'],
    [{ only: 1 }, '"only" must be'],
    [{ speed: "high" }, '"speed"'],
  ];
  for (const [options, message] of wrong) {
    assertThrows(
      () => gadgetTest("x", device, () => {}, options as GadgetTestOptions),
      TypeError,
      message,
    );
  }
  // deno-lint-ignore no-explicit-any -- the types are wrong on purpose
  const untyped = gadgetTest as (...args: any[]) => void;
  assertThrows(() => untyped(1, device, () => {}), TypeError, "the name");
  assertThrows(() => untyped("x", 1, () => {}), TypeError, "the definition");
  assertThrows(() => untyped("x", device, 1), TypeError, "the test");
});
