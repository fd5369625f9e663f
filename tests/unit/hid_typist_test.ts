import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { planText } from "../../src/classes/hid/keyboard/typing.ts";
import { readLayout } from "../../src/classes/hid/keyboard/typing_table.ts";
import {
  type ReportSink,
  Typist,
} from "../../src/classes/hid/keyboard/typist.ts";

/** A host that polls each report when the test says so, or at once. */
class Host implements ReportSink {
  protocol: "boot" | "report" = "boot";
  /** The reports that it has polled. */
  readonly seen: string[] = [];
  readonly #waiting: { take(): void; refuse(error: unknown): void }[] = [];
  /** Called for each report that waits. */
  onReport: () => void = () => this.poll();

  send(
    report: Uint8Array,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    signal?.throwIfAborted();
    const take = () => {
      signal?.removeEventListener("abort", abort);
      this.seen.push(hexOf(report));
      resolve();
    };
    const waiting = { take, refuse: reject };
    const abort = () => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    this.#waiting.push(waiting);
    this.onReport();
    return promise;
  }

  /** Polls one report. */
  poll(): void {
    this.#waiting.shift()?.take();
  }

  /** Polls all reports. */
  pollAll(): void {
    while (this.#waiting.length > 0) this.poll();
  }

  /** Goes away. */
  leave(error: unknown): void {
    for (const { refuse } of this.#waiting.splice(0)) refuse(error);
  }
}

/** A report in hexadecimal, without the zeros at its end. */
function hexOf(report: Uint8Array): string {
  return Array.from(report, (byte) => byte.toString(16).padStart(2, "0"))
    .join("").replace(/(00)+$/, "");
}

function connected() {
  const host = new Host();
  return { host, typist: new Typist(host) };
}

/** Strokes of a text in the US layout. */
const us = (text: string) => planText(text, readLayout("en-US"));

Deno.test("each stroke is a report with the key and one without", async () => {
  const { host, typist } = connected();
  await typist.strokes(us("aaB"), { holdMs: 0 });
  assertEquals(host.seen, ["000004", "", "000004", "", "020005", ""]);
});

Deno.test("reports have the form of the protocol", async () => {
  const { host, typist } = connected();
  host.protocol = "report";
  await typist.press(["KeyA"]);
  assertEquals(host.seen, ["000004" + "0000000000" + "0001"]);
});

Deno.test("keys go down and up in the order of the calls", async () => {
  const { host, typist } = connected();
  const calls = [
    typist.press(["ShiftLeft"]),
    typist.strokes(us("a"), { holdMs: 0 }),
    typist.press(["KeyB", "KeyC"]),
    typist.release(["KeyB", "KeyX"]),
  ];
  await Promise.all(calls);
  assertEquals(typist.held, ["ShiftLeft", "KeyC"]);
  await typist.releaseAll();
  assertEquals(typist.held, []);
  assertEquals(host.seen, ["02", "020004", "02", "02000506", "020006", ""]);
});

Deno.test("a chord presses in order and releases in reverse", async () => {
  const { host, typist } = connected();
  await typist.chord(["ControlLeft", "AltLeft", "Delete"]);
  assertEquals(host.seen, ["01", "05", "05004c", "05", "01", ""]);
});

Deno.test("a chord leaves keys down that were down before", async () => {
  const { host, typist } = connected();
  await typist.press(["ControlLeft"]);
  await typist.chord(["ControlLeft", "KeyC"]);
  assertEquals(host.seen, ["01", "010006", "01"]);
  assertEquals(typist.held, ["ControlLeft"]);
});

Deno.test("aborted typing releases all keys, and the next call goes on", async () => {
  const { host, typist } = connected();
  const { signal, abort } = abortable();
  host.onReport = () => host.seen.length === 2 ? abort() : host.poll();
  const typing = typist.strokes(us("abc"), { holdMs: 0, signal });
  const after = typist.strokes(us("d"), { holdMs: 0 });
  const error = await assertRejects(() => typing);
  assertStrictEquals(error, signal.reason);
  // The release waits for the host.
  host.onReport = () => host.poll();
  host.pollAll();
  await after;
  assertEquals(host.seen, ["000004", "", "", "000007", ""]);
  assertEquals(typist.held, []);
});

Deno.test("typing that is aborted before its turn types nothing", async () => {
  const { host, typist } = connected();
  host.onReport = () => {};
  const first = typist.press(["KeyA"]);
  const { signal, abort } = abortable();
  const second = typist.strokes(us("b"), { holdMs: 0, signal });
  const third = typist.press(["KeyC"]);
  abort();
  assertStrictEquals(await assertRejects(() => second), signal.reason);
  assertEquals(host.seen, []);
  host.onReport = () => host.poll();
  host.poll();
  await Promise.all([first, third]);
  assertEquals(host.seen, ["000004", "00000406"]);
  const late = typist.strokes(us("b"), { holdMs: 0, signal });
  assertStrictEquals(await assertRejects(() => late), signal.reason);
});

Deno.test("typing that is aborted while it holds a key releases it", async () => {
  const { host, typist } = connected();
  const { signal, abort } = abortable();
  host.onReport = () => {
    host.poll();
    queueMicrotask(abort);
  };
  const typing = typist.strokes(us("abc"), { holdMs: 2 ** 31 - 1, signal });
  assertStrictEquals(await assertRejects(() => typing), signal.reason);
  assertEquals(host.seen, ["000004", ""]);
});

Deno.test("a held key stays down for its time", async () => {
  const { typist } = connected();
  const start = performance.now();
  await typist.strokes(us("ab"), { holdMs: 10 });
  assert(performance.now() - start >= 19);
});

Deno.test("when the host goes, all pending calls fail with its error, and keys are up for the next", async () => {
  const { host, typist } = connected();
  const gone = new Error("The host has gone");
  const calls = [
    typist.press(["ControlLeft"]),
    typist.strokes(us("ab"), { holdMs: 0 }),
    typist.press(["KeyC"]),
  ];
  const settled = Promise.allSettled(calls);
  host.onReport = () => {
    if (host.seen.length < 2) return host.poll();
    host.leave(gone);
    typist.end(gone);
  };
  const [pressed, ...failed] = await settled;
  assertEquals(pressed.status, "fulfilled");
  for (const result of failed) {
    assert(result.status === "rejected");
    assertStrictEquals(result.reason, gone);
  }
  assertEquals(typist.held, []);
  host.onReport = () => host.poll();
  await typist.press(["KeyX"]);
  assertEquals(host.seen, ["01", "010004", "00001b"]);
});

Deno.test("what is asked for after the host has gone is done for the next, however the end was noticed", async () => {
  const { host, typist } = connected();
  const gone = new Error("The host has gone");
  host.onReport = () => host.leave(gone);
  const typing = typist.strokes(us("a"), { holdMs: 0 });
  await assertRejects(() => typing, Error, "The host has gone");
  host.onReport = () => host.poll();
  const next = typist.strokes(us("b"), { holdMs: 0 });
  typist.end(gone);
  await next;
  assertEquals(host.seen, ["000005", ""]);
});

Deno.test("when the host goes while a key is held, nothing goes to the next host", async () => {
  const { host, typist } = connected();
  const gone = new Error("The host has gone");
  host.onReport = () => {
    host.poll();
    queueMicrotask(() => typist.end(gone));
  };
  const typing = typist.strokes(us("ab"), { holdMs: 1 });
  assertStrictEquals(await assertRejects(() => typing), gone);
  assertEquals(host.seen, ["000004"]);
  assertEquals(typist.held, []);
});

Deno.test("keys that were held when an idle host went are up", async () => {
  const { host, typist } = connected();
  await typist.press(["KeyA"]);
  typist.end(new Error("The host has gone"));
  assertEquals(typist.held, []);
  await typist.strokes(us("b"), { holdMs: 0 });
  assertEquals(host.seen, ["000004", "000005", ""]);
});

function abortable() {
  const controller = new AbortController();
  const abort = () => controller.abort(new Error("Enough"));
  return { signal: controller.signal, abort };
}
