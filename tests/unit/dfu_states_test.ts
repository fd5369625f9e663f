/**
 * Every request in every state (DFU 1.1, A.2).
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { assertEquals } from "@std/assert";
import { Dfu, DfuRuntime } from "@usb/gadget/dfu";
import type { FakeOutcome } from "@usb/gadget/testing";
import { DfuRequest, DfuState, nameOf } from "../../src/classes/dfu/codes.ts";
import { FakeDfuHost, TestArea } from "../support/dfu/fake_dfu_host.ts";

/** A request, as a host sends it. */
const REQUESTS = {
  DETACH: (host: FakeDfuHost) => host.detach(1000),
  DNLOAD: (host: FakeDfuHost) => host.download(1, 2),
  "DNLOAD of nothing": (host: FakeDfuHost) => host.download(),
  UPLOAD: (host: FakeDfuHost) => host.upload(2),
  "UPLOAD to the end": (host: FakeDfuHost) => host.upload(64),
  GETSTATUS: (host: FakeDfuHost) =>
    host.send(DfuRequest.GETSTATUS, { length: 6 }),
  CLRSTATUS: (host: FakeDfuHost) => host.clearStatus(),
  GETSTATE: (host: FakeDfuHost) =>
    host.send(DfuRequest.GETSTATE, { length: 1 }),
  ABORT: (host: FakeDfuHost) => host.abort(),
};

type Bench = {
  readonly dfu: Dfu;
  readonly host: FakeDfuHost;
  readonly area: TestArea;
  /** Has what the area does take its time. */
  readonly hold: () => () => void;
};

/** How a state is reached, and the state after each request that is allowed in it. */
interface StateRow {
  readonly reach: (bench: Bench) => Promise<unknown>;
  readonly tolerant?: boolean;
  /** No time passes in which the host should wait. */
  readonly instant?: boolean;
  readonly next: { readonly [R in keyof typeof REQUESTS]?: string };
  /** After all others, which are stalled. By default, ERROR. */
  readonly otherwise?: string;
  /** Whether a reset of the bus cuts off a transfer. @default {true} */
  readonly cutOff?: boolean;
}

const toDownloadIdle = async ({ host }: Bench) => {
  await host.download(1);
  await host.status();
};

const STATES: Readonly<Record<string, StateRow>> = {
  IDLE: {
    cutOff: false,
    reach: () => Promise.resolve(),
    next: {
      DNLOAD: "DNLOAD_SYNC",
      UPLOAD: "UPLOAD_IDLE",
      "UPLOAD to the end": "IDLE",
      GETSTATUS: "IDLE",
      GETSTATE: "IDLE",
      ABORT: "IDLE",
    },
  },
  "DNLOAD_SYNC, of a block that is written": {
    reach: ({ host }) => host.download(1),
    next: {
      GETSTATUS: "DNLOAD_IDLE",
      GETSTATE: "DNLOAD_SYNC",
      ABORT: "IDLE",
    },
  },
  "DNLOAD_SYNC, of a block that is being written": {
    reach: ({ host, hold }) => {
      hold();
      return host.download(1);
    },
    next: { GETSTATUS: "DNBUSY", GETSTATE: "DNLOAD_SYNC", ABORT: "IDLE" },
  },
  DNBUSY: {
    reach: async ({ host, hold }) => {
      hold();
      await host.download(1);
      assertEquals((await host.status()).state, "DNBUSY");
    },
    next: {},
  },
  "DNBUSY, after the poll timeout": {
    instant: true,
    reach: async ({ host, hold }) => {
      const release = hold();
      await host.download(1);
      assertEquals((await host.status()).state, "DNBUSY");
      release();
    },
    next: {
      GETSTATUS: "DNLOAD_IDLE",
      GETSTATE: "DNLOAD_SYNC",
      ABORT: "IDLE",
    },
  },
  DNLOAD_IDLE: {
    reach: toDownloadIdle,
    next: {
      DNLOAD: "DNLOAD_SYNC",
      "DNLOAD of nothing": "MANIFEST_SYNC",
      GETSTATUS: "DNLOAD_IDLE",
      GETSTATE: "DNLOAD_IDLE",
      ABORT: "IDLE",
    },
  },
  MANIFEST_SYNC: {
    reach: async (bench) => {
      await toDownloadIdle(bench);
      await bench.host.download();
    },
    next: { GETSTATUS: "IDLE", GETSTATE: "MANIFEST_SYNC", ABORT: "IDLE" },
  },
  "MANIFEST_SYNC, of a slow manifestation": {
    reach: async (bench) => {
      await toDownloadIdle(bench);
      bench.hold();
      await bench.host.download();
    },
    next: { GETSTATUS: "MANIFEST", GETSTATE: "MANIFEST_SYNC", ABORT: "IDLE" },
  },
  "MANIFEST_SYNC, of a device that is not tolerant": {
    tolerant: false,
    reach: async (bench) => {
      await toDownloadIdle(bench);
      await bench.host.download();
    },
    next: { GETSTATUS: "MANIFEST", GETSTATE: "MANIFEST_SYNC", ABORT: "IDLE" },
  },
  MANIFEST: {
    reach: async (bench) => {
      await toDownloadIdle(bench);
      await bench.host.download();
      bench.hold();
      assertEquals((await bench.host.status()).state, "MANIFEST");
    },
    next: {},
  },
  "MANIFEST, after the poll timeout": {
    cutOff: false,
    instant: true,
    reach: async (bench) => {
      await toDownloadIdle(bench);
      await bench.host.download();
      const release = bench.hold();
      assertEquals((await bench.host.status()).state, "MANIFEST");
      release();
    },
    next: { GETSTATUS: "IDLE", GETSTATE: "MANIFEST_SYNC", ABORT: "IDLE" },
  },
  MANIFEST_WAIT_RESET: {
    cutOff: false,
    instant: true,
    tolerant: false,
    reach: async (bench) => {
      await toDownloadIdle(bench);
      await bench.host.download();
      assertEquals((await bench.host.status()).state, "MANIFEST");
    },
    next: {
      GETSTATUS: "MANIFEST_WAIT_RESET",
      GETSTATE: "MANIFEST_WAIT_RESET",
    },
    otherwise: "MANIFEST_WAIT_RESET",
  },
  UPLOAD_IDLE: {
    reach: ({ host }) => host.upload(2),
    next: {
      UPLOAD: "UPLOAD_IDLE",
      "UPLOAD to the end": "IDLE",
      GETSTATUS: "UPLOAD_IDLE",
      GETSTATE: "UPLOAD_IDLE",
      ABORT: "IDLE",
    },
  },
  ERROR: {
    cutOff: false,
    reach: ({ host }) => host.detach(0),
    next: { GETSTATUS: "ERROR", GETSTATE: "ERROR", CLRSTATUS: "IDLE" },
  },
};

/** States in which all requests are stalled. */
const BUSY = ["DNBUSY", "MANIFEST"];

/** The state in an answer. */
function stateIn(outcome: FakeOutcome, at: number): string {
  const isData = typeof outcome === "object" && "sent" in outcome;
  return nameOf(DfuState, isData ? outcome.sent[at] : -1);
}

function makeBench(
  { tolerant = true, instant = false }: StateRow,
  session?: { readonly signal: AbortSignal },
): Bench {
  const area = new TestArea();
  const dfu = new Dfu({
    areas: [area],
    manifestationTolerant: tolerant,
    pollTimeoutMs: instant ? 0 : 60_000,
  });
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    area.gate = promise;
    return resolve;
  };
  return { dfu, host: new FakeDfuHost(dfu, session), area, hold };
}

for (const [state, row] of Object.entries(STATES)) {
  for (const [name, send] of Object.entries(REQUESTS)) {
    const next = row.next[name as keyof typeof REQUESTS];
    const { otherwise = "ERROR" } = row;
    const what = next === undefined
      ? `is stalled in ${state}: ${otherwise} follows`
      : `is answered in ${state}: ${next} follows`;
    Deno.test(`${name} ${what}`, async () => {
      const bench = makeBench(row);
      await row.reach(bench);
      const outcome = await send(bench.host);
      assertEquals(outcome === "stall", next === undefined);
      // The answer has the state that follows.
      if (name === "GETSTATUS" && next !== undefined) {
        assertEquals(stateIn(outcome, 4), next);
      }
      if (name === "GETSTATE" && next !== undefined) {
        assertEquals(stateIn(outcome, 0), next);
      }
      if (BUSY.includes(next ?? "")) {
        assertEquals(
          await bench.host.send(DfuRequest.GETSTATE, { length: 1 }),
          "stall",
        );
        return;
      }
      assertEquals(await bench.host.state(), next ?? otherwise);
      const isError = (next ?? otherwise) === "ERROR";
      const { status } = await bench.host.status();
      assertEquals(status, isError ? "errSTALLEDPKT" : "OK");
    });
  }
}

for (const [state, row] of Object.entries(STATES)) {
  const { cutOff = true } = row;
  const what = cutOff ? "cuts off the transfer" : "leads to IDLE";
  Deno.test(`a reset of the bus ${what} in ${state}`, async () => {
    const session = new AbortController();
    const bench = makeBench(row, session);
    await row.reach(bench);
    await delay(1); // what was released is done
    session.abort();
    const next = new FakeDfuHost(bench.dfu);
    const { state, status } = await next.status();
    assertEquals(
      [state, status],
      cutOff ? ["ERROR", "errUSBR"] : ["IDLE", "OK"],
    );
  });
}

const RUNTIME_STATES: Readonly<Record<string, StateRow>> = {
  APP_IDLE: {
    reach: () => Promise.resolve(),
    next: { DETACH: "APP_DETACH", GETSTATUS: "APP_IDLE", GETSTATE: "APP_IDLE" },
    otherwise: "APP_IDLE",
  },
  APP_DETACH: {
    reach: ({ host }) => host.detach(1000),
    next: { GETSTATUS: "APP_DETACH", GETSTATE: "APP_DETACH" },
    otherwise: "APP_IDLE",
  },
};

for (const [state, row] of Object.entries(RUNTIME_STATES)) {
  for (const [name, send] of Object.entries(REQUESTS)) {
    const next = row.next[name as keyof typeof REQUESTS];
    const what = next === undefined ? "is stalled" : "is answered";
    const after = next ?? row.otherwise;
    Deno.test(`${name} ${what} in ${state}: ${after} follows`, async () => {
      const runtime = new DfuRuntime({ detachTimeoutMs: 60_000 });
      const host = new FakeDfuHost(runtime);
      await row.reach({ ...makeBench(row), host });
      assertEquals(await send(host) === "stall", next === undefined);
      const { state, status } = await host.status();
      assertEquals([state, status], [after, "OK"]);
    });
  }
}
