// VM: any speed
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bulkPair,
  EndpointPair,
  type FunctionFs,
  InEndpoint,
  OutEndpoint,
  type Session,
  SessionEndedError,
  type SetupRequest,
} from "@usb/gadget";
import { type FaultPlan, faultsOf } from "@usb/gadget/testing";
import { pattern } from "../support/data/pattern.ts";
import { outcome, VENDOR } from "../support/gadgets/control.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { until } from "../support/waiting/until.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();
const IN = { endpoint: "link", direction: "in" } as const;
const OUT = { endpoint: "link", direction: "out" } as const;

function start(
  rules: FaultPlan["rules"],
  options?: Parameters<typeof startEndpoints>[1],
) {
  return startEndpoints({ link: bulkPair() }, options, { seed: 1, rules });
}

/** What was injected, as short texts. */
function log(fs: FunctionFs): string[] {
  return faultsOf(fs.definition).faults
    .map(({ transfer, fault }) => `${transfer} ${fault}`);
}

Deno.test("the host sees stalls, short and lost transfers and delays, and the program none of them", async () => {
  await using test = await start([
    { ...IN, fault: "stall", at: 2 },
    { ...IN, fault: "stall", bytes: 10, at: 4 },
    { ...IN, fault: "shorten", bytes: 20, at: 5 },
    { ...IN, fault: "drop", at: 6 },
    { ...IN, fault: "delay", ms: 100, at: 7 },
  ]);
  const { fs, endpoints: { link }, host } = test;
  assert(link instanceof EndpointPair);
  assert(link.in instanceof InEndpoint && link.out instanceof OutEndpoint);
  const size = PACKET + 1;
  const receive = () => outcome(host.read(link, 2 * PACKET));
  const data = Array.from({ length: 8 }, (_, index) => pattern(size, index));
  const writer = link.writable.getWriter();
  const writes = Promise.all(
    data.map((it, index) => index < 4 ? link.write(it) : writer.write(it)),
  );
  writes.catch(() => {}); // after another failure, they end with the gadget
  assertEquals(await receive(), data[0]);
  assertEquals(await receive(), "EPIPE");
  await host.clearHalt(link.in);
  assertEquals(await receive(), data[2]);
  // The delay begins when the transfers before it are done, for the device: the
  // fifth one is small, and fits into dummy_hcd's FIFO as soon as the halt is set.
  const before = performance.now();
  assertEquals(await receive(), data[3].subarray(0, 10));
  assertEquals(await receive(), "EPIPE");
  await host.clearHalt(link.in);
  assertEquals(await receive(), data[4].subarray(0, 20));
  assertEquals(await receive(), data[6]);
  assert(performance.now() - before > 80, "the transfer was not delayed");
  assertEquals(await receive(), data[7]);
  await writes;
  assertEquals(log(fs), [
    "2 stall",
    "4 stall",
    "5 shorten",
    "6 drop",
    "7 delay",
  ]);
});

Deno.test("reads, iterations and streams get what is left of the host's transfers", async () => {
  const read = (test: Awaited<ReturnType<typeof start>>) => {
    const { link } = test.endpoints;
    return [
      async () => await link.read(PACKET),
      async () => (await link.transfers({ size: PACKET }).next()).value,
      async () => {
        const reader = link.readable.getReader();
        const { value } = await reader.read();
        await reader.cancel();
        return value;
      },
      async () => await link.readExactly(10),
    ];
  };
  await using test = await start([
    { ...OUT, fault: "stall", at: [1, 6] },
    { ...OUT, fault: "drop", at: [2, 5], minSize: 1 },
    { ...OUT, fault: "shorten", bytes: 10, at: [3, 6] },
    { ...OUT, fault: "delay", ms: 100, at: 4 },
  ]);
  const { fs, host, endpoints: { link } } = test;
  const send = (index: number) => outcome(host.write(link, pattern(20, index)));
  const [transfer, iterate, stream, exactly] = read(test);

  const first = transfer();
  await until(() => log(fs).length > 0, "the endpoint is halted");
  assertEquals(await send(1), "EPIPE");
  await host.clearHalt(link.out);
  await send(1);
  assertEquals(await first, pattern(20, 1));

  // The delay begins when the transfer before it has come.
  const before = performance.now();
  const second = iterate();
  await send(2);
  await send(3);
  assertEquals(await second, pattern(20, 3).subarray(0, 10));

  const third = stream();
  await send(4);
  assertEquals(await third, pattern(20, 4));
  assert(performance.now() - before > 80, "the transfer was not delayed");

  const fourth = exactly();
  await send(5);
  // The sixth transfer is stalled before it comes.
  await until(() => log(fs).length > 4, "the endpoint is halted");
  assertEquals(await send(6), "EPIPE");
  await host.clearHalt(link.out);
  await send(6);
  assertEquals(await fourth, pattern(20, 6).subarray(0, 10));
  assertEquals(log(fs), [
    "1 stall",
    "2 drop",
    "3 shorten",
    "4 delay",
    "5 drop",
    "6 stall",
    "6 shorten",
  ]);
});

Deno.test("control requests are stalled and delayed", async () => {
  const control = ({ direction }: SetupRequest) =>
    direction === "in" ? Uint8Array.of(1, 2) : undefined;
  await using test = await start([
    { endpoint: 0, request: 5, fault: "stall", at: 2 },
    { endpoint: 0, direction: "out", fault: "delay", ms: 100, at: 1 },
  ], { control });
  const { host, fs } = test;
  const ask = (request: number) =>
    outcome(host.controlIn({ ...VENDOR, request, length: 2 }));
  assertEquals(await ask(5), Uint8Array.of(1, 2));
  assertEquals(await ask(6), Uint8Array.of(1, 2));
  assertEquals(await ask(5), "EPIPE");
  assertEquals(await ask(5), Uint8Array.of(1, 2));
  const before = performance.now();
  await host.controlOut({ ...VENDOR, request: 5 });
  assert(performance.now() - before > 80, "the request was not delayed");
  assertEquals(log(fs), ["2 stall", "1 delay"]);
});

Deno.test("a disconnect ends the session, and the device comes back", async () => {
  const before = gadgetTraces();
  for (const direction of ["in", "out"] as const) {
    const ends: unknown[] = [];
    const serve = async ({ endpoints: { link } }: Session) => {
      const pair = link as EndpointPair;
      try {
        for (;;) await pair.write(await pair.read(PACKET));
      } catch (error) {
        ends.push(error);
        throw error;
      }
    };
    await using test = await start([
      { endpoint: "link", direction, fault: "disconnect", ms: 200, at: 2 },
    ], { serve });
    const { fs, host, endpoints: { link } } = test;
    const data = pattern(20);
    await host.write(link, data);
    assertEquals(await host.read(link, PACKET), data);
    await host.write(link, data);
    await assertRejects(() => host.read(link, PACKET));
    await until(() => ends.length > 0, "the session ends");
    assert(ends[0] instanceof SessionEndedError, String(ends[0]));
    await fs.enabled();
    await host.plug();
    assertEquals(fs.state, "enabled");
    for (let count = 0; count < 3; count++) {
      await host.write(link, data);
      assertEquals(await host.read(link, PACKET), data);
    }
    assertEquals(log(fs), ["2 disconnect"]);
  }
  assertEquals(gadgetTraces(), before);
});

Deno.test("a gadget that is unplugged can be stopped", async () => {
  const before = gadgetTraces();
  {
    await using test = await start([
      { ...IN, fault: "disconnect", ms: 60_000, at: 1 },
    ]);
    const { fs, gadget, endpoints: { link } } = test;
    link.write(pattern(5)).catch(() => {});
    await until(() => fs.state === "unbound", "the gadget is unplugged");
    assertEquals(gadget.bound, false);
  }
  assertEquals(gadgetTraces(), before);
});
