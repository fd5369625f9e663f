/**
 * The events of a function, through all that a host does.
 *
 * @module
 */
// VM: any architecture
import "../support/run/aio_libraries.ts";
import { assertEquals, assertRejects } from "@std/assert";
import type { FunctionEvent, FunctionFs } from "@usb/gadget";
import type { TestHost } from "@usb/gadget/testing";
import { plug, unplug } from "../support/gadgets/cable.ts";
import {
  type ControlGadget,
  outcome,
  startControl,
  VENDOR,
} from "../support/gadgets/control.ts";
import { until } from "../support/waiting/until.ts";
import { watchEventLoop } from "../support/measure/heartbeat.ts";
import { keepHostAway } from "../support/host/absence.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

const names = (events: readonly FunctionEvent[]) =>
  events.map(({ type }) => type);

/** Waits until something has happened, and returns all that has since `from`. */
async function eventsUntil(
  { events }: ControlGadget,
  last: FunctionEvent["type"],
  from = 0,
): Promise<string[]> {
  await until(
    () => names(events.slice(from)).includes(last),
    `the event "${last}" is reported`,
  );
  return names(events.slice(from));
}

/** The function answers, and its host gets the answer. */
async function assertAnswers(host: TestHost): Promise<void> {
  const request = { ...VENDOR, request: 1, value: 42, length: 2 };
  assertEquals(await host.controlIn(request), Uint8Array.of(42, 0));
}

const control = ({ value }: { value: number }) => Uint8Array.of(value, 0);

Deno.test("a host that comes, resets, leaves and comes again is reported as state changes", async () => {
  using _ = watchEventLoop();
  await using it = await startControl({ control });
  await assertAnswers(it.host);
  const { name: udc } = it.gadget.udc;

  let from = it.events.length;
  await it.host.reset();
  await until(
    () => names(it.events.slice(from)).includes("enable"),
    "the function is enabled again",
  );
  // Some kernels suspend and resume the port on the way.
  const levels = (since: number) =>
    names(it.events.slice(since)).filter((type) =>
      type !== "suspend" && type !== "resume"
    );
  assertEquals(levels(from), ["disable", "enable"]);
  await assertAnswers(it.host);

  from = it.events.length;
  unplug(it.gadget);
  await until(() => it.fs.state === "unbound", "the function is unbound");
  assertEquals(levels(from), ["disable", "unbind"]);
  assertEquals(it.fs.suspended, false);

  from = it.events.length;
  plug(it.gadget, udc);
  await it.connect();
  assertEquals(levels(from), ["bind", "enable"]);
  await assertAnswers(it.host);
});

Deno.test("each configuration and each setting is reported once, whatever the number of interfaces", async () => {
  using _ = watchEventLoop();
  await using it = await startControl({ control, interfaces: 3 });
  await assertAnswers(it.host);
  for (let round = 0; round < 5; round++) {
    let from = it.events.length;
    await it.host.setConfiguration(0);
    assertEquals(await eventsUntil(it, "disable", from), ["disable"]);
    assertEquals(it.fs.state, "bound");
    from = it.events.length;
    await it.host.setConfiguration(1);
    assertEquals(await eventsUntil(it, "enable", from), ["enable"]);
    assertEquals(it.fs.state, "enabled");
    await assertAnswers(it.host);
    // All that the kernel has queued was read before the answer.
    assertEquals(names(it.events.slice(from)), ["enable"]);
  }
});

Deno.test("SET_INTERFACE resets the endpoints: disable and enable", async () => {
  await using it = await startControl({ control });
  for (let round = 0; round < 5; round++) {
    const from = it.events.length;
    await it.host.setInterface(0, 0);
    assertEquals(await eventsUntil(it, "enable", from), ["disable", "enable"]);
    await assertAnswers(it.host);
  }
});

Deno.test("suspend and resume are reported, and requests work afterwards", async () => {
  // The super-speed side of dummy_hcd has no suspend.
  const speed = gadgetSpeed().maxSpeed;
  const maxSpeed = speed === "super-speed" ? "high-speed" : speed;
  await using it = await startControl({ control, maxSpeed });
  for (let round = 0; round < 3; round++) {
    const from = it.events.length;
    await it.host.suspend();
    assertEquals(await eventsUntil(it, "suspend", from), ["suspend"]);
    assertEquals(it.fs.suspended, true);
    assertEquals(it.fs.state, "enabled");
    await it.host.resume();
    assertEquals(await eventsUntil(it, "resume", from), ["suspend", "resume"]);
    assertEquals(it.fs.suspended, false);
  }
  await assertAnswers(it.host);
});

Deno.test("a slow reader gets every event, and every reader all of them", async () => {
  await using it = await startControl({ control });
  const readers = [it.fs.events, it.fs.events].map((events) =>
    events[Symbol.asyncIterator]()
  );
  const rounds = 10;
  for (let round = 0; round < rounds; round++) {
    const from = it.events.length;
    await it.host.setInterface(0, 0);
    await eventsUntil(it, "enable", from);
  }
  await it.gadget.stop();
  for (const reader of readers) {
    const seen: string[] = [];
    for (;;) {
      const { done, value } = await reader.next();
      if (done) break;
      seen.push(value.type);
    }
    const wanted = Array(rounds).fill(["disable", "enable"]).flat();
    assertEquals(seen.slice(0, 2 * rounds), wanted);
    const rest = seen.slice(2 * rounds).filter((type) => type !== "suspend");
    assertEquals(rest, ["disable", "unbind"]);
  }
});

Deno.test("enabled() waits for the host, and ends with its signal or the function", async () => {
  using host = keepHostAway();
  await using it = await startControl({ control, connect: false });
  const controller = new AbortController();
  const waiting = it.fs.enabled({ signal: controller.signal });
  controller.abort(new Error("enough"));
  await assertRejects(() => waiting, Error, "enough");
  const enabled = it.fs.enabled();
  await host.seen(it.gadget.definition);
  host.end();
  await enabled;
  assertEquals(it.fs.state, "enabled");
  await it.gadget.stop();
  await assertRejects(
    () => it.fs.enabled(),
    Deno.errors.BadResource,
    "the function is closed",
  );
});

/** A host that leaves in the middle of the data of a request, each in its way. */
const LEAVING: Record<
  string,
  (it: ControlGadget, udc: string) => Promise<void> | void
> = {
  "resets": (it) => it.host.reset(),
  "is unplugged": (it, udc) => {
    unplug(it.gadget);
    plug(it.gadget, udc);
  },
  "sets another configuration": async (it) => {
    await it.host.setConfiguration(0);
    await it.host.setConfiguration(1);
  },
};

for (const [name, leave] of Object.entries(LEAVING)) {
  Deno.test(`a host that ${name} in the middle of a request cancels it, and the next one is answered`, async () => {
    using _ = watchEventLoop();
    let reached = Promise.withResolvers<void>();
    const cancelled: string[] = [];
    await using it = await startControl({
      control: async (setup) => {
        if (setup.request === 1) return control(setup);
        reached.resolve();
        await new Promise((resolve) =>
          setup.signal.addEventListener("abort", resolve)
        );
        cancelled.push(setup.signal.reason.code);
        // Too late, and harmless.
        return await setup.reply(new Uint8Array(4096)).then(() => {});
      },
    });
    const udc = it.gadget.udc.name;
    for (let round = 1; round <= 2; round++) {
      reached = Promise.withResolvers();
      const abort = new AbortController();
      const lost = outcome(it.host.controlIn({
        ...VENDOR,
        request: 2,
        length: 4096,
      }, { signal: abort.signal }));
      await reached.promise;
      // The host does one after the other on its control pipe.
      abort.abort();
      await lost;
      await leave(it, udc);
      await until(() => cancelled.length === round, "the request is cancelled");
      assertEquals(cancelled[round - 1], "EIDRM");
      await assertAnswers(await it.connect());
    }
    assertEquals(names(it.events).includes("error"), false);
  });
}

Deno.test("the counting of events on an eventfd makes no difference", async () => {
  await using it = await startControl({ control, gadget: { eventfd: true } });
  await assertAnswers(it.host);
  const fs: FunctionFs = it.fs;
  for (let round = 0; round < 3; round++) {
    const from = it.events.length;
    await it.host.setInterface(0, 0);
    assertEquals(await eventsUntil(it, "enable", from), ["disable", "enable"]);
    await assertAnswers(it.host);
    // Transfers have a counter of their own.
    const [, sent] = await Promise.all([
      it.link.in.write(new Uint8Array(100)),
      it.host.read(it.link, 1024),
    ]);
    assertEquals(sent.byteLength, 100);
  }
  assertEquals(fs.state, "enabled");
});
