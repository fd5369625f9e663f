/**
 * Hosts that do anything, in any order, and give it up at any moment.
 *
 * GADGET_SEED=N does the same as a run that has printed N.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { serveUsbtmc } from "../support/gadgets/usbtmc_bench.ts";
import { Request, type UsbtmcHost } from "../support/host/usbtmc_host.ts";

/** Lets the device do some of its work. */
async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** What a host may do. */
const ACTIONS: readonly ((host: UsbtmcHost, random: Random) => unknown)[] = [
  (host, random) =>
    host.write(pattern(random.int(0, 3000)), { eom: random.int(0, 2) > 0 }),
  (host, random) => host.write(pattern(random.int(0, 1 << 20))),
  (host) => host.write(pattern(512 * 3 - 12), { size: 100_000 }),
  (host) => host.write(pattern(100), { size: 101 + 500 }),
  (host) => host.write("wait"),
  (host) => host.write("bad", { inverse: 7 }),
  (host) => host.trigger(),
  (host, random) => host.request(random.int(0, 5000)),
  (host) => host.request(1 << 20, "\n"),
  (host) => host.receive(),
  (host, random) => host.receive(512 * random.int(1, 20)),
  (host) => host.control(Request.INITIATE_ABORT_BULK_IN, host.tag),
  (host) => host.control(Request.CHECK_ABORT_BULK_IN),
  (host) => host.control(Request.INITIATE_ABORT_BULK_OUT, host.tag),
  (host) => host.control(Request.CHECK_ABORT_BULK_OUT),
  (host) => host.control(Request.INITIATE_CLEAR),
  (host) => host.control(Request.CHECK_CLEAR),
  (host) => host.control(Request.READ_STATUS_BYTE, 5),
  (host) => host.clearHalt(),
];

Deno.test("whatever a host has done and given up, a clear or a reset makes the device work", async () => {
  const seed = testSeed();
  const random = new Random(seed);
  await using bench = serveUsbtmc({
    async onMessage(message) {
      const bytes = await message.bytes();
      const isSlow = bytes.length === 4;
      if (isSlow) await turns(random.int(0, 20));
      if (random.int(0, 3) > 0) return bytes;
      return (async function* () {
        for (let at = 0; at < bytes.length; at += 10_000) {
          await turns(random.int(0, 1));
          yield bytes.subarray(at, at + 10_000);
        }
      })();
    },
    onTrigger: () => turns(random.int(0, 2)),
  });
  for (let round = 0; round < 300; round++) {
    const where = `seed ${seed}, round ${round}`;
    for (let left = random.int(1, 12); left > 0; left--) {
      const controller = new AbortController();
      const { host } = bench;
      host.signal = controller.signal;
      const action = random.pick(ACTIONS);
      const done = Promise.resolve(action(host, random)).catch(() => {});
      await Promise.race([done, turns(random.int(0, 30))]);
      controller.abort();
      await done;
      host.signal = undefined;
    }
    if (random.int(0, 4) === 0) await bench.reconnect();
    else await bench.host.clear();
    const data = pattern(random.int(0, 5000), round);
    await bench.host.write(data);
    await bench.host.request();
    // An iterable is sent in parts.
    const received: number[] = [];
    for (;;) {
      const { bytes, eom } = await bench.host.receivePart();
      for (const byte of bytes) received.push(byte);
      if (eom) break;
      await bench.host.request();
    }
    assertEquals(received, [...data], where);
  }
});
