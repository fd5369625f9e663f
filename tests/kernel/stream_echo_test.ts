import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { bulkPair } from "@usb/gadget";
import {
  type EndpointGadget,
  startEndpoints,
} from "../support/gadgets/endpoints.ts";
import { watchEventLoop } from "../support/measure/heartbeat.ts";
import { pairModes } from "../support/gadgets/pair_modes.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { soak } from "../support/run/soak.ts";

const MIB = 1 << 20;
const LARGEST = 4 * MIB;

/** How the stream is read, by which hosts, and how much they move. */
const WAYS = [
  {
    what: "packet by packet",
    options: {},
    zlp: "never",
    total: soak(32, 1) * MIB,
  },
  {
    what: "in large requests",
    options: { transferSize: 65_536, depth: 4 },
    zlp: "auto",
    total: soak(1024, 8) * MIB,
  },
] as const;

type Link = EndpointGadget<{ link: ReturnType<typeof bulkPair> }>;

/** The host's side: sends chunks of random sizes, and checks what comes back. */
async function sendAndCheck(
  { host, endpoints: { link } }: Link,
  random: Random,
  { total, zlp }: { total: number; zlp: "auto" | "never" },
): Promise<void> {
  let sent = 0;
  let received = 0;
  /** What was sent, until it has come back. */
  const pending: Uint8Array<ArrayBuffer>[] = [];
  let pendingBytes = 0;
  let room = () => {};
  const send = async () => {
    for (let n = 0; sent < total; n++) {
      const most = Math.min(total - sent, LARGEST);
      // Small ones as often as large ones.
      const scale = random.int(0, Math.floor(Math.log2(most)));
      const bytes = pattern(random.int(1, Math.min(most, 2 << scale)), n);
      while (pendingBytes > 2 * LARGEST) {
        await new Promise<void>((resolve) => room = resolve);
      }
      pending.push(bytes);
      pendingBytes += bytes.byteLength;
      sent += bytes.byteLength;
      await host.write(link, bytes, { zlp });
    }
  };
  const receive = async () => {
    let at = 0;
    while (received < total) {
      let got: Uint8Array = await host.read(link, 65_536);
      received += got.byteLength;
      pendingBytes -= got.byteLength;
      room();
      while (got.byteLength > 0) {
        const expected = pending[0].subarray(at, at + got.byteLength);
        const part = got.subarray(0, expected.byteLength);
        assertEquals(firstDifference(part, expected), -1, `at ${received}`);
        at += part.byteLength;
        got = got.subarray(part.byteLength);
        if (at === pending[0].byteLength) {
          pending.shift();
          at = 0;
        }
      }
    }
  };
  await Promise.all([send(), receive()]);
}

for (const { name, rwProxy } of pairModes) {
  for (const way of WAYS) {
    Deno.test(`${name} pair: readable.pipeTo(writable) gives back what comes ${way.what}, whatever its sizes are, in constant memory`, async () => {
      const seed = testSeed();
      await using test = await startEndpoints({ link: bulkPair() }, {
        rwProxy,
      });
      const { link } = test.endpoints;
      link.openReadable(way.options);
      // Whatever a chunk's size is, the host sees that it has ended.
      link.openWritable({ zlp: "auto" });
      const stop = new AbortController();
      const { signal } = stop;
      const piping = link.readable.pipeTo(link.writable, { signal });
      piping.catch(() => {});
      const before = Deno.memoryUsage().rss;
      {
        using _loop = watchEventLoop();
        await sendAndCheck(test, new Random(seed), way);
      }
      const growth = Deno.memoryUsage().rss - before;
      assert(growth < 128 * MIB, `${growth} bytes more, seed ${seed}`);
      stop.abort();
      await piping.catch(() => {});
    });
  }

  Deno.test(`${name} pair: both directions are busy at once, and neither waits for the other`, async () => {
    await using test = await startEndpoints({ link: bulkPair() }, {
      rwProxy,
    });
    const { endpoints: { link }, host } = test;
    const size = 16_384;
    const count = soak(2000, 50);
    const stream = link.openReadable({ transferSize: size, depth: 4 });
    const sink = link.openWritable({ depth: 4 });
    const order: string[] = [];
    const chunks = Array.from({ length: count }, () => pattern(size));
    const sending = ReadableStream.from(chunks).pipeTo(sink);
    sending.catch(() => {});
    let taken = 0;
    const receiving = (async () => {
      for await (const chunk of stream) {
        taken += chunk.byteLength;
        if (taken === count * size) return;
      }
    })();
    const repeat = async (direction: string, run: () => Promise<unknown>) => {
      for (let n = 0; n < count; n++) {
        await run();
        order.push(direction);
      }
    };
    await Promise.all([
      repeat("in", () => host.read(link, size)),
      repeat("out", () => host.write(link, pattern(size))),
    ]);
    await Promise.all([sending, receiving]);
    // No side was far behind, or had to wait for the end of the other.
    const half = order.slice(0, count);
    const ins = half.filter((each) => each === "in").length;
    assert(ins > count / 10 && ins < 9 * count / 10, `${ins} of ${count}`);
  });
}
