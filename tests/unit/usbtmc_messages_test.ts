import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  Usbtmc,
  type UsbtmcMessage,
  type UsbtmcResponse,
} from "@usb/gadget/usbtmc";
import { pattern } from "../support/data/pattern.ts";
import { serveUsbtmc } from "../support/gadgets/usbtmc_bench.ts";
import { until } from "../support/waiting/until.ts";

/** Returns what it has received. */
const echo = { onMessage: (message: UsbtmcMessage) => message.bytes() };

Deno.test("a message of any size comes back, at each speed", async () => {
  for (const speed of ["full", "high", "super"] as const) {
    await using bench = serveUsbtmc(echo, speed);
    const { host } = bench;
    const border = host.packetSize - 12;
    for (
      const size of [0, 1, 3, 4, 5, border - 1, border, border + 1, 2 * border]
    ) {
      const data = pattern(size, size);
      await host.write(data);
      const response = await host.read();
      assertEquals(response.bytes, data);
      assert(response.eom);
      // Never a zero-length packet, and no alignment but in its place
      const isOnBorder = (size + 12) % host.packetSize === 0;
      assertEquals(response.length, 12 + size + (isOnBorder ? 1 : 0));
    }
  }
});

Deno.test("zero-length packets and missing alignment after messages are accepted", async () => {
  await using bench = serveUsbtmc(echo);
  const { host } = bench;
  const data = pattern(500);
  await host.write(data, { zlp: "auto" });
  assertEquals((await host.read()).bytes, data);
  const header = [1, 9, 246, 0, 3, 0, 0, 0, 1, 0, 0, 0];
  await host.send(Uint8Array.from([...header, 7, 8, 9]));
  assertEquals((await host.read()).bytes, Uint8Array.of(7, 8, 9));
});

Deno.test("a message over several transfers is one message", async () => {
  await using bench = serveUsbtmc(echo);
  const { host } = bench;
  await host.write("one ", { eom: false });
  await host.write("", { eom: false });
  await host.write("two ", { eom: false });
  await host.write("three");
  assertEquals((await host.read()).text, "one two three");
});

Deno.test("a message is handled while it arrives, and the host waits for its reader", async () => {
  const sizes: number[] = [];
  const gate = Promise.withResolvers<void>();
  await using bench = serveUsbtmc({
    async onMessage(message) {
      for await (const part of message) {
        sizes.push(part.byteLength);
        await gate.promise;
      }
      return `${sizes.reduce((sum, size) => sum + size)}`;
    },
  });
  const { host } = bench;
  let isSent = false;
  const sending = host.write(pattern(1 << 20)).then(() => isSent = true);
  await until(() => sizes.length > 0, "a part");
  assertEquals(isSent, false);
  gate.resolve();
  await sending;
  assertEquals((await host.read()).text, `${1 << 20}`);
  assert(sizes.length > 2 && Math.max(...sizes) <= 256 * 1024);
});

Deno.test("what a handler does not read is dropped", async () => {
  await using bench = serveUsbtmc({ onMessage: () => "done" });
  const { host } = bench;
  for (let round = 0; round < 3; round++) {
    await host.write(pattern(1 << 20));
    assertEquals((await host.read()).text, "done");
  }
  let first = 0;
  await using other = serveUsbtmc({
    async onMessage(message) {
      for await (const part of message) {
        first = part[0];
        break;
      }
      return "left";
    },
  });
  await other.host.write(pattern(1 << 20, 7));
  assertEquals((await other.host.read()).text, "left");
  assertEquals(first, pattern(1, 7)[0]);
});

Deno.test("a message longer than its limit is an error, and can be read only once", async () => {
  const errors: string[] = [];
  const note = async (work: () => Promise<unknown>) => {
    await work().catch((error) => errors.push(error.message));
  };
  await using bench = serveUsbtmc({
    async onMessage(message) {
      await note(() => message.bytes(10));
      await note(() => message.text());
      return "noted";
    },
  });
  assertEquals(await bench.host.ask("12345678901"), "noted");
  assertEquals(errors, [
    "Cannot read message: it has more than 10 bytes",
    "Cannot read message: it was read before",
  ]);
});

Deno.test("a response is sent in the parts that the host asks for", async () => {
  await using bench = serveUsbtmc({ onMessage: () => "0123456789" });
  const { host } = bench;
  await host.write("go");
  const parts: string[] = [];
  for (let isDone = false; !isDone;) {
    const { text, eom } = await host.read(4);
    parts.push(text);
    isDone = eom;
  }
  assertEquals(parts, ["0123", "4567", "89"]);
  await host.write("go");
  // The end is known when it is reached.
  assert((await host.read(10)).eom);
});

Deno.test("a transfer ends with the TermChar that the host has asked for", async () => {
  await using bench = serveUsbtmc({
    onMessage: () =>
      [..."a\nbc\n\nd"].map((it) => new TextEncoder().encode(it)),
  });
  const { host } = bench;
  await host.write("go");
  const seen: unknown[] = [];
  for (let isDone = false; !isDone;) {
    const { text, eom, endsWithTermChar } = await host.read(100, "\n");
    seen.push([text, endsWithTermChar]);
    isDone = eom;
  }
  assertEquals(seen, [["a\n", true], ["bc\n", true], ["\n", true], [
    "d",
    false,
  ]]);
});

Deno.test("a response from an iterable is read as the host asks for it", async () => {
  let yielded = 0;
  let isClosed = false;
  async function* source() {
    try {
      for (; yielded < 8; yielded++) yield pattern(1 << 20, yielded);
    } finally {
      isClosed = true;
    }
  }
  await using bench = serveUsbtmc({ onMessage: source });
  const { host } = bench;
  await host.write("go");
  let size = 0;
  for (let isDone = false; !isDone;) {
    const { bytes, eom } = await host.read(300_000);
    assertEquals(
      bytes[0],
      pattern(1 << 20, Math.floor(size / (1 << 20)))[size % (1 << 20)],
    );
    size += bytes.length;
    assert(yielded <= Math.floor(size / (1 << 20)) + 1, `${yielded} ${size}`);
    isDone = eom;
  }
  assertEquals([size, isClosed], [8 << 20, true]);
  // One that the host does not read to its end is closed.
  yielded = 0;
  isClosed = false;
  await host.write("go");
  await host.read(10);
  await host.write("go");
  await until(() => isClosed, "the end of the iterable");
});

Deno.test("a handler that fails is reported, and the next message is handled", async () => {
  const answers: unknown[] = [
    () => Promise.reject(new Error("broken")),
    () => 42,
    () => "good",
  ];
  await using bench = serveUsbtmc({
    onMessage: () => (answers.shift() as () => UsbtmcResponse)(),
  });
  const { host } = bench;
  await host.write("1");
  await host.write("2");
  assertEquals(await host.ask("3"), "good");
  assertEquals(bench.takeReported(), [
    "Error: broken",
    "TypeError: Cannot send response: it must be a string or bytes, is 42",
  ]);
});

Deno.test("an iterable that fails is reported, and its response ends", async () => {
  async function* source() {
    yield pattern(100);
    await Promise.resolve();
    throw new Error("torn");
  }
  const answers = [source, () => "good"];
  await using bench = serveUsbtmc({ onMessage: () => answers.shift()!() });
  const { host } = bench;
  await host.write("1");
  assertEquals((await host.read(50)).bytes, pattern(50));
  await host.request();
  await host.write("2");
  assertEquals((await host.read()).text, "good");
  assertEquals(bench.takeReported(), ["Error: torn"]);
});

Deno.test("messages are handled one after another, the last response is kept", async () => {
  const runs: string[] = [];
  await using bench = serveUsbtmc({
    async onMessage(message) {
      const text = await message.text();
      runs.push(`+${text}`);
      await new Promise((resolve) => setTimeout(resolve));
      runs.push(`-${text}`);
      return text;
    },
  });
  const { host } = bench;
  for (const text of ["a", "b", "c"]) await host.write(text);
  assertEquals((await host.read()).text, "c");
  assertEquals(runs, ["+a", "-a", "+b", "-b", "+c", "-c"]);
});

Deno.test("a host that has given up a read without aborting it gets the response with its next one", async () => {
  const gate = Promise.withResolvers<void>();
  await using bench = serveUsbtmc({
    async onMessage() {
      await gate.promise;
      return "late";
    },
  });
  const { host } = bench;
  await host.write("go");
  await host.request();
  await host.request();
  gate.resolve();
  const { tag, text } = await host.receivePart();
  assertEquals([tag, text], [host.tag, "late"]);
  // Also if the first one was being sent
  await host.write("go");
  await host.request();
  assertEquals((await host.read()).text, "late");
});

Deno.test("onCommand() has texts without line feeds, and adds one to the answer", async () => {
  const texts: string[] = [];
  await using bench = serveUsbtmc({
    onCommand(text) {
      texts.push(text);
      return text.endsWith("?") ? "Grüße" : undefined;
    },
  });
  const { host } = bench;
  await host.write("SET 1\r\n");
  assertEquals(await host.ask("GET?\n"), "Grüße\n");
  assertEquals(texts, ["SET 1", "GET?"]);
});

Deno.test("options that make no device are refused", () => {
  assertThrows(
    () => new Usbtmc({}),
    TypeError,
    'Cannot make USBTMC device: give "onMessage" or "onCommand"',
  );
  assertThrows(
    () => new Usbtmc({ onCommand: () => {}, onMessage: () => {} }),
    TypeError,
    'Cannot make USBTMC device: give "onMessage" or "onCommand"',
  );
  assertThrows(
    () => new Usbtmc({ onMesage: () => {} } as never),
    TypeError,
    'there is no option "onMesage": did you mean "onMessage"?',
  );
});
