/**
 * What a file reports that fails. `/proc/self/mem` is one: reads of addresses
 * without memory fail with EIO.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { OpenFile, type TransferFailure } from "../../src/files/open_file.ts";

const MEMORY = "/proc/self/mem";

/** Where readable memory ends that has none behind it. */
function endOfMemory(): number {
  const maps = Deno.readTextFileSync("/proc/self/maps").trimEnd().split("\n")
    .map((line) => /^(\w+)-(\w+) (.)/.exec(line)!)
    .map(([, start, end, access]) => ({
      start: Number(`0x${start}`),
      end: Number(`0x${end}`),
      readable: access === "r",
    }));
  return maps.find(({ end, readable }, index) =>
    readable && maps[index + 1].start > end + 0x10000
  )!.end;
}

async function failure(
  transfer: () => number | Promise<number>,
): Promise<TransferFailure> {
  return await assertRejects(async () => {
    await transfer();
  }) as TransferFailure;
}

Deno.test("OpenFile reports why a read has failed, and what it has read before", async () => {
  using file = new OpenFile(MEMORY);
  const nothing = await failure(() => file.read(0, new Uint8Array(512)));
  assertEquals([nothing.code, nothing.syscall, nothing.done], [
    "EIO",
    "pread",
    0,
  ]);
  assertEquals(
    nothing.message,
    "Cannot read file: Input/output error (os error 5): /proc/self/mem",
  );
  const into = new Uint8Array(8192);
  const partly = await failure(() => file.read(endOfMemory() - 4096, into));
  assertEquals([partly.code, partly.done], ["EIO", 4096]);
});

Deno.test("OpenFile reports why a write has failed", async () => {
  using file = new OpenFile(MEMORY);
  const error = await failure(() => file.write(0, new Uint8Array(512)));
  assertEquals([error.code, error.done], ["EBADF", 0]);
  assertEquals(
    error.message,
    "Cannot write file: Bad file descriptor (os error 9): /proc/self/mem",
  );
});

Deno.test("OpenFile reports a file that cannot be made durable", async () => {
  using file = new OpenFile(MEMORY);
  await assertRejects(
    () => file.sync(),
    Error,
    "Cannot make file durable: data that was written is lost",
  );
});

Deno.test("OpenFile fails a read whose memory was transferred, and leaves that alone", async () => {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeFileSync(path, new Uint8Array(4 << 20).fill(7));
    using file = new OpenFile(path);
    const into = new Uint8Array(4 << 20);
    const read = file.read(0, into);
    assert(read instanceof Promise);
    const taken = new Uint8Array(into.buffer.transfer());
    await assertRejects(() => read, TypeError, "detached");
    // One step was read before.
    assert(taken.subarray(256 * 1024).every((it) => it === 0));
  } finally {
    Deno.removeSync(path);
  }
});
