import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals } from "@std/assert";
import { bulkPair, type EndpointPair, SessionEndedError } from "@usb/gadget";
import { plug, unplug } from "../support/gadgets/cable.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { openFiles } from "../support/machine/leftovers.ts";
import { usedMemory } from "../support/measure/memory.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { soak } from "../support/run/soak.ts";
import type { TestHost } from "@usb/gadget/testing";
import { isTransferError } from "../../src/testing/usbfs/transfer.ts";
import "../support/run/aio_libraries.ts";

/** Bytes of a transfer: many ticks of dummy_hcd at full speed. */
const SIZE = 16 * 1024;

/** How many calls each direction of the device has under way. */
const DEPTH = 3;

/**
 * How many bytes the memory may grow by: in many rounds all that is resident;
 * in few ones what is in use, since what the engine keeps for later use can be
 * more than a leak would be.
 */
const MAX_GROWTH = soak(10 << 20, 2 << 20);

/** A transfer that contains its number. */
function numbered(number: number): Uint8Array<ArrayBuffer> {
  const bytes = pattern(SIZE, number);
  new DataView(bytes.buffer).setUint32(0, number, true);
  return bytes;
}

/** The number of a transfer, all of whose bytes must be right. */
function numberOf(bytes: Uint8Array<ArrayBuffer>): number {
  const { buffer, byteOffset } = bytes;
  const number = new DataView(buffer, byteOffset).getUint32(0, true);
  assertEquals(firstDifference(bytes, numbered(number)), -1, `${number}`);
  return number;
}

/** The host: takes and gives numbered transfers, across all interruptions. */
class Host {
  /** Numbers that came whole. */
  readonly taken: number[] = [];
  /** How many were taken by the device. */
  given = 0;

  /** Moves data until the device is gone, or `signal` is aborted. */
  async move(
    host: TestHost,
    link: EndpointPair,
    signal: AbortSignal,
  ): Promise<void> {
    const options = { signal, timeout: Infinity };
    await Promise.all([
      this.#repeat(signal, async () => {
        this.taken.push(numberOf(await host.read(link, SIZE, options)));
      }),
      this.#repeat(signal, async () => {
        await host.write(link, numbered(this.given), options);
        this.given++;
      }),
    ]);
  }

  async #repeat(signal: AbortSignal, run: () => Promise<void>) {
    while (!signal.aborted) {
      try {
        await run();
      } catch (error) {
        if (!isTransferError(error)) throw error;
        if (error.code === "ENODEV") return;
        // A reset or another setting: the next one works, or says ENODEV.
        await delay(1);
      }
    }
  }
}

/** The device: numbered writes, and reads, that are called without a pause. */
class Device {
  #next = 0;
  /** Numbers of writes that were done. */
  readonly written: number[] = [];
  /** Numbers that were read. */
  readonly read: number[] = [];
  /** Calls that ended with their session. */
  ended = 0;

  /** Calls until `isOver`, and resolves when all calls have settled. */
  async move(
    link: () => EndpointPair | Promise<EndpointPair>,
    isOver: () => boolean,
  ): Promise<void> {
    const repeat = async (call: () => Promise<void>) => {
      while (!isOver()) {
        await call().catch((error) => {
          if (!(error instanceof SessionEndedError)) throw error;
          assertEquals(error.transferred, 0);
          this.ended++;
        });
      }
    };
    const loops = Array.from({ length: DEPTH }, () => [
      repeat(async () => {
        const number = this.#next++;
        await (await link()).write(numbered(number));
        this.written.push(number);
      }),
      repeat(async () => {
        this.read.push(numberOf(await (await link()).read(SIZE)));
      }),
    ]);
    await Promise.all(loops.flat());
  }
}

Deno.test("unplugged again and again in the middle of transfers, nothing is lost, doubled or left over", async () => {
  const rounds = soak(200, 12);
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints, gadget } = test;
  const udc = gadget.udc.name;
  const host = new Host();
  const device = new Device();
  let files = 0;
  let memory = 0;
  const used = () =>
    usedMemory(({ rss, heapUsed, external }) => soak(rss, heapUsed + external));
  for (let round = 0; round < rounds; round++) {
    let over = false;
    const idle = new AbortController();
    const link = round % 2 === 0
      ? () => endpoints.link
      : async () => (await test.session()).link;
    const deviceSide = device.move(link, () => over);
    const beforeUnplug = host.move(test.host, endpoints.link, idle.signal);
    await delay(Math.random() * 60);
    if (round % 3 === 2) await test.host.setInterface(0, 0);
    else if (round % 3 === 1) await test.host.reset();
    unplug(gadget);
    await beforeUnplug;
    plug(gadget, udc);
    await test.host.plug();
    over = true;
    // What was put back goes on.
    const afterPlug = host.move(test.host, endpoints.link, idle.signal);
    await deviceSide;
    idle.abort();
    await afterPlug;
    if (round === 9) {
      files = openFiles();
      memory = await used();
    }
  }
  // A write that has failed has not reached the host, one that is done has,
  // once; and what the device has read is what it has taken from the host.
  assertEquals(host.taken, device.written);
  assertEquals(device.read, Array.from({ length: host.given }, (_, n) => n));
  assert(device.ended > 0 && host.given > rounds && host.taken.length > rounds);
  assertEquals(openFiles(), files);
  const growth = await used() - memory;
  console.log(
    `${host.taken.length} and ${host.given} transfers, ${device.ended} calls ended, ${growth} bytes more than ${memory}`,
  );
  assert(growth < MAX_GROWTH, `${growth} bytes more than ${memory}`);
});
