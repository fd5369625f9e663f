// VM: any speed
import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals } from "@std/assert";
import { bulkPair } from "@usb/gadget";
import { plug, unplug } from "../support/gadgets/cable.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { openFiles } from "../support/machine/leftovers.ts";
import { pairModes } from "../support/gadgets/pair_modes.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import "../support/run/aio_libraries.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();
/** More than fits into dummy_hcd's FIFO at every speed. */
const SIZE = 2 * PACKET;
const SEQUENCES = soak(2000, 25);

/** A promise that settles, once. */
class Ends {
  #called = 0;
  #settled = 0;

  /** Counts the end of a promise, however it is. */
  watch(promise: Promise<unknown>): Promise<void> {
    this.#called++;
    const settle = () => {
      this.#settled++;
    };
    return promise.then(settle, settle);
  }

  assertAll(): void {
    assertEquals(this.#settled, this.#called);
  }
}

for (const { name, rwProxy } of pairModes) {
  Deno.test(`${name} pair: streams that are cancelled, aborted and closed in every state settle, and the next ones work`, async () => {
    const seed = testSeed();
    const random = new Random(seed);
    await using test = await startEndpoints({ link: bulkPair() }, {
      rwProxy,
    });
    const { endpoints, gadget, host } = test;
    const udc = gadget.udc.name;
    const pause = () =>
      random.chance(0.7) ? delay(random.int(0, 5)) : Promise.resolve();
    let files = 0;
    let memory = 0;
    for (let round = 0; round < SEQUENCES; round++) {
      const what = `sequence ${round} of seed ${seed}`;
      const ends = new Ends();
      const { link } = random.chance() ? endpoints : await test.session();
      const depth = random.pick([1, 2, 8]);
      const transferSize = random.pick([undefined, 4096, 65_536]);
      const readable = link.openReadable({ depth, transferSize });
      const writable = link.openWritable({ depth });
      const mode = random.chance() ? "byob" as const : undefined;
      const reader = readable.getReader({ mode: mode as "byob" });
      const writer = writable.getWriter();
      const begin = () => {
        for (let n = random.int(0, 3); n > 0; n--) {
          ends.watch(reader.read(new Uint8Array(random.pick([10, 4096]))));
        }
        for (let n = random.int(0, 3); n > 0; n--) {
          ends.watch(writer.write(pattern(random.pick([1, SIZE, 65_536]))));
        }
      };
      // The state: before enable, mid-transfer, halted, after unplug.
      const state = random.pick(["away", "idle", "moving", "halted", "leaves"]);
      const hosting: Promise<unknown>[] = [];
      if (state === "away") {
        unplug(gadget);
        await pause();
        begin();
      } else if (state === "idle") {
        begin();
      } else if (state === "moving") {
        begin();
        const options = { timeout: 20 };
        hosting.push(
          host.read(link, SIZE, options).catch(() => {}),
          host.write(link, pattern(random.int(0, 9000)), options)
            .catch(() => {}),
        );
      } else if (state === "halted") {
        if (random.chance()) await link.in.halt();
        if (random.chance()) await link.out.halt();
        begin();
      } else {
        begin();
        await pause();
        unplug(gadget);
      }
      await pause();
      // How they end.
      const way = random.pick(["cancel", "release", "event"]);
      if (way === "event" && state !== "away" && state !== "leaves") {
        await Promise.all(hosting);
        if (random.chance()) await host.setInterface(0, 0);
        else await host.reset();
        await pause();
      }
      if (way === "release") {
        reader.releaseLock();
        writer.releaseLock();
        ends.watch(readable.cancel());
        ends.watch(writable.abort(new Error("over")));
      } else {
        ends.watch(reader.cancel());
        if (random.chance(0.3)) ends.watch(writer.close());
        ends.watch(writer.abort(new Error("over")));
        ends.watch(reader.closed);
        ends.watch(writer.closed);
      }
      await Promise.all(hosting);
      if (state === "away" || state === "leaves") {
        plug(gadget, udc);
        await host.plug();
      }
      // The next ones work.
      await host.setInterface(0, 0); // ends halts, on both sides
      const isLocked = () =>
        endpoints.link.readable.locked || endpoints.link.writable.locked;
      while (isLocked()) await pause();
      const next = endpoints.link.readable.getReader();
      const sink = endpoints.link.writable.getWriter();
      const marker = pattern(SIZE + 1, round);
      // What had come for the old stream comes first.
      const reading = (async () => {
        let got = new Uint8Array(0);
        for (;;) {
          const { value } = await next.read();
          got = new Uint8Array([...got, ...value!]);
          const tail = got.subarray(-marker.byteLength);
          if (firstDifference(tail, marker) < 0) return;
        }
      })();
      await host.write(link, marker);
      await reading;
      const written = sink.write(marker);
      const got = await host.read(link, 2 * SIZE);
      assertEquals(firstDifference(got, marker), -1, what);
      await written;
      await Promise.all([next.cancel(), sink.close()]);
      ends.assertAll();
      if (round === Math.min(9, SEQUENCES - 1)) {
        [files, memory] = [openFiles(), Deno.memoryUsage().rss];
      }
    }
    assertEquals(openFiles(), files);
    const growth = Deno.memoryUsage().rss - memory;
    assert(growth < 64 << 20, `${growth} bytes more`);
  });
}
