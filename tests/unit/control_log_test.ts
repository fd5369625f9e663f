import { assertEquals } from "@std/assert";
import {
  decodeSetup,
  encodeSetup,
  type SetupFields,
} from "../../src/inspect/mod.ts";
import { ControlLog } from "../../src/functionfs/control/log.ts";

const PERIOD_MS = 5_000;

function makeLog() {
  const lines: unknown[][] = [];
  let time = 0;
  const log = new ControlLog(
    "scope",
    (...line) => void lines.push(line),
    () => time,
  );
  return { log, take: () => lines.splice(0), pass: (ms: number) => time += ms };
}

const setup = (fields: SetupFields) => decodeSetup(encodeSetup(fields));
const VENDOR = { type: "vendor", recipient: "interface", index: 2 } as const;

Deno.test("an error of a handler is printed with its function and its request in words", () => {
  const { log, take } = makeLog();
  const problem = new Error("no");
  log.error(
    problem,
    setup({ ...VENDOR, direction: "in", request: 0x1a, value: 7, length: 64 }),
  );
  assertEquals(take(), [[
    'The control handler of function "scope" failed on IN vendor request 0x1a to interface 2 (value 0x0007, length 64):',
    problem,
  ]]);
  log.error(problem);
  assertEquals(take(), [['Function "scope" failed:', problem]]);
});

Deno.test("a kind of unanswered request is printed once", () => {
  const { log, take } = makeLog();
  const fields = { direction: "in", recipient: "interface" } as const;
  for (let value = 0; value < 3; value++) {
    log.unanswered(setup({ ...fields, request: 6, value }), "nothing does");
  }
  log.unanswered(
    setup({ type: "class", recipient: "other", request: 1 }),
    "nothing does",
  );
  assertEquals(take().flat(), [
    'Function "scope" stalled IN standard request GET_DESCRIPTOR (0x06) to interface 0 (value 0x0000, length 0): nothing does',
    'Function "scope" stalled OUT class request 0x01 to recipient "other" (value 0x0000, index 0x0000, length 0): nothing does',
  ]);
});

Deno.test("a host that sends thousands of bad requests does not flood the terminal", () => {
  const { log, take, pass } = makeLog();
  const flood = () => {
    for (let request = 0; request < 256; request++) {
      log.error(new Error("no"), setup({ ...VENDOR, request }));
      log.unanswered(setup({ ...VENDOR, request }), "nothing does");
    }
    return take().length;
  };
  assertEquals(flood(), 10);
  assertEquals(flood(), 0);
  pass(PERIOD_MS);
  log.error(new Error("no"));
  assertEquals(
    take()[0],
    ['Function "scope" suppressed 1009 messages about control requests'],
  );
});

Deno.test("all kinds of unanswered requests together are a few dozen lines", () => {
  const { log, take, pass } = makeLog();
  for (let round = 0; round < 100; round++, pass(PERIOD_MS)) {
    for (let request = 0; request < 256; request++) {
      log.unanswered(setup({ ...VENDOR, request }), "nothing does");
    }
  }
  const lines = take().flat().map(String);
  assertEquals(lines.filter((it) => it.includes("nothing does")).length, 32);
  assertEquals(
    lines.at(-1),
    'Function "scope" prints no more kinds of unanswered requests; "onControl" gets all of them',
  );
});
