// VM: a class of device, newest kernel
/**
 * A file of 5 GiB (48 MiB in everyday runs), which neither side ever has in memory.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { Buffer } from "node:buffer";
import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals } from "@std/assert";
import type { ObjectEntry, ObjectStore } from "@usb/gadget/mtp";
import { MtpBench } from "../support/gadgets/mtp_bench.ts";
import { shell } from "../support/machine/shell.ts";
import { usedMemory } from "../support/measure/memory.ts";
import { soak } from "../support/run/soak.ts";

const MIB = 1 << 20;
const SIZE = soak(5 * 1024, 48) * MIB;
/** The file is zeros, but for a byte in the middle and one at the end. */
const MARKS = [SIZE / 2 + 12345, SIZE - 1];
const MARK = 0xa5;
/** What the device may need beside the pieces that are on their way. */
const GROWTH = 24 * MIB;
/** Between two looks at the memory, each of which collects garbage. */
const PAUSE_MS = 200;

/** Makes the file on the host, sparse. */
async function makeFile(path: string): Promise<void> {
  using file = await Deno.create(path);
  await file.truncate(SIZE);
  for (const at of MARKS) {
    await file.seek(at, Deno.SeekMode.Start);
    await file.write(Uint8Array.of(MARK));
  }
}

/** A store with that file, which compares what it is sent with it. */
class LargeStore implements ObjectStore {
  readonly #zeros = new Uint8Array(MIB);
  readonly entry: ObjectEntry = { name: "large", kind: "file", size: SIZE };
  /** Bytes that were right. */
  received = 0;
  isComplete = false;

  list() {
    return [this.entry];
  }

  look(path: string) {
    return path === "large" || this.isComplete ? this.entry : undefined;
  }

  open() {
    return {
      byteLength: SIZE,
      read: (offset: number, into: Uint8Array<ArrayBuffer>) => {
        const part = into.subarray(0, Math.min(into.byteLength, SIZE - offset));
        part.fill(0);
        for (const at of MARKS) {
          if (at >= offset && at < offset + part.byteLength) {
            part[at - offset] = MARK;
          }
        }
        return part.byteLength;
      },
      close() {},
    };
  }

  space() {
    return { capacity: 2 * SIZE, free: SIZE };
  }

  create() {
    return {
      write: (offset: number, from: Uint8Array<ArrayBuffer>) => {
        assertEquals(offset, this.received);
        for (const at of MARKS) {
          if (at < offset || at >= offset + from.byteLength) continue;
          assertEquals(from[at - offset], MARK);
          from[at - offset] = 0;
        }
        assert(from.byteLength <= MIB);
        const zeros = this.#zeros.subarray(0, from.byteLength);
        assertEquals(Buffer.compare(from, zeros), 0);
        this.received += from.byteLength;
      },
      commit: () => {
        this.isComplete = true;
      },
      close() {},
    };
  }
}

/** Runs a program whose progress would fill this process's memory. */
async function quietly(command: string): Promise<void> {
  await shell(`${command} >/dev/null 2>&1`);
}

/** Runs something, and expects this process not to grow meanwhile. */
async function expectFlat(work: () => Promise<void>): Promise<void> {
  const bytes = ({ external, heapUsed }: Deno.MemoryUsage) =>
    external + heapUsed;
  const before = await usedMemory(bytes);
  let most = 0;
  let isOver = false;
  const working = work().finally(() => isOver = true);
  const watching = (async () => {
    while (!isOver) {
      most = Math.max(most, await usedMemory(bytes));
      await delay(PAUSE_MS);
    }
  })();
  await Promise.all([working, watching]);
  assert(most - before < GROWTH, `grew by ${(most - before) / MIB} MiB`);
}

Deno.test("a large file reaches the host, and the device needs little memory", async () => {
  await using bench = await MtpBench.start({ storages: [new LargeStore()] });
  await makeFile(`${bench.host}/expected`);
  await shell(`mkfifo ${bench.host}/fifo`);
  await expectFlat(async () => {
    await Promise.all([
      quietly(`mtp-getfile 1 ${bench.host}/fifo`),
      shell(`cmp ${bench.host}/fifo ${bench.host}/expected`),
    ]);
  });
});

Deno.test("a large file reaches the device, which needs little memory", async () => {
  const store = new LargeStore();
  await using bench = await MtpBench.start({ storages: [store] });
  await makeFile(`${bench.host}/sent`);
  await expectFlat(() => quietly(`mtp-sendfile ${bench.host}/sent /`));
  assertEquals(store.received, SIZE);
  assert(store.isComplete);
});
