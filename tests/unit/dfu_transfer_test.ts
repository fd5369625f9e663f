/**
 * Downloads and uploads in DFU mode: data, errors, hosts that give up.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import {
  Dfu,
  type DfuArea,
  DfuError,
  type DfuModeOptions,
} from "@usb/gadget/dfu";
import { fakeSession } from "@usb/gadget/testing";
import { DfuRequest } from "../../src/classes/dfu/codes.ts";
import { FakeDfuHost, TestArea } from "../support/dfu/fake_dfu_host.ts";

function start(options: Partial<DfuModeOptions> = {}) {
  const area = new TestArea();
  const dfu = new Dfu({ areas: [area], ...options });
  const session = fakeSession(dfu);
  const served = session.serve();
  const host = new FakeDfuHost(dfu, session);
  const end = async () => {
    session.end();
    await served;
  };
  return { area, dfu, host, session, end };
}

/** Resolves when the area has been called so many times. */
async function called(area: TestArea, times: number) {
  while (area.calls.length < times) await delay(1);
}

const OK = { status: "OK", pollTimeoutMs: 0 };

Deno.test("a download writes block after block, and is manifested at its end", async () => {
  const { area, host, end } = start();
  assertEquals(await host.download(1, 2, 3), { taken: 3 });
  assertEquals(await host.status(), { ...OK, state: "DNLOAD_IDLE" });
  await host.download(4);
  await host.status();
  await host.download();
  // The manifestation begins when the host asks (DFU 1.1, 7).
  assertEquals(area.calls.length, 2);
  assertEquals(await host.status(), { ...OK, state: "IDLE" });
  assertEquals(area.calls, [
    ["write", 0, [1, 2, 3]],
    ["write", 3, [4]],
    ["manifest", 4],
  ]);
  // Another one begins at 0.
  await host.download(5);
  assertEquals(area.calls.at(-1), ["write", 0, [5]]);
  assertEquals(area.signals[0].aborted, false);
  await end();
});

Deno.test("an upload reads to the end of the area, and begins again", async () => {
  const { host, end } = start();
  for (let round = 0; round < 2; round++) {
    assertEquals(await host.upload(3), { sent: [1, 2, 3] });
    assertEquals(await host.upload(3), { sent: [4, 5, 6] });
    assertEquals(await host.upload(3), { sent: [] });
    assertEquals(await host.state(), "IDLE");
  }
  await end();
});

Deno.test("a slow write has the host wait, and a host that does not is refused", async () => {
  const { area, host, end } = start({ pollTimeoutMs: 0x1_0203 });
  area.gate = new Promise(() => {});
  await host.download(1);
  assertEquals(await host.status(), {
    status: "OK",
    pollTimeoutMs: 0x1_0203,
    state: "DNBUSY",
  });
  assertEquals(
    await host.send(DfuRequest.GETSTATUS, { length: 6 }),
    "stall",
  );
  assertEquals((await host.status()).status, "errSTALLEDPKT");
  assertEquals(area.signals[0].aborted, true);
  await end();
});

Deno.test("a host that has waited can ask again, until the write is done", async () => {
  const { area, host, end } = start({ pollTimeoutMs: 20 });
  const { promise, resolve } = Promise.withResolvers<void>();
  area.gate = promise;
  await host.download(1);
  for (let round = 0; round < 3; round++) {
    assertEquals((await host.status()).state, "DNBUSY");
    await delay(20);
  }
  resolve();
  assertEquals((await host.status()).state, "DNLOAD_IDLE");
  await end();
});

const FAILURES: [unknown, string, string, string, boolean][] = [
  [new DfuError("errTARGET"), "errTARGET", "errTARGET", "errTARGET", false],
  [new Error("no"), "errWRITE", "errPROG", "errUNKNOWN", true],
  [
    Object.assign(new Error("full"), { code: "ENOSPC" }),
    "errADDRESS",
    "errADDRESS",
    "errADDRESS",
    true,
  ],
];

for (const [error, write, manifest, read, isReported] of FAILURES) {
  Deno.test(`what an area throws becomes a status: ${error}`, async () => {
    const { area, host, session, end } = start();
    const fail = () => {
      area.gate = Promise.reject(error);
      area.gate.catch(() => {});
    };
    fail();
    await host.download(1);
    // It is reported when the host asks.
    assertEquals(await host.state(), "DNLOAD_SYNC");
    assertEquals(await host.status(), { ...OK, status: write, state: "ERROR" });
    await host.clearStatus();
    area.gate = undefined;
    await host.download(1);
    await host.status();
    await host.download();
    fail();
    assertEquals((await host.status()).status, manifest);
    await host.clearStatus();
    assertEquals(await host.upload(1), "stall");
    assertEquals(await host.status(), { ...OK, status: read, state: "ERROR" });
    assertEquals(session.reported, isReported ? [error, error, error] : []);
    await end();
  });
}

Deno.test("what is not bytes, or too much of them, is not uploaded", async () => {
  const bad = [new Uint8Array(3), "text", undefined];
  const { host, session, end } = start({
    areas: [{ name: "bad", read: () => bad.shift() as Uint8Array }],
  });
  for (let round = 0; round < 3; round++) {
    assertEquals(await host.upload(2), "stall");
    assertEquals((await host.status()).status, "errUNKNOWN");
    await host.clearStatus();
  }
  assertEquals(session.reported.map(String), [
    'RangeError: Cannot upload from area: "read" must return at most 2 bytes, has returned 3',
    'TypeError: Cannot upload from area: what "read" returns must be a Uint8Array, is "text": give new TextEncoder().encode(it)',
    'TypeError: Cannot upload from area: what "read" returns must be a Uint8Array, is undefined',
  ]);
  await end();
});

Deno.test("a block that is too long, and a direction that the area does not have, are refused", async () => {
  const { host, end } = start({
    areas: [{ name: "write only", write() {} }, {
      name: "read only",
      read: () => new Uint8Array(0),
    }],
    transferSize: 2,
  });
  assertEquals(await host.download(1, 2), { taken: 2 });
  await host.status();
  assertEquals(await host.download(1, 2, 3), "stall");
  await host.clearStatus();
  assertEquals(await host.upload(2), "stall");
  assertEquals((await host.status()).status, "errSTALLEDPKT");
  await end();
});

Deno.test("an upload of nothing is refused", async () => {
  const { area, host, end } = start();
  assertEquals(await host.upload(0), "stall");
  assertEquals(area.calls, []);
  await end();
});

Deno.test("areas are interfaces, each with a state of its own", async () => {
  const { dfu, host, session, end } = start({
    areas: [{ name: "write only", write() {} }, {
      name: "read only",
      read: () => new Uint8Array(0),
    }],
    transferSize: 64,
    willDetach: true,
  });
  assertEquals(
    dfu.interfaces.map(({ description, descriptors }) => {
      const [it] = descriptors!;
      return it.kind === "dfu" && [description, it.canDownload, it.canUpload];
    }),
    [["write only", true, false], ["read only", false, true]],
  );
  const second = new FakeDfuHost(dfu, session, 1);
  await host.download(1);
  assertEquals(await second.state(), "IDLE");
  assertEquals(await second.upload(1), { sent: [] });
  assertEquals(await second.download(1), "stall");
  assertEquals(await host.state(), "DNLOAD_SYNC");
  await end();
});

Deno.test("a host that aborts a write has the next one wait for it", async () => {
  const { area, host, session, end } = start();
  const { promise, reject } = Promise.withResolvers<void>();
  area.gate = promise;
  await host.download(1);
  await called(area, 1);
  await host.abort();
  const [signal] = area.signals;
  assertEquals(signal.aborted, true);
  area.gate = undefined;
  await host.download(2);
  assertEquals((await host.status()).state, "DNBUSY");
  assertEquals(area.calls.length, 1);
  reject(signal.reason);
  await called(area, 2);
  assertEquals(area.calls[1], ["write", 0, [2]]);
  await delay(10);
  assertEquals((await host.status()).state, "DNLOAD_IDLE");
  assertEquals(session.reported, []);
  await end();
});

Deno.test("a write that the host has given up before it began is not made", async () => {
  const { area, host, end } = start();
  const { promise, resolve } = Promise.withResolvers<void>();
  area.gate = promise;
  await host.download(1);
  await called(area, 1);
  await host.abort();
  await host.download(2);
  await host.abort();
  await host.download(3);
  resolve();
  await called(area, 2);
  assertEquals(area.calls[1], ["write", 0, [3]]);
  await end();
});

Deno.test("a host that gives up a slow upload can ask for the same bytes again", async () => {
  const { area, host, end } = start();
  await host.upload(2);
  const { promise, resolve } = Promise.withResolvers<void>();
  area.gate = promise;
  let cancel = () => {};
  const first = host.send(DfuRequest.UPLOAD, {
    length: 2,
    onSetup: (sent) => cancel = sent.cancel,
  });
  await called(area, 2);
  cancel();
  resolve();
  assertEquals(await first, "nothing");
  assertEquals(await host.state(), "UPLOAD_IDLE");
  assertEquals(await host.upload(2), { sent: [3, 4] });
  await end();
});

Deno.test("the end of the session ends its transfer, and the next host finds why", async () => {
  const { area, dfu, host, end } = start();
  area.gate = new Promise(() => {});
  await host.download(1);
  await called(area, 1);
  await end();
  assertEquals(area.signals[0].aborted, true);
  using next = fakeSession(dfu);
  const second = new FakeDfuHost(dfu, next);
  assertEquals(await second.status(), {
    ...OK,
    status: "errUSBR",
    state: "ERROR",
  });
  // A program that goes on all the same
  assertEquals(await second.download(2), "stall");
  await second.clearStatus();
  assertEquals(await second.state(), "IDLE");
});

Deno.test("an error of a host ends with its session", async () => {
  const { dfu, host, end } = start();
  assertEquals(await host.detach(0), "stall");
  await end();
  using next = fakeSession(dfu);
  assertEquals((await new FakeDfuHost(dfu, next).status()).status, "OK");
});

Deno.test("left() resolves when the device is reset or unplugged", async () => {
  const { dfu, end } = start();
  const left = dfu.left();
  await end();
  await left;
});

Deno.test("left() resolves at a reset that the kernel reports as a new configuration, if the device waits for one", async () => {
  const dfu = new Dfu({
    areas: [new TestArea()],
    manifestationTolerant: false,
  });
  const session = new AbortController();
  const host = new FakeDfuHost(dfu, session);
  await host.download(1);
  await host.status();
  await host.download();
  assertEquals((await host.status()).state, "MANIFEST");
  const left = dfu.left();
  session.abort();
  await left;
  assertEquals(await new FakeDfuHost(dfu).state(), "IDLE");
});

Deno.test("left() resolves by itself after manifestation, if the device will detach", async () => {
  const { dfu, host, end } = start({
    manifestationTolerant: false,
    willDetach: true,
    pollTimeoutMs: 10,
  });
  const left = dfu.left();
  await host.download(1);
  await host.status();
  await host.download();
  assertEquals((await host.status()).state, "MANIFEST");
  await left;
  assertEquals(await host.state(), "MANIFEST_WAIT_RESET");
  await end();
});

Deno.test("a failed manifestation does not make the device leave", async () => {
  const area = new TestArea();
  const dfu = new Dfu({ areas: [area], manifestationTolerant: false });
  let isLeft = false;
  dfu.left().then(() => isLeft = true);
  const session = new AbortController();
  const host = new FakeDfuHost(dfu, session);
  await host.download(1);
  await host.status();
  await host.download();
  const { promise, reject } = Promise.withResolvers<void>();
  area.gate = promise;
  assertEquals((await host.status()).state, "MANIFEST");
  reject(new DfuError("errVERIFY"));
  await delay(1);
  session.abort();
  await delay(1);
  assertEquals(isLeft, false);
});

Deno.test("a failed manifestation is reported, also if the device is not tolerant", async () => {
  const { area, dfu, host, end } = start({
    manifestationTolerant: false,
    willDetach: true,
    pollTimeoutMs: 10,
  });
  let isLeft = false;
  dfu.left().then(() => isLeft = true);
  await host.download(1);
  await host.status();
  await host.download();
  const { promise, reject } = Promise.withResolvers<void>();
  area.gate = promise;
  assertEquals((await host.status()).state, "MANIFEST");
  reject(new DfuError("errVERIFY"));
  await delay(20);
  assertEquals((await host.status()).status, "errVERIFY");
  assertEquals(isLeft, false);
  await end();
});

Deno.test("Dfu serves one gadget at a time", async () => {
  const { dfu, end } = start();
  using second = fakeSession(dfu);
  await second.serve().then(
    () => Promise.reject(new Error("It has served")),
    ({ message }) =>
      assertEquals(
        message,
        'Function "dfu" serves another gadget: make one for each',
      ),
  );
  await end();
});

const area: DfuArea = { name: "flash", write() {} };
const MISTAKES: [() => unknown, ErrorConstructor, string][] = [
  [
    () => new Dfu({ areas: [] }),
    RangeError,
    'Cannot make DFU function: "areas" must have 1 to 16 elements, has 0',
  ],
  [
    () => new Dfu({ areas: Array(17).fill(area) }),
    RangeError,
    'Cannot make DFU function: "areas" must have 1 to 16 elements, has 17',
  ],
  [
    () => new Dfu({ areas: [{ name: "flash" }] }),
    TypeError,
    'Cannot make DFU function: area 0 must have "read" or "write"',
  ],
  [
    () => new Dfu({ areas: [area, { ...area, write: 1 as never }] }),
    TypeError,
    'Cannot make DFU function: "write" of area 1 must be a function, is 1',
  ],
  [
    () => new Dfu({ areas: [area], transferSize: 5000 }),
    RangeError,
    'Cannot make DFU function: "transferSize" must be an integer from 0 to 4096, is 5000',
  ],
  [
    () => new Dfu({ areas: [area], transferSize: 0 }),
    RangeError,
    'Cannot make DFU function: "transferSize" must not be 0',
  ],
  [
    () => new Dfu({ areas: [area], pollTimeoutMs: 2 ** 24 }),
    RangeError,
    'Cannot make DFU function: "pollTimeoutMs" must be an integer from 0 to 16777215, is 16777216',
  ],
  [
    () => new DfuError("OK" as never),
    TypeError,
    'Cannot make DFU error: the status must be "errTARGET" or',
  ],
];

for (const [make, type, message] of MISTAKES) {
  Deno.test(`mistakes have a clear error: ${message}`, () => {
    assertThrows(make, type, message);
  });
}
