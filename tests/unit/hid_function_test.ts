import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type InEndpoint, SessionEndedError } from "@usb/gadget";
import {
  collection,
  ConsumerControl,
  feature,
  Gamepad,
  HidFunction,
  type HidFunctionOptions,
  HidRequest,
  input,
  logicalRange,
  Mouse,
  output,
  type ReceivedReport,
  reportCount,
  reportDescriptor,
  reportId,
  reportSize,
  SystemControl,
  Tablet,
  usage,
  usagePage,
} from "@usb/gadget/hid";
import { type FakeSession, fakeSession, fakeSetup } from "@usb/gadget/testing";

/** One byte in each direction, and a feature report of 300 bytes. */
const PLAIN = reportDescriptor([
  usagePage(0xff00),
  usage(1),
  collection("application", [
    logicalRange(0, 255),
    reportSize(8),
    reportCount(1),
    usage(2),
    input({ name: "level" }),
    usage(3),
    output({ name: "lamp" }),
    reportCount(300),
    usage(4),
    feature({ name: "table" }),
  ]),
]);

const WITH_IDS = reportDescriptor([
  usagePage(0xff00),
  usage(1),
  collection("application", [
    logicalRange(0, 255),
    reportSize(8),
    reportCount(1),
    reportId(1),
    usage(2),
    input({ name: "a" }),
    reportId(2),
    usage(3),
    input({ name: "b" }),
    usage(4),
    output({ name: "c" }),
  ]),
]);

type Bench = Awaited<ReturnType<typeof serve>>;

/** A session of a function, with the host that polls it. */
function serve(fn: HidFunction) {
  const session = fakeSession(fn as HidFunction) as unknown as
    & FakeSession
    & { endpoints: { input: InEndpoint } };
  const served = session.serve();
  const { input } = session.endpoints;
  const longest = Math.max(
    ...fn.reportDescriptor.reports.filter(({ type }) => type === "input")
      .map(({ byteLength }) => byteLength),
  );
  return {
    session,
    // As usbhid: not more than the longest report.
    poll: async () => [...await session.host.read(input, longest)],
    async [Symbol.asyncDispose]() {
      session.end();
      await served;
    },
  };
}

/** A class request to the function, and what its host sees. */
function request(
  fn: HidFunction,
  direction: "in" | "out",
  code: number,
  value: number,
  { data, length = 4096, session }: {
    data?: number[];
    length?: number;
    session?: Bench["session"];
  } = {},
) {
  const setup = fakeSetup({
    type: "class",
    recipient: "interface",
    direction,
    request: code,
    value,
    index: 0,
    length,
  }, { data, session });
  return setup.answer(fn.control);
}

const INPUT = 0x100;
const OUTPUT = 0x200;
const FEATURE = 0x300;

const plain = (options: Partial<HidFunctionOptions> = {}) =>
  new HidFunction({ ...options, reportDescriptor: PLAIN });

Deno.test("a HID function is a function of a gadget, and describes its endpoints", () => {
  const fn = plain({ outputEndpoint: true, intervalMs: 4, name: "box" });
  assertEquals(Object.keys(fn).sort(), [
    "control",
    "interfaces",
    "name",
    "serve",
  ]);
  const [{ class: code, subclass, protocol, endpoints }] = fn.interfaces;
  assertEquals([code, subclass, protocol], [3, 0, 0]);
  assertEquals(Object.keys(endpoints ?? {}), ["input", "output"]);
  const [mouse] = new Mouse().interfaces;
  assertEquals([mouse.subclass, mouse.protocol], [1, 2]);
});

Deno.test("reports that are sent go in order, and resolve when they were polled", async () => {
  const fn = plain();
  const early = fn.send({ level: 1 });
  await using bench = serve(fn);
  const later = [2, 3].map((level) => fn.send({ level }));
  assertEquals(await bench.poll(), [1]);
  await early;
  assertEquals([await bench.poll(), await bench.poll()], [[2], [3]]);
  await Promise.all(later);
});

Deno.test("an aborted report is taken back, and the others are sent", async () => {
  const fn = plain();
  await using bench = serve(fn);
  const [first, second] = [new AbortController(), new AbortController()];
  const taken = [first, second].map(({ signal }, level) =>
    fn.send({ level }, { signal })
  );
  const sent = fn.send({ level: 9 });
  second.abort(new Error("second"));
  await assertRejects(() => taken[1], Error, "second");
  first.abort(new Error("first"));
  await assertRejects(() => taken[0], Error, "first");
  assertEquals(await bench.poll(), [9]);
  await sent;
  await assertRejects(
    () => fn.send({ level: 1 }, { signal: AbortSignal.abort(new Error("no")) }),
    Error,
    "no",
  );
});

Deno.test("the newest state replaces one that was not polled, and comes after what was sent before", async () => {
  const fn = plain();
  await using bench = serve(fn);
  for (let level = 0; level < 100; level++) fn.update({ level });
  await new Promise((resolve) => setTimeout(resolve));
  for (let level = 100; level < 200; level++) fn.update({ level });
  assertEquals(await bench.poll(), [199]);
  fn.update({ level: 1 });
  const sent = fn.send({ level: 2 });
  fn.update({ level: 3 });
  fn.update({ level: 4 });
  assertEquals([await bench.poll(), await bench.poll()], [[1], [2]]);
  await sent;
  assertEquals(await bench.poll(), [4]);
});

Deno.test("states of different reports do not replace each other", async () => {
  const fn = new HidFunction({ reportDescriptor: WITH_IDS });
  await using bench = serve(fn);
  for (let n = 0; n < 10; n++) {
    fn.update(Uint8Array.of(1, n));
    fn.update(Uint8Array.of(2, 2 * n));
  }
  assertEquals([await bench.poll(), await bench.poll()], [[1, 9], [2, 18]]);
});

Deno.test("the end of a session ends what was sent, and keeps the state for the next host", async () => {
  const fn = plain();
  let ends = 0;
  const counted = plain({ onSessionEnd: () => ends++ });
  {
    await using _ = serve(counted);
  }
  assertEquals(ends, 1);
  const sent = await (async () => {
    await using _ = serve(fn);
    fn.update({ level: 7 });
    const sent = fn.send({ level: 8 });
    fn.update({ level: 9 });
    return sent.catch((error) => error);
  })();
  assertEquals(sent instanceof SessionEndedError, true);
  await using bench = serve(fn);
  assertEquals(await bench.poll(), [9]);
});

Deno.test("GET_REPORT answers with the current reports of each type", async () => {
  const lamps: ReceivedReport[] = [];
  const fn = plain({ onOutput: (report) => lamps.push(report) });
  await using bench = serve(fn);
  const get = (value: number, length?: number) =>
    request(fn, "in", HidRequest.GET_REPORT, value, { length });
  assertEquals(await get(INPUT), { sent: [0] });
  fn.update({ level: 5 });
  assertEquals(await get(INPUT), { sent: [5] });
  assertEquals(await bench.poll(), [5]);
  assertEquals(await get(INPUT), { sent: [5] });
  assertEquals(await get(OUTPUT), { sent: [0] });
  assertEquals(
    await request(fn, "out", HidRequest.SET_REPORT, OUTPUT, { data: [6] }),
    { taken: 1 },
  );
  assertEquals(await get(OUTPUT), { sent: [6] });
  assertEquals(lamps.map(({ id, bytes, values }) => [id, [...bytes], values]), [
    [0, [6], { lamp: 6 }],
  ]);
  assertEquals(await get(FEATURE), { sent: Array(300).fill(0) });
  fn.setFeature({ table: Uint8Array.of(1, 2) });
  assertEquals(await get(FEATURE, 4), { sent: [1, 2, 0, 0] });
  for (const unknown of [0, INPUT + 1, 0x400, FEATURE + 255]) {
    assertEquals(await get(unknown), "stall");
  }
});

Deno.test("SET_REPORT of an unknown report or with too few bytes is stalled before its data", async () => {
  const seen: number[] = [];
  const fn = new HidFunction({
    reportDescriptor: WITH_IDS,
    onOutput: ({ values }) => seen.push(values.c as number),
  });
  const set = (value: number, data: number[]) =>
    request(fn, "out", HidRequest.SET_REPORT, value, { data });
  assertEquals(await set(OUTPUT + 2, [2, 8]), { taken: 2 });
  // As long as the longest report, as Windows sends them.
  assertEquals(await set(OUTPUT + 2, [2, 9, 0, 0]), { taken: 4 });
  assertEquals(await set(OUTPUT + 2, [2]), "stall");
  assertEquals(await set(OUTPUT + 2, []), "stall");
  assertEquals(await set(OUTPUT + 1, [1, 8]), "stall");
  assertEquals(await set(INPUT + 1, [1, 8]), "stall");
  assertEquals(await set(FEATURE, [0]), "stall");
  // The ID of another report.
  assertEquals(await set(OUTPUT + 2, [1, 8]), { taken: 2 });
  assertEquals(seen, [8, 9]);
});

Deno.test("output reports of an endpoint are received, and wrong ones are ignored", async () => {
  const seen: number[] = [];
  const fn = new HidFunction({
    reportDescriptor: WITH_IDS,
    outputEndpoint: true,
    onOutput: ({ values }) => {
      seen.push(values.c as number);
      if (values.c === 3) throw new Error("three");
    },
  });
  await using bench = serve(fn);
  const { output } = bench.session.endpoints as unknown as {
    output: Parameters<typeof bench.session.host.write>[0];
  };
  const reports = [[2, 1], [2], [], [1, 5], [9, 9], [2, 3], [2, 4]];
  for (const report of reports) {
    await bench.session.host.write(output, Uint8Array.from(report));
  }
  assertEquals(seen, [1, 3, 4]);
  assertEquals(bench.session.reported.map(String), ["Error: three"]);
});

Deno.test("an unchanged report is sent again at the idle rate, until the host sets another", async () => {
  const fn = plain();
  await using bench = serve(fn);
  const { session } = bench;
  const sent = fn.send({ level: 3 });
  assertEquals(await bench.poll(), [3]);
  await sent;
  await request(fn, "out", HidRequest.SET_IDLE, 1 << 8, { session });
  assertEquals(await request(fn, "in", HidRequest.GET_IDLE, 0), { sent: [1] });
  for (let n = 0; n < 3; n++) assertEquals(await bench.poll(), [3]);
  await request(fn, "out", HidRequest.SET_IDLE, 0, { session });
  // One may be on its way.
  const last = fn.send({ level: 4 });
  while ((await bench.poll())[0] !== 4);
  await last;
  await assertRejects(() =>
    session.host.read(session.endpoints.input, 64, { timeout: 50 })
  );
});

Deno.test("the boot protocol has its own reports, and ends with the session", async () => {
  const changes: string[] = [];
  const fn = new HidFunction({
    reportDescriptor: new Mouse().reportDescriptor,
    boot: "mouse",
    onProtocol: (protocol) => changes.push(protocol),
  });
  {
    await using bench = serve(fn);
    const { session } = bench;
    await request(fn, "out", HidRequest.SET_PROTOCOL, 0, { session });
    assertEquals(fn.protocol, "boot");
    const sent = fn.send(Uint8Array.of(1, 2, 3));
    assertEquals(await bench.poll(), [1, 2, 3]);
    await sent;
    assertEquals(
      await request(fn, "in", HidRequest.GET_REPORT, INPUT),
      { sent: [1, 2, 3] },
    );
    await assertRejects(() => fn.send(Uint8Array.of(1, 2)), RangeError, "3 to");
    await assertRejects(() => fn.send({ x: 1 }), TypeError, "a Uint8Array");
  }
  assertEquals(changes, ["boot", "report"]);
  assertEquals(fn.protocol, "report");
});

Deno.test("wrong reports are refused with what is right", async () => {
  const fn = plain();
  await assertRejects(() => fn.send(new Uint8Array(2)), RangeError, "1 bytes");
  assertThrows(() => fn.update({ lvel: 1 }), TypeError, "level");
  assertThrows(() => fn.update({ level: 256 }), RangeError, "255");
  assertThrows(() => fn.setFeature(new Uint8Array(9)), RangeError, "300");
  const ids = new HidFunction({ reportDescriptor: WITH_IDS });
  assertThrows(
    () => ids.update({ a: 1 }),
    TypeError,
    'has 2 input reports; pack the values with reportDescriptor.report("input", id)',
  );
  assertThrows(() => ids.update(Uint8Array.of(3, 1)), RangeError);
  assertThrows(
    () => plain({ boot: "pen" as "mouse" }),
    TypeError,
    'boot" must be "keyboard" or "mouse"',
  );
});

Deno.test("a function that serves one gadget refuses another", async () => {
  const fn = plain();
  await using _ = serve(fn);
  using second = fakeSession(fn as HidFunction);
  await assertRejects(() => second.serve(), Error, "serves another gadget");
});

Deno.test("a mouse moves, clicks and scrolls, in fine steps if the host asks for them", async () => {
  const mouse = new Mouse({ settleMs: 0 });
  await using bench = serve(mouse);
  const moved = mouse.move(-2, 40_000);
  assertEquals(await bench.poll(), [0, 0xfe, 0xff, 0xff, 0x7f, 0, 0, 0, 0]);
  assertEquals(await bench.poll(), [0, 0, 0, 0x41, 0x1c, 0, 0, 0, 0]);
  await moved;
  const clicked = mouse.click("right");
  assertEquals(await bench.poll(), [2, 0, 0, 0, 0, 0, 0, 0, 0]);
  assertEquals(await bench.poll(), [0, 0, 0, 0, 0, 0, 0, 0, 0]);
  await clicked;
  const scrolled = [0.5, 0.5].map((each) => mouse.scroll(each));
  assertEquals((await bench.poll())[5], 0);
  assertEquals((await bench.poll())[5], 1);
  await Promise.all(scrolled);
  await request(mouse, "out", HidRequest.SET_REPORT, FEATURE, { data: [1, 1] });
  const fine = mouse.scroll(-0.5, 0.1);
  assertEquals((await bench.poll()).slice(5), [0xc4, 0xff, 12, 0]);
  await fine;
  await assertRejects(() => mouse.move(0.5, 0), RangeError);
  await assertRejects(() => mouse.press("side" as "left"), TypeError, '"left"');
});

Deno.test("a tablet has coordinates from 0 to 1", async () => {
  const tablet = new Tablet({ settleMs: 0 });
  await using bench = serve(tablet);
  tablet.moveTo(0.2, 0.3);
  tablet.moveTo(1, 0.5);
  assertEquals(await bench.poll(), [0, 0xff, 0x7f, 0, 0x40, 0]);
  assertThrows(() => tablet.moveTo(1.1, 0), RangeError, "from 0 to 1");
});

Deno.test("a device waits until its host has settled", async () => {
  const mouse = new Mouse({ settleMs: 20 });
  await using bench = serve(mouse);
  const moved = mouse.move(1, 2);
  for (let n = 0; n < 2; n++) {
    assertEquals(await bench.poll(), Array(9).fill(0));
  }
  const begin = performance.now();
  assertEquals(await bench.poll(), [0, 1, 0, 2, 0, 0, 0, 0, 0]);
  assert(performance.now() - begin >= 15, "it did not wait");
  await moved;
});

Deno.test("a gamepad keeps what does not change", async () => {
  const pad = new Gamepad({ settleMs: 0 });
  await using bench = serve(pad);
  pad.set({ leftX: -1, rightTrigger: 1, buttons: ["south", "extra"] });
  pad.set({ hat: "left" });
  assertEquals(await bench.poll(), [
    ...[0x01, 0x80, 0, 0, 0, 0, 0, 0, 0, 0xff],
    ...[0x01, 0x80, 6],
  ]);
  pad.reset();
  const neutral = await bench.poll();
  assertEquals(neutral.slice(0, -1), Array(12).fill(0));
  assertEquals(neutral.at(-1)! > 7, true);
  assertThrows(() => pad.set({ leftX: 2 }), TypeError, "from -1 to 1");
  assertThrows(() => pad.set({ buttons: ["a" as "c"] }), TypeError, "south");
});

Deno.test("media and power keys are pressed and released", async () => {
  const media = new ConsumerControl({ settleMs: 0 });
  const power = new SystemControl({ settleMs: 0 });
  {
    await using bench = serve(media);
    const tapped = media.tap("AudioVolumeUp");
    assertEquals(await bench.poll(), [0xe9, 0, 0, 0]);
    assertEquals(await bench.poll(), [0, 0, 0, 0]);
    await tapped;
    await assertRejects(
      () => media.press("VolumeUp" as "MediaStop"),
      TypeError,
      "AudioVolumeUp",
    );
  }
  await using bench = serve(power);
  const tapped = power.tap("sleep");
  assertEquals([await bench.poll(), await bench.poll()], [[2], [0]]);
  await tapped;
});
