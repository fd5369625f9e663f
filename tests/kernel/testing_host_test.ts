/**
 * The host's side of `@usb/gadget/testing`, method by method.
 *
 * @module
 */
// VM: newest kernel
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bulkIn,
  bulkPair,
  Gadget,
  interruptIn,
  interruptOut,
  SessionEndedError,
  StandardRequest,
  unhandled,
  usbFunction,
} from "@usb/gadget";
import { type BusRecord, TestHost } from "@usb/gadget/testing";
import { pattern } from "../support/data/pattern.ts";
import { startDeno } from "../support/programs/example.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { shell } from "../support/machine/shell.ts";
import { until } from "../support/waiting/until.ts";

const { maxSpeed, bulkPacketSize: PACKET } = gadgetSpeed();
const ids = { vendorId: 0x1209, productId: 0x0001, maxSpeed };

let serial = 0;

/** Two functions, interfaces with and without endpoints, and two settings. */
async function start() {
  const tool = usbFunction({
    name: "tool",
    interfaces: [
      { class: 0xff, description: "Tool", endpoints: { link: bulkPair() } },
      { class: 0xff },
    ],
    control: async (setup) => {
      if (setup.request !== 1) return unhandled;
      if (setup.direction === "in") return pattern(setup.length, setup.index);
      received.push(...await setup.receive());
      return undefined;
    },
  });
  const received: number[] = [];
  const extra = usbFunction({
    name: "extra",
    interfaces: [{
      class: 0xff,
      endpoints: {
        events: interruptIn({ maxPacketSize: 64, intervalMs: 1 }),
        orders: interruptOut({ maxPacketSize: 64, intervalMs: 1 }),
      },
      alternates: [{ endpoints: { fast: bulkIn() } }],
    }],
  });
  const gadget = await Gadget.start({
    ...ids,
    manufacturer: { "en-US": "Maker", "de-DE": "Hersteller" },
    product: { "en-US": "Testing", "de-DE": "Prüfling" },
    serialNumber: `testing ${++serial}`,
    functions: [tool, extra],
    configurations: [{}, { functions: ["tool"] }],
  });
  const host = await TestHost.open(gadget).catch(async (error) => {
    await gadget.stop();
    throw error;
  });
  return {
    gadget,
    host,
    received,
    link: gadget.functions.tool.endpoints.link,
    extra: gadget.functions.extra.endpoints,
    async [Symbol.asyncDispose]() {
      await host.close();
      await gadget.stop();
    },
  };
}

Deno.test("read() and write() take endpoint objects of any function, and of a session", async () => {
  await using test = await start();
  const { host, gadget, link, extra } = test;
  const written = link.write(pattern(100));
  assertEquals(await host.read(link, 1024), pattern(100));
  assertEquals(await written, 100);
  const reading = link.read(3 * PACKET);
  assertEquals(await host.write(link.out, pattern(3 * PACKET)), 3 * PACKET);
  assertEquals(await reading, pattern(3 * PACKET));

  const sent = extra.events.write(pattern(70));
  assertEquals(await host.read(extra.events, 128), pattern(70));
  await sent;
  const taken = extra.orders.read(256);
  await host.write(extra.orders, pattern(128), { zlp: "auto" });
  assertEquals(await taken, pattern(128));

  const { value } = await gadget.functions.tool.sessions().next();
  const session = value!.endpoints;
  const answer = session.link.write(pattern(5));
  assertEquals(await host.read(session.link, PACKET), pattern(5));
  await answer;
});

Deno.test("transfers of one endpoint run in the order of the calls", async () => {
  await using test = await start();
  const { host, link } = test;
  const reads = [1, 2, 3].map(() => host.read(link, PACKET));
  for (const n of [1, 2, 3]) await link.write(pattern(10 * n, n));
  assertEquals(await Promise.all(reads), [
    pattern(10, 1),
    pattern(20, 2),
    pattern(30, 3),
  ]);
  const writes = [1, 2].map((n) => host.write(link, pattern(n, n)));
  for (const n of [1, 2]) assertEquals(await link.read(64), pattern(n, n));
  await Promise.all(writes);
});

Deno.test("a zero-length packet ends a transfer on a packet border, and is one by itself", async () => {
  await using test = await start();
  const { host, link } = test;
  const reading = link.read(4 * PACKET);
  await host.write(link, pattern(PACKET), { zlp: "auto" });
  assertEquals(await reading, pattern(PACKET));
  const empty = link.read(PACKET);
  assertEquals(await host.write(link, new Uint8Array(0)), 0);
  assertEquals((await empty).byteLength, 0);
});

Deno.test("a call that takes too long says what is missing", async () => {
  await using test = await start();
  const { host, gadget, link } = test;
  const timeout = 100;
  const timesOut = (call: () => Promise<unknown>, message: string) =>
    assertRejects(call, Deno.errors.TimedOut, message);
  await timesOut(
    () => host.read(link, PACKET, { timeout }),
    'function "tool" is enabled, but its program has not written so much, 0 of',
  );
  await timesOut(
    () => host.write(link, pattern(10), { timeout }),
    "its program does not read so much, 0 of 10 bytes",
  );
  const written = link.write(pattern(2 * PACKET));
  await timesOut(
    () => host.read(link, 4 * PACKET, { timeout: 1000 }),
    'must write with `zlp: "auto"`',
  );
  await written;
  gadget.unbind();
  await timesOut(
    () => TestHost.open(gadget, { timeout }),
    "it is not bound to a device controller",
  );
});

Deno.test("an aborted transfer is discarded, and its error has the reason and the data", async () => {
  await using test = await start();
  const { host, link } = test;
  const abort = new AbortController();
  const reading = host.read(link, 4 * PACKET, { signal: abort.signal });
  await link.write(pattern(2 * PACKET));
  abort.abort("enough");
  const error = await assertRejects(() => reading);
  assertEquals((error as Error).cause, "enough");
  assertEquals((error as { transferred?: number }).transferred, 2 * PACKET);
});

Deno.test("controlIn() and controlOut() reach the interface that an endpoint stands for", async () => {
  await using test = await start();
  const { host, link, received } = test;
  const vendor = {
    type: "vendor",
    recipient: "interface",
    request: 1,
  } as const;
  const first = await host.controlIn({ ...vendor, index: link.in, length: 20 });
  assertEquals(first, pattern(20, 0));
  const second = await host.controlIn({ ...vendor, index: 1, length: 20 });
  assertEquals(second, pattern(20, 1));
  assertEquals(await host.controlOut(vendor, Uint8Array.of(1, 2, 3)), 3);
  // The kernel acknowledges the request when it gives the data.
  await until(() => received.length > 0, "the handler has the data");
  assertEquals(received, [1, 2, 3]);
  await assertRejects(
    () => host.controlOut({ ...vendor, request: 2 }),
    Deno.errors.BrokenPipe,
    "the request was stalled",
  );
  // The kernel wants the interface claimed for a request of a class.
  await assertRejects(
    () => host.controlOut({ ...vendor, type: "class", request: 2, index: 1 }),
    Deno.errors.BrokenPipe,
  );
});

Deno.test("a halt is seen by the host, and cleared by clearHalt()", async () => {
  await using test = await start();
  const { host, link } = test;
  const isHalted = async () => {
    const [status] = await host.controlIn({
      recipient: "endpoint",
      request: StandardRequest.GET_STATUS,
      index: link.in,
      length: 2,
    });
    return status === 1;
  };
  assertEquals(await isHalted(), false);
  await link.in.halt();
  assertEquals(await isHalted(), true);
  await assertRejects(() => host.read(link, PACKET), Deno.errors.BrokenPipe);
  await host.clearHalt(link.in);
  assertEquals(await isHalted(), false);
  const written = link.write(pattern(9));
  assertEquals(await host.read(link, PACKET), pattern(9));
  await written;
});

Deno.test("descriptors and strings are those of the gadget at its speed", async () => {
  await using test = await start();
  const { host } = test;
  const speed = { 64: "full", 512: "high", 1024: "super" } as const;
  assertEquals(host.speed, speed[PACKET]);
  const { device, configurations, configuration } = host.descriptors;
  assertEquals(
    [device.vendorId, device.productId, device.deviceVersion],
    [ids.vendorId, ids.productId, 0x0100],
  );
  assertEquals(configurations.map(({ value }) => value), [1, 2]);
  assertEquals(configuration?.value, 1);
  const [tool] = configuration!.descriptors;
  assert(tool.kind === "interface");
  assertEquals(tool.endpoints.map((it) => it.maxPacketSize), [PACKET, PACKET]);

  const english = await host.strings("en-US");
  assertEquals(english.product, "Testing");
  assertEquals(english.serialNumber, `testing ${serial}`);
  assertEquals(english.byIndex.get(tool.string), "Tool");
  assert(english.languages.includes("de-DE"), english.languages.join());
  const german = await host.strings("de-DE");
  assertEquals([german.manufacturer, german.product], [
    "Hersteller",
    "Prüfling",
  ]);
});

Deno.test("reset() ends the session, and the device works afterwards", async () => {
  await using test = await start();
  const { host, gadget } = test;
  const sessions = gadget.functions.tool.sessions();
  const { value: first } = await sessions.next();
  const old = first!.endpoints.link;
  const ends = [
    assertRejects(() => old.read(64), SessionEndedError),
    assertRejects(() => host.read(old, PACKET), Error, "reset"),
  ];
  await host.reset();
  await Promise.all(ends);
  const { value: second } = await sessions.next();
  const { link } = second!.endpoints;
  const again = link.read(64);
  await host.write(link, pattern(20));
  assertEquals(await again, pattern(20));
  await sessions.return!();
});

Deno.test("setConfiguration() selects the functions, and none with 0", async () => {
  await using test = await start();
  const { host, gadget, link, extra } = test;
  const { tool, extra: other } = gadget.functions;
  await host.setConfiguration(2);
  assertEquals(host.descriptors.configuration?.value, 2);
  assertEquals(tool.state, "enabled");
  await until(() => other.state === "bound", "the other function is disabled");
  const reading = link.read(64);
  await host.write(link, pattern(20));
  assertEquals(await reading, pattern(20));
  await assertRejects(
    () => host.read(extra.events, 64, { timeout: 100 }),
    Deno.errors.TimedOut,
    'the endpoint is not enabled: function "tool" is "enabled", function "extra" is "bound"',
  );
  await host.setConfiguration(0);
  await until(() => tool.state === "bound", "the function is disabled");
  assertEquals(host.descriptors.configuration, undefined);
  await host.setConfiguration(1);
  const written = extra.events.write(pattern(5));
  assertEquals(await host.read(extra.events, 64), pattern(5));
  await written;
});

Deno.test("setInterface() selects a setting", async () => {
  await using test = await start();
  const { host, gadget, extra } = test;
  await assertRejects(
    () => host.read(extra.fast, PACKET),
    Error,
    "setting 1 of interface 2, to which the endpoint belongs: call setInterface()",
  );
  const { major, minor } = await kernel();
  if (major < 6 || major === 6 && minor < 8) {
    await assertRejects(() => host.setInterface(2, 1), Error, "stalls");
  } else {
    await host.setInterface(2, 1);
    await gadget.functions.extra.enabled();
    const written = extra.fast.write(pattern(100));
    assertEquals(await host.read(extra.fast, 1024), pattern(100));
    await written;
  }
  await host.setInterface(2, 0);
});

async function kernel() {
  const [major, minor] = (await shell("uname -r")).split(".").map(Number);
  return { major, minor };
}

Deno.test("suspend() and resume() are noticed by the functions", async () => {
  await using test = await start();
  const { host, gadget, link } = test;
  if (host.speed === "super") {
    await assertRejects(
      () => host.suspend(),
      Deno.errors.NotSupported,
      "dummy_hcd has no suspend at super speed",
    );
    return;
  }
  for (let round = 0; round < 2; round++) {
    await host.suspend();
    assertEquals(gadget.functions.tool.suspended, true);
    await host.resume();
    assertEquals(gadget.functions.tool.suspended, false);
    const reading = link.read(64);
    await host.write(link, pattern(20));
    assertEquals(await reading, pattern(20));
  }
});

Deno.test("unplug() and plug() make the next session", async () => {
  await using test = await start();
  const { host, gadget, link } = test;
  const { tool } = gadget.functions;
  const written = link.write(pattern(30));
  await host.unplug();
  assertEquals(tool.state, "unbound");
  await assertRejects(
    () => host.read(link, PACKET),
    Error,
    "the device is unplugged: call plug()",
  );
  await host.plug();
  assertEquals(tool.state, "enabled");
  assertEquals(await host.read(link, PACKET), pattern(30));
  await written;
  // The test may bind it anew itself, again and again.
  for (let round = 0; round < 5; round++) {
    await gadget.rebind();
    await host.plug();
    const answer = link.write(pattern(9));
    assertEquals(await host.read(link, PACKET), pattern(9));
    await answer;
  }
  const reading = link.read(64);
  await host.write(link, pattern(20));
  assertEquals(await reading, pattern(20));
});

/** The ends of transfers with the pair. */
function ends({ events }: BusRecord) {
  return events.filter((each) =>
    each.type === "complete" && each.endpoint === "tool.link"
  ).map(({ direction, status, length }) => [direction, status, length]);
}

Deno.test("record() shows what was transferred, and as a file for Wireshark", async () => {
  await shell("modprobe usbmon");
  await using test = await start();
  const { host, link } = test;
  await using record = await host.record();
  const reading = link.read(4 * PACKET);
  await host.write(link, pattern(PACKET), { zlp: "auto" });
  await reading;
  const written = link.write(pattern(30));
  await host.read(link, PACKET);
  await written;
  await link.in.halt();
  await assertRejects(() => host.read(link, PACKET), Deno.errors.BrokenPipe);
  assertEquals(ends(record), [
    ["out", 0, PACKET],
    ["in", 0, 30],
    ["in", -32, 0],
  ]);
  await host.controlIn({
    type: "vendor",
    recipient: "interface",
    request: 1,
    length: 20,
  });
  const { events } = record;
  assertEquals(events.at(-2)!.setup?.request, 1);
  assertEquals(events.at(-1)!.data, pattern(20, 0));
  assertEquals(events.at(-1)!.id, events.at(-2)!.id);
  const submitted = events.find(({ type, endpoint, direction }) =>
    type === "submit" && endpoint === "tool.link" && direction === "out"
  );
  assertEquals(submitted!.data, pattern(PACKET));
  assertEquals(record.dropped, 0);

  await record.stop();
  const file = record.toPcapng();
  assertEquals(record.events.length, events.length);
  const packets = file.filter((_, at) =>
    at % 4 === 0 && new DataView(file.buffer).getUint32(at, true) === 6
  );
  assert(packets.length >= events.length);
});

Deno.test("a host needs --allow-ffi, and no other permission", async () => {
  await shell("modprobe usbmon");
  await using program = startDeno(
    "--allow-ffi",
    new URL("../support/programs/host.ts", import.meta.url).href,
  );
  await program.process.status;
  const { text } = await program.end("SIGTERM");
  assertEquals(text, "hello Host program 0\n");
});
