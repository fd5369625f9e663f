/**
 * What the developer of a function sees of control requests that go wrong.
 *
 * @module
 */
// VM: any speed
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { type ControlHandler, type ControlOutcome, Stall } from "@usb/gadget";
import {
  aborted,
  outcome,
  startControl,
  VENDOR,
} from "../support/gadgets/control.ts";
import { until } from "../support/waiting/until.ts";

const IN = { ...VENDOR, length: 8 };
const problem = new Error("the sensor is broken");

const control: ControlHandler = async (setup) => {
  switch (setup.request) {
    case 1:
      return Uint8Array.of(1, 2, 3);
    case 2:
      return void await setup.receive();
    case 3:
      throw problem;
    case 4:
      throw new Stall("not now");
    case 5:
      return await aborted(setup);
    default:
      return;
  }
};

/** Collects what is printed while `run` runs. */
async function printed(run: () => Promise<void>): Promise<unknown[][]> {
  const lines: unknown[][] = [];
  const { error } = console;
  console.error = (...line) => lines.push(line);
  try {
    await run();
  } finally {
    console.error = error;
  }
  return lines;
}

Deno.test("a handler that throws, and an unknown request, are printed by default", async () => {
  await using it = await startControl({ control, collect: false });
  const lines = await printed(async () => {
    for (const request of [3, 9, 9]) {
      const transfer = it.host.controlIn({ ...IN, request });
      assertEquals(await outcome(transfer), "EPIPE");
    }
  });
  assertEquals(lines, [
    [
      'The control handler of function "control" failed on IN vendor request 0x03 to interface 0 (value 0x0000, length 8):',
      problem,
    ],
    [
      'Function "control" stalled IN vendor request 0x09 to interface 0 (value 0x0000, length 8): its handler returned nothing, though the host asked for data; return the bytes, or throw Stall',
    ],
  ]);
  const [event] = await Array.fromAsync(firstOf(it.fs.events));
  assert(event.type === "error" && event.error === problem);
});

Deno.test("nothing is printed where the program gets the errors and the requests", async () => {
  const errors: unknown[] = [];
  const lines = await printed(async () => {
    await using it = await startControl({
      control,
      onError: (error) => errors.push(error),
      onControl: () => {},
      collect: false,
    });
    for (const request of [3, 9]) {
      await outcome(it.host.controlIn({ ...IN, request }));
    }
  });
  assertEquals([errors, lines], [[problem], []]);
  const other = await printed(async () => {
    await using it = await startControl({ control });
    await outcome(it.host.controlIn({ ...IN, request: 3 }));
    await until(
      () => it.events.some(({ type }) => type === "error"),
      "the error is an event",
    );
  });
  assertEquals(other, []);
});

Deno.test("onControl gets each request with what became of it, one that is cancelled too", async () => {
  const seen: [number, ControlOutcome][] = [];
  await using it = await startControl({
    control,
    onError: () => {},
    onControl: ({ request }, outcome) => seen.push([request, outcome]),
  });
  const data = Uint8Array.of(1, 2, 3, 4, 5);
  await it.host.controlIn({ ...IN, request: 1 });
  await it.host.controlOut({ ...VENDOR, request: 2 }, data);
  for (const request of [3, 4, 9]) {
    await outcome(it.host.controlIn({ ...IN, request }));
  }
  await outcome(it.host.controlIn({ ...IN, request: 5 }, { timeout: 100 }));
  // What cancels it is the next request.
  await it.host.controlIn({ ...IN, request: 1 });
  await until(() => seen.length === 7, "all requests are over");
  const [, , thrown, stalled] = seen.map(([, outcome]) => outcome);
  assert(thrown.type === "stalled" && thrown.error === problem);
  assert(stalled.type === "stalled" && stalled.error instanceof Stall);
  assertEquals(
    seen.map(([request, { type, ...rest }]) => [
      request,
      type,
      ...Object.values(rest).filter((it) => !(it instanceof Error)),
    ]),
    [
      [1, "answered", 3],
      [2, "answered", 5],
      [3, "stalled", false],
      [4, "stalled", false],
      [9, "stalled", true],
      [5, "cancelled"],
      [1, "answered", 3],
    ],
  );
});

Deno.test("an observer that throws or rejects is reported, and the device lives on", async () => {
  const another = new Error("no space left in the log");
  let calls = 0;
  await using it = await startControl({
    control,
    onControl: () => {
      if (calls++ === 0) throw another;
      return Promise.reject(another);
    },
  });
  for (let count = 0; count < 2; count++) {
    const data = await it.host.controlIn({ ...IN, request: 1 });
    assertEquals(data, Uint8Array.of(1, 2, 3));
  }
  const errors = () => it.events.filter((event) => event.type === "error");
  await until(() => errors().length === 2, "both errors are events");
  assertEquals(errors().map(({ error }) => error), [another, another]);
});

async function* firstOf<T>(items: AsyncIterable<T>): AsyncIterable<T> {
  for await (const item of items) return yield item;
}
