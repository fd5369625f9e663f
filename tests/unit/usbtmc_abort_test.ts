import { assert, assertEquals, assertRejects } from "@std/assert";
import type { UsbtmcMessage } from "@usb/gadget/usbtmc";
import { pattern } from "../support/data/pattern.ts";
import { serveUsbtmc } from "../support/gadgets/usbtmc_bench.ts";
import { Request } from "../support/host/usbtmc_host.ts";
import { until } from "../support/waiting/until.ts";

const SUCCESS = 0x01;
const FAILED = 0x80;
const NOT_IN_PROGRESS = 0x81;
const NO_SPLIT = 0x82;

/** A device whose handler waits, and what has become of its messages. */
function waitingDevice() {
  const reasons: string[] = [];
  let gate = Promise.withResolvers<void>();
  return {
    reasons,
    running: 0,
    release() {
      gate.resolve();
      gate = Promise.withResolvers();
    },
    async onMessage(message: UsbtmcMessage) {
      this.running++;
      message.signal.addEventListener(
        "abort",
        () => reasons.push(message.signal.reason.message),
      );
      const text = await message.text();
      if (text.startsWith("wait")) await gate.promise;
      return `<${text}>`;
    },
  };
}

function serveWaiting() {
  const waiting = waitingDevice();
  const bench = serveUsbtmc({ onMessage: (it) => waiting.onMessage(it) });
  return { waiting, bench };
}

Deno.test("a message that the host aborts is dropped, and the next one handled", async () => {
  const { waiting, bench } = serveWaiting();
  await using _ = bench;
  const { host } = bench;
  await host.write(pattern(1012), { size: 5000 });
  await until(() => waiting.running === 1, "the message");
  const { tag } = host;
  assertEquals(await host.control(Request.INITIATE_ABORT_BULK_OUT, tag - 1), [
    FAILED + 1,
    tag - 1 & 0xff,
  ]);
  assertEquals(await host.control(Request.INITIATE_ABORT_BULK_OUT, tag), [
    SUCCESS,
    tag,
  ]);
  const check = await host.control(Request.CHECK_ABORT_BULK_OUT);
  assertEquals(check.slice(0, 4), [SUCCESS, 0, 0, 0]);
  assertEquals(waiting.reasons, ["The host has aborted the message"]);
  assertEquals(await host.ask("next"), "<next>");
});

Deno.test("what came before the transfer that is aborted is dropped with it", async () => {
  const { waiting, bench } = serveWaiting();
  await using _ = bench;
  const { host } = bench;
  await host.write("first ", { eom: false });
  await host.write(pattern(512 - 12), { size: 600 });
  await until(() => waiting.running === 1, "the message");
  assertEquals(
    await host.control(Request.INITIATE_ABORT_BULK_OUT, host.tag),
    [SUCCESS, host.tag],
  );
  // 500 bytes were received
  assertEquals(
    await host.control(Request.CHECK_ABORT_BULK_OUT),
    [SUCCESS, 0, 0, 0, 0xf4, 1, 0, 0],
  );
  assertEquals(await host.ask("next"), "<next>");
});

Deno.test("aborts without a transfer fail, and checks without an abort", async () => {
  const { bench } = serveWaiting();
  await using _ = bench;
  const { host } = bench;
  assertEquals(await host.ask("a"), "<a>");
  for (
    const request of [
      Request.INITIATE_ABORT_BULK_IN,
      Request.INITIATE_ABORT_BULK_OUT,
    ]
  ) assertEquals(await host.control(request, host.tag), [FAILED, host.tag]);
  for (
    const request of [Request.CHECK_ABORT_BULK_IN, Request.CHECK_ABORT_BULK_OUT]
  ) {
    assertEquals(await host.control(request), [NO_SPLIT, 0, 0, 0, 0, 0, 0, 0]);
  }
  assertEquals(await host.control(Request.CHECK_CLEAR), [NO_SPLIT, 0]);
});

Deno.test("a read is aborted before, while and after its response comes; the response stays", async () => {
  const { waiting, bench } = serveWaiting();
  await using _ = bench;
  const { host } = bench;
  for (const isReady of [false, true]) {
    await host.write("wait");
    await host.request();
    if (isReady) waiting.release();
    assertEquals(
      await host.control(Request.INITIATE_ABORT_BULK_IN, host.tag),
      [SUCCESS, host.tag],
    );
    // A short packet ends the host's read.
    assertEquals((await host.receive()).length, 0);
    assertEquals(
      await host.control(Request.CHECK_ABORT_BULK_IN),
      [SUCCESS, 0, 0, 0, 0, 0, 0, 0],
    );
    if (!isReady) waiting.release();
    assertEquals((await host.read()).text, "<wait>");
    assertEquals(
      await host.control(Request.INITIATE_ABORT_BULK_IN, host.tag),
      [FAILED, host.tag],
    );
  }
});

Deno.test("a read is aborted by its tag and by the one after it, as Linux does", async () => {
  const { bench } = serveWaiting();
  await using _ = bench;
  const { host } = bench;
  for (const first of [0, 100, 252]) {
    for (const offset of [0, 1]) {
      host.tag = first + offset;
      await host.write("a");
      await host.request();
      const right = (host.tag + offset - 1) % 255 + 1;
      const wrong = (host.tag + 1) % 255 + 1;
      assertEquals(
        await host.control(Request.INITIATE_ABORT_BULK_IN, wrong),
        [NOT_IN_PROGRESS, wrong],
      );
      assertEquals(
        await host.control(Request.INITIATE_ABORT_BULK_IN, right),
        [SUCCESS, right],
      );
      // A host that does not read the short packet must not find it later.
      assertEquals((await host.control(Request.CHECK_ABORT_BULK_IN))[0], 1);
      const receiving = host.receivePart();
      await host.request();
      assertEquals((await receiving).text, "<a>");
    }
  }
});

Deno.test("an aborted transfer of which the host has a part comes again, whole", async () => {
  await using bench = serveUsbtmc({ onMessage: () => pattern(4 << 20) });
  const { host } = bench;
  await host.write("go");
  await host.request(4 << 20);
  const part = await host.receive(2 << 20);
  assertEquals(part.length, 2 << 20);
  await host.control(Request.INITIATE_ABORT_BULK_IN, host.tag);
  assertEquals((await host.receive()).length, 0);
  const [status, , , , ...count] = await host.control(
    Request.CHECK_ABORT_BULK_IN,
  ) as number[];
  const sent = new DataView(Uint8Array.from(count).buffer).getUint32(0, true);
  assertEquals(status, SUCCESS);
  assert(sent > 0 && sent <= 2 << 20, `${sent}`);
  let size = 0;
  for (let isDone = false; !isDone;) {
    const { bytes, eom } = await host.read(1 << 20);
    assertEquals(bytes, pattern(4 << 20).subarray(size, size + (1 << 20)));
    size += bytes.length;
    isDone = eom;
  }
  assertEquals(size, 4 << 20);
});

Deno.test("the device is cleared in every phase", async () => {
  const { waiting, bench } = serveWaiting();
  await using _ = bench;
  const { host } = bench;
  const phases: Record<string, () => Promise<unknown>> = {
    "when nothing happens": () => Promise.resolve(),
    "in a message": () => host.write(pattern(1012), { size: 5000 }),
    "between transfers of a message": () => host.write("a", { eom: false }),
    "while it is handled": () => host.write("wait"),
    "while it is handled, and its response is wanted": async () => {
      await host.write("wait");
      await host.request();
    },
    "while a message waits": async () => {
      await host.write("wait");
      await host.write("more");
    },
    "when a response is ready": () => host.write("a"),
    "when a response is being sent": async () => {
      await host.write("a");
      await host.request();
    },
    "in a response": async () => {
      await host.write("a");
      await host.read(1);
    },
    "when a read without a response waits": () => host.request(),
    "when it was cleared": () => host.clear(),
    "after an abort that the host has not followed": async () => {
      await host.write("a");
      await host.request();
      await host.control(Request.INITIATE_ABORT_BULK_IN, host.tag);
    },
  };
  for (const [phase, begin] of Object.entries(phases)) {
    await begin();
    await host.clear();
    // A response that is dropped must not come later.
    waiting.release();
    assertEquals(await host.ask(phase), `<${phase}>`);
  }
});

Deno.test("what the host sends between a clear and its end fails", async () => {
  const { bench } = serveWaiting();
  await using _ = bench;
  const { host } = bench;
  assertEquals(await host.control(Request.INITIATE_CLEAR), [SUCCESS]);
  await assertRejects(() => host.write("early"), Error, "halted");
  assertEquals(await host.control(Request.CHECK_CLEAR), [SUCCESS, 0]);
  await host.clearHalt();
  assertEquals(await host.ask("a"), "<a>");
});

Deno.test("the next message waits for the handler of one that was cleared", async () => {
  const { waiting, bench } = serveWaiting();
  await using _ = bench;
  const { host } = bench;
  await host.write("wait");
  await until(() => waiting.running === 1, "the message");
  await host.clear();
  assertEquals(waiting.reasons, ["The host has cleared the device"]);
  await host.write("next");
  await host.request();
  assertEquals(waiting.running, 1);
  waiting.release();
  assertEquals((await host.receivePart()).text, "<next>");
});

Deno.test("onClear() is called, and what it throws is reported", async () => {
  let count = 0;
  await using bench = serveUsbtmc({
    onCommand: () => "a",
    onClear() {
      if (++count === 2) throw new Error("stuck");
    },
  });
  await bench.host.clear();
  await bench.host.clear();
  assertEquals(count, 2);
  assertEquals(bench.takeReported(), ["Error: stuck"]);
  assertEquals(await bench.host.ask("a"), "a\n");
});

Deno.test("what is no transfer halts the endpoint, and the message under way fails", async () => {
  const { waiting, bench } = serveWaiting();
  await using _ = bench;
  const { host } = bench;
  const mistakes: (() => Promise<void>)[] = [
    () => host.write("a", { inverse: 1 }),
    // Vendor-specific messages
    () => host.write("a", { id: 126 }),
    () => host.write("", { id: 127 }),
    // A trigger, which this device does not have
    () => host.trigger(),
    () => host.send(new Uint8Array(3)),
    () => host.send(Uint8Array.of(1, 0, 255, 0, 0, 0, 0, 0, 1, 0, 0, 0)),
    () => host.write(pattern(100), { size: 105 }),
  ];
  for (const mistake of mistakes) {
    await mistake();
    await assertRejects(
      async () => {
        for (let left = 10; left > 0; left--) await host.write("a");
      },
      Error,
      "halted",
    );
    await host.clearHalt();
    assertEquals(await host.ask("a"), "<a>");
  }
  assertEquals(waiting.reasons, ["The host has ended a transfer early"]);
});

Deno.test("a message of the next program is found behind one that its predecessor has left", async () => {
  const { waiting, bench } = serveWaiting();
  await using _ = bench;
  const { host } = bench;
  await host.write(pattern(1012), { size: 1 << 20 });
  await until(() => waiting.running === 1, "the message");
  host.tag = 0;
  assertEquals(await host.ask("*IDN?\n"), "<*IDN?\n>");
  assertEquals(waiting.reasons, ["The host has ended a transfer early"]);
});

Deno.test("nothing of a session reaches the next one", async () => {
  const { waiting, bench } = serveWaiting();
  await using _ = bench;
  const phases: (() => Promise<unknown>)[] = [
    () => bench.host.write(pattern(1012), { size: 5000 }),
    () => bench.host.write("a", { eom: false }),
    () => bench.host.write("wait"),
    () => bench.host.write("a"),
    async () => {
      await bench.host.write("a");
      await bench.host.request();
    },
    () => bench.host.control(Request.INITIATE_CLEAR),
  ];
  for (const begin of phases) {
    await begin();
    await bench.reconnect();
    waiting.release();
    await bench.host.request();
    await bench.host.write("next");
    assertEquals((await bench.host.read()).text, "<next>");
  }
});
