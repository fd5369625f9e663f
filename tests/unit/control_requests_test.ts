import { assertEquals, assertThrows } from "@std/assert";
import { controlRoutes, dfu, hid, unhandled, usbFunction } from "@usb/gadget";
import { hidRequests } from "@usb/gadget/hid";
import { massStorageRequests } from "@usb/gadget/mass-storage";
import { printerRequests } from "@usb/gadget/printer";
import { stillImageRequests } from "@usb/gadget/mtp";
import { standardRequests } from "../../src/functionfs/control/standard_requests.ts";
import { SessionLife } from "../../src/functionfs/session.ts";
import { outcomeOf } from "../support/gadgets/run_setup.ts";

const CLASS = { type: "class", recipient: "interface" } as const;
const ask = (request: number, length: number, value = 0, index = 0) =>
  ({ ...CLASS, direction: "in", request, length, value, index }) as const;
const set = (request: number, value = 0, index = 0) =>
  ({ ...CLASS, direction: "out", request, value, index }) as const;

Deno.test("controlRoutes() finds a handler by direction, type, recipient, request and index", async () => {
  const answer = (byte: number) => () => Uint8Array.of(byte);
  const control = controlRoutes([
    { request: 1, direction: "in", handler: answer(1) },
    { request: 1, index: 2, direction: "in", handler: answer(2) },
    { request: 1, type: "class", handler: answer(3) },
    { request: 1, recipient: "endpoint", handler: answer(4) },
    { request: 2, handler: () => unhandled },
  ]);
  const vendor = {
    type: "vendor",
    recipient: "interface",
    direction: "in",
    request: 1,
    length: 1,
  } as const;
  const outcome = (changes: object) =>
    outcomeOf(control, { ...vendor, ...changes });
  assertEquals(await outcome({}), { sent: [1] });
  assertEquals(await outcome({ index: 1 }), { sent: [1] });
  assertEquals(await outcome({ index: 2 }), { sent: [2] });
  assertEquals(await outcome({ type: "class" }), { sent: [3] });
  assertEquals(await outcome({ recipient: "endpoint" }), { sent: [4] });
  for (
    const other of [
      { request: 2 },
      { request: 3 },
      { direction: "out" },
      { recipient: "other" },
    ]
  ) assertEquals(await outcome(other), "stall");
});

Deno.test("controlRoutes() rejects two handlers for one request", () => {
  const handler = () => {};
  assertThrows(
    () =>
      controlRoutes([
        { request: 1, handler },
        { request: 1, direction: "out", handler },
      ]),
    TypeError,
    'both are for out vendor request 1 to "interface"',
  );
});

Deno.test("hidRequests() answers all requests of HID 1.11, 7.2", async () => {
  const heard: unknown[] = [];
  const control = controlRoutes(hidRequests({
    getReport: ({ type, id }, length) =>
      type === "feature" ? unhandled : Uint8Array.of(id, length),
    setReport: (report, data) => void heard.push(report, [...data]),
    onIdle: (milliseconds, id) => heard.push(milliseconds, id),
    onProtocol: (protocol) => heard.push(protocol),
  }));
  assertEquals(await outcomeOf(control, ask(1, 8, 0x0105)), { sent: [5, 8] });
  assertEquals(await outcomeOf(control, ask(1, 8, 0x0305)), "stall");
  assertEquals(await outcomeOf(control, ask(1, 8, 0x0400)), "stall");
  await outcomeOf(control, set(9, 0x0203, 1), [9, 8]);
  assertEquals(heard.splice(0), [
    { type: "output", id: 3, interface: 1 },
    [9, 8],
  ]);
  assertEquals(await outcomeOf(control, ask(2, 1)), { sent: [0] });
  assertEquals(await outcomeOf(control, set(10, 0x7d00)), { taken: 0 });
  assertEquals(await outcomeOf(control, set(10, 0x0102)), { taken: 0 });
  assertEquals(heard.splice(0), [500, 0, 4, 2]);
  assertEquals(await outcomeOf(control, ask(2, 1, 1)), { sent: [0x7d] });
  assertEquals(await outcomeOf(control, ask(2, 1, 2)), { sent: [1] });
  assertEquals(await outcomeOf(control, ask(3, 1)), { sent: [1] });
  assertEquals(await outcomeOf(control, set(11, 0)), { taken: 0 });
  assertEquals(await outcomeOf(control, ask(3, 1)), { sent: [0] });
  assertEquals(await outcomeOf(control, set(11, 2)), "stall");
  assertEquals(heard, ["boot"]);
  const none = controlRoutes(hidRequests());
  assertEquals(await outcomeOf(none, ask(1, 8, 0x0100)), "stall");
  assertEquals(await outcomeOf(none, set(9, 0x0200), [1]), "stall");
});

Deno.test("protocol and idle rate return to their defaults when the session ends", async () => {
  const heard: unknown[] = [];
  const control = controlRoutes(hidRequests({
    onIdle: (milliseconds, id) => heard.push(milliseconds, id),
    onProtocol: (protocol) => heard.push(protocol),
  }));
  const state = async (session: SessionLife) => [
    await outcomeOf(control, ask(3, 1), [], session),
    await outcomeOf(control, ask(2, 1, 1), [], session),
  ];
  const defaults = [{ sent: [1] }, { sent: [0] }];
  for (let round = 0; round < 2; round++) {
    const session = new SessionLife(0);
    assertEquals(await state(session), defaults);
    await outcomeOf(control, set(11, 0), [], session);
    await outcomeOf(control, set(10, 0x0501), [], session);
    assertEquals(await state(session), [{ sent: [0] }, { sent: [5] }]);
    assertEquals(heard.splice(0), ["boot", 20, 1]);
    session.end("disabled");
    assertEquals(heard.splice(0), ["report", 0, 0]);
  }
  const session = new SessionLife(0);
  await outcomeOf(control, set(11, 1), [], session);
  await outcomeOf(control, set(10, 0), [], session);
  heard.splice(0);
  session.end("disabled");
  assertEquals(heard, []);
});

Deno.test("printerRequests() reports the identity and the state of the printer", async () => {
  const control = controlRoutes(printerRequests({
    deviceId: "MFG:A;",
    portStatus: () => ({ paperEmpty: true, error: true }),
    reset: () => {},
  }));
  const id = [0, 8, ...new TextEncoder().encode("MFG:A;")];
  assertEquals(await outcomeOf(control, ask(0, 100)), { sent: id });
  assertEquals(await outcomeOf(control, ask(1, 1)), { sent: [0x30] });
  assertEquals(await outcomeOf(control, set(2)), { taken: 0 });
  const other = { ...set(2), recipient: "other" } as const;
  assertEquals(await outcomeOf(control, other), { taken: 0 });
  assertThrows(() => printerRequests({ deviceId: "MFG:Ä;" }), RangeError);
});

Deno.test("massStorageRequests() reports the last unit and resets", async () => {
  let resets = 0;
  const control = controlRoutes(massStorageRequests({
    maxLun: 3,
    reset: () => {
      resets++;
    },
  }));
  assertEquals(await outcomeOf(control, ask(0xfe, 1)), { sent: [3] });
  assertEquals(await outcomeOf(control, ask(0xfe, 2)), "stall");
  assertEquals(await outcomeOf(control, set(0xff)), { taken: 0 });
  assertEquals(resets, 1);
  assertThrows(() => massStorageRequests({ maxLun: 16, reset: () => {} }));
});

Deno.test("stillImageRequests() cancels transactions and reports the status", async () => {
  const cancelled: number[] = [];
  const control = controlRoutes(stillImageRequests({
    cancel: (id) => void cancelled.push(id),
    reset: () => {},
    getStatus: () => ({ code: 0x2019, parameters: [0x81] }),
  }));
  await outcomeOf(control, set(0x64), [0x01, 0x40, 5, 0, 0, 0]);
  await outcomeOf(control, set(0x64), [0x02, 0x40, 6, 0, 0, 0]);
  assertEquals(cancelled, [5]);
  assertEquals(await outcomeOf(control, set(0x64), [1]), "stall");
  assertEquals(await outcomeOf(control, set(0x66)), { taken: 0 });
  assertEquals(await outcomeOf(control, ask(0x65, 8)), "stall");
  assertEquals(await outcomeOf(control, ask(0x67, 64)), {
    sent: [8, 0, 0x19, 0x20, 0x81, 0, 0, 0],
  });
});

Deno.test("stillImageRequests() is busy until cancel() is done", async () => {
  const running: PromiseWithResolvers<void>[] = [];
  const control = controlRoutes(stillImageRequests({
    cancel: () => {
      const work = Promise.withResolvers<void>();
      running.push(work);
      return work.promise;
    },
    reset: () => {},
    getStatus: () => ({ code: 0x201f, parameters: [0x81] }),
  }));
  const cancel = (id: number) =>
    outcomeOf(control, set(0x64), [0x01, 0x40, id, 0, 0, 0]);
  const status = () => outcomeOf(control, ask(0x67, 64));
  const busy = { sent: [4, 0, 0x19, 0x20] };
  const cancelled = { sent: [8, 0, 0x1f, 0x20, 0x81, 0, 0, 0] };
  assertEquals(await status(), cancelled);
  const [first, second] = [cancel(5), cancel(6)];
  while (running.length < 2) await Promise.resolve();
  assertEquals(await status(), busy);
  running[0].resolve();
  await first;
  assertEquals(await status(), busy);
  running[1].reject(new Error("no"));
  assertEquals(await second.catch(String), "Error: no");
  assertEquals(await status(), cancelled);
  // A cancellation that never ends is dropped by a device reset.
  const third = cancel(7);
  while (running.length < 3) await Promise.resolve();
  assertEquals(await status(), busy);
  await outcomeOf(control, set(0x66));
  assertEquals(await status(), cancelled);
  const fourth = cancel(8);
  while (running.length < 4) await Promise.resolve();
  running[2].resolve();
  await third;
  assertEquals(await status(), busy);
  running[3].resolve();
  await fourth;
  assertEquals(await status(), cancelled);
});

const report = Uint8Array.of(0x05, 0x01, 0xc0);
const definition = usbFunction({
  name: "standard",
  interfaces: [
    { class: 3, descriptors: [hid({ report })] },
    { class: 3, alternates: [{ descriptors: [hid({ report })] }] },
    { class: 0xfe, subclass: 1, descriptors: [dfu()] },
    { class: 0xff },
  ],
});

Deno.test("the HID descriptors of an interface are answered from the definition", async () => {
  const control = standardRequests(definition);
  const get = (value: number, index: number) =>
    outcomeOf(control, { ...ask(6, 255, value, index), type: "standard" });
  for (const index of [0, 1]) {
    assertEquals(await get(0x2200, index), { sent: [...report] });
    assertEquals(await get(0x2100, index), {
      sent: [9, 0x21, 0x11, 0x01, 0, 1, 0x22, 3, 0],
    });
    assertEquals(await get(0x2201, index), "stall");
  }
  assertEquals(await get(0x2200, 2), "stall");
  assertEquals((await get(0x2100, 2) as { sent: number[] }).sent[1], 0x21);
  assertEquals(await get(0x2100, 3), "stall");
  assertEquals(await get(0x0400, 0), "stall");
});

Deno.test("status and halts of interfaces and endpoints are answered", async () => {
  const calls: string[] = [];
  const endpoint = (name: string) => ({
    halt: () => Promise.resolve(void calls.push(`halt ${name}`)),
    clearHalt: () => Promise.resolve(void calls.push(`clear ${name}`)),
  });
  const endpoints = [endpoint("first"), endpoint("second")];
  const control = standardRequests(definition, endpoints);
  const status = (recipient: "interface" | "endpoint", index: number) =>
    outcomeOf(control, {
      ...ask(0, 2, 0, index),
      type: "standard",
      recipient,
    });
  const feature = (request: number, index: number, value = 0) =>
    outcomeOf(control, {
      ...set(request, value, index),
      type: "standard",
      recipient: "endpoint",
    });
  assertEquals(await status("interface", 0), { sent: [0, 0] });
  assertEquals(await status("endpoint", 2), { sent: [0, 0] });
  assertEquals(await feature(3, 2), { taken: 0 });
  assertEquals(await status("endpoint", 2), { sent: [1, 0] });
  assertEquals(await status("endpoint", 1), { sent: [0, 0] });
  assertEquals(await feature(1, 2), { taken: 0 });
  assertEquals(await status("endpoint", 2), { sent: [0, 0] });
  assertEquals(calls, ["halt second", "clear second"]);
  assertEquals(await feature(3, 3), "stall");
  assertEquals(await feature(3, 1, 1), "stall");
  assertEquals(await status("endpoint", 0), "stall");
});

Deno.test("halts set by a host end with its session", async () => {
  const signals: AbortSignal[] = [];
  const control = standardRequests(definition, [{
    halt: ({ signal }) => Promise.resolve(void signals.push(signal)),
    clearHalt: () => Promise.resolve(),
  }]);
  const endpoint = { type: "standard", recipient: "endpoint" } as const;
  const status = () => outcomeOf(control, { ...ask(0, 2, 0, 1), ...endpoint });
  for (let round = 0; round < 2; round++) {
    const session = new SessionLife(0);
    await outcomeOf(control, { ...set(3, 0, 1), ...endpoint }, [], session);
    assertEquals(await status(), { sent: [1, 0] });
    session.end("disabled");
    assertEquals(await status(), { sent: [0, 0] });
    assertEquals(signals[round].aborted, true);
  }
});
