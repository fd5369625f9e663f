import { setTimeout as delay } from "node:timers/promises";
import { aioLibraries } from "../support/run/aio_libraries.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  IOCB_CMD_PREAD,
  IOCB_CMD_PWRITE,
  O_CREAT,
  O_RDWR,
  POLLIN,
} from "../../ffi/abi.ts";
import { AioContext } from "../../ffi/aio/context.ts";
import { AioRequest } from "../../ffi/aio/ring.ts";
import { isSystemError } from "../../ffi/errno.ts";
import {
  close,
  open,
  read,
  readTextFile,
  unlink,
  write,
} from "../../ffi/file.ts";
import { destroyContext } from "../../ffi/aio/system_calls.ts";
import { openAio } from "../../ffi/aio/calls.ts";
import { addressOf } from "../../ffi/memory.ts";
import { collectGarbage, usedMemory } from "../support/measure/memory.ts";
import { eventFd, pipe } from "../support/machine/pipe.ts";
import { aioPoll, aioRead, aioWrite } from "../support/machine/aio.ts";

/** A file in /tmp that is gone after the test. */
function temporaryFile(): { fd: number } & Disposable {
  const path = `/tmp/ffi_aio_test.${Deno.pid}.${performance.now()}`;
  const fd = open(path, O_RDWR | O_CREAT);
  unlink(path);
  return { fd, [Symbol.dispose]: () => close(fd) };
}

const eight = (value: bigint) =>
  new Uint8Array(new BigUint64Array([value]).buffer);

const ways = aioLibraries.flatMap((library) => [
  { library, outlast: false },
  { library, outlast: true },
]);

for (const way of ways) {
  const { library, outlast } = way;
  const memory = outlast ? "memory that outlasts the isolate" : "own memory";
  const test = (name: string, run: () => Promise<void>) =>
    Deno.test(`${name} (${library}, ${memory})`, run);

  test("reads and writes of a file come back with their counts", async () => {
    using file = temporaryFile();
    await using aio = new AioContext(way);
    assertEquals(aio.library, library);
    const bytes = new Uint8Array(5000).map((_, index) => index);
    assertEquals(await aioWrite(aio, file.fd, bytes), 5000);
    const buffer = new Uint8Array(8000);
    assertEquals(await aioRead(aio, file.fd, buffer), 5000);
    assertEquals(buffer.subarray(0, 5000), bytes);
    assertEquals(aio.pending, 0);
  });

  test("poll() waits for a pipe without blocking the event loop", async () => {
    using ends = pipe();
    await using aio = new AioContext(way);
    const ready = aioPoll(aio, ends.readEnd, POLLIN);
    let turns = 0;
    const timer = setInterval(() => {
      if (++turns === 5) write(ends.writeEnd, new Uint8Array(1));
    }, 1);
    assertEquals(await ready & POLLIN, POLLIN);
    clearInterval(timer);
    assert(turns >= 5);
  });

  test("an empty eventfd read gives EAGAIN as an error", async () => {
    using counter = eventFd();
    await using aio = new AioContext(way);
    const error = await assertRejects(
      () => aioRead(aio, counter.fd, new Uint8Array(8)),
      Deno.errors.WouldBlock,
      "Cannot run an asynchronous request: ",
    );
    assert(isSystemError(error, "EAGAIN"));
    write(counter.fd, eight(3n));
    const buffer = new Uint8Array(8);
    assertEquals(await aioRead(aio, counter.fd, buffer), 8);
    assertEquals(buffer, eight(3n));
  });

  test("one wrong request in a batch fails alone", async () => {
    using file = temporaryFile();
    await using aio = new AioContext(way);
    const results = await Promise.allSettled([
      aioWrite(aio, file.fd, new Uint8Array(10)),
      aioWrite(aio, -1, new Uint8Array(10)),
      aioWrite(aio, file.fd, new Uint8Array(20)),
      aioRead(aio, 987654, new Uint8Array(10)),
      aioWrite(aio, file.fd, new Uint8Array(30)),
    ]);
    assertEquals(
      results.map((result) =>
        result.status === "fulfilled" ? result.value : result.reason.code
      ),
      [10, "EBADF", 20, "EBADF", 30],
    );
  });

  test("the requests of a turn keep their order across rings", async () => {
    using ends = pipe();
    // Each ring holds two: 500 writes lie in many rings.
    await using aio = new AioContext({ ...way, capacity: 2 });
    const writes = Array.from({ length: 500 }, (_, index) => {
      const bytes = new Uint8Array(new Uint16Array([index]).buffer);
      return aioWrite(aio, ends.writeEnd, bytes);
    });
    assert(aio.capacity >= 500);
    await Promise.all(writes);
    const buffer = new Uint8Array(2000);
    assertEquals(read(ends.readEnd, buffer), 1000);
    const order = [...new Uint16Array(buffer.buffer, 0, 500)];
    assertEquals(order, order.map((_, index) => index));
  });

  test("the context grows while nothing completes", async () => {
    using ends = pipe();
    await using aio = new AioContext({ ...way, capacity: 4 });
    const polls = Array.from(
      { length: 1000 },
      () => aioPoll(aio, ends.readEnd, POLLIN),
    );
    assertEquals(aio.pending, 1000);
    write(ends.writeEnd, new Uint8Array(1));
    assertEquals(
      (await Promise.all(polls)).filter((events) => events & POLLIN).length,
      1000,
    );
  });

  test("abort cancels in the kernel and rejects with the reason", async () => {
    using ends = pipe();
    await using aio = new AioContext(way);
    const abort = new AbortController();
    const ready = aioPoll(aio, ends.readEnd, POLLIN, abort.signal);
    setTimeout(() => abort.abort(new Error("enough")), 1);
    await assertRejects(() => ready, Error, "enough");
    assertEquals(aio.pending, 0);
    await assertRejects(
      () => aioPoll(aio, ends.readEnd, POLLIN, abort.signal),
      Error,
      "enough",
    );
    assertEquals(aio.pending, 0);
  });

  test("cancel() before the turn ends takes the request back", async () => {
    using ends = pipe();
    await using aio = new AioContext(way);
    let result = 0;
    const bytes = new Uint8Array(1);
    const request = new AioRequest((value) => result = value);
    aio.submit(
      request,
      IOCB_CMD_PWRITE,
      ends.writeEnd,
      addressOf(bytes),
      1,
      bytes,
    );
    assert(aio.cancel(request));
    await Promise.resolve();
    await Promise.resolve();
    assertEquals(result, -125, "ECANCELED");
    assertThrows(
      () => read(ends.readEnd, new Uint8Array(1)),
      Deno.errors.WouldBlock,
    );
    assert(!aio.cancel(request));
  });

  test("a thousand requests are cancelled or complete, each once", async () => {
    using ends = pipe();
    await using aio = new AioContext({ ...way, capacity: 64 });
    const counts = new Uint8Array(1000);
    const settled: Promise<void>[] = [];
    const requests = Array.from({ length: 1000 }, (_, index) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      settled.push(promise);
      const request = new AioRequest(() => {
        counts[index]++;
        resolve();
      });
      aio.submit(request, 5, ends.readEnd, BigInt(POLLIN), 0, undefined);
      return request;
    });
    await delay(1);
    for (let index = 0; index < 1000; index += 2) {
      assert(aio.cancel(requests[index]));
    }
    write(ends.writeEnd, new Uint8Array(1));
    await Promise.all(settled);
    assertEquals(counts, new Uint8Array(1000).fill(1));
    assertEquals(aio.pending, 0);
  });

  test("a request object serves again and again", async () => {
    using file = temporaryFile();
    await using aio = new AioContext(way);
    const buffer = eight(1n);
    const address = addressOf(buffer);
    const done = Promise.withResolvers<number>();
    let rounds = 0;
    const request = new AioRequest((result) => {
      if (result !== 8 || ++rounds === 1000) return done.resolve(result);
      const opcode = rounds % 2 ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE;
      aio.submit(request, opcode, file.fd, address, 8, buffer);
    });
    aio.submit(request, IOCB_CMD_PWRITE, file.fd, address, 8, buffer);
    assertThrows(
      () => aio.submit(request, IOCB_CMD_PWRITE, file.fd, address, 8, buffer),
      TypeError,
      "Cannot submit a request that is pending",
    );
    assertEquals(await done.promise, 8);
    assertEquals(rounds, 1000);
  });

  test("100,000 requests leave memory flat, with garbage collections between", async () => {
    using file = temporaryFile();
    await using aio = new AioContext(way);
    const round = async (count: number) => {
      for (let done = 0; done < count; done += 100) {
        const reads = [];
        for (let index = 0; index < 50; index++) {
          const pattern = (done + index) & 0xff;
          reads.push(
            aioWrite(aio, file.fd, new Uint8Array(64).fill(pattern)),
            aioRead(aio, file.fd, new Uint8Array(64)),
          );
        }
        if (done % 10_000 === 0) collectGarbage();
        for (const size of await Promise.all(reads)) {
          if (size !== 64) throw new Error(`${size} bytes`);
        }
      }
    };
    const used = () =>
      usedMemory(({ heapUsed, external }) => heapUsed + external);
    await round(10_000);
    const before = await used();
    await round(100_000);
    const grown = await used() - before;
    assert(grown < 1 << 20, `${grown} bytes more`);
    assertEquals(aio.capacity, 512);
  });

  test("memory is kept from collection until the completion, and no longer", async () => {
    using ends = pipe();
    await using aio = new AioContext(way);
    const done = Promise.withResolvers<number>();
    const memory = (() => {
      const bytes = new Uint8Array(1 << 16);
      const request = new AioRequest(done.resolve);
      aio.submit(request, 5, ends.readEnd, BigInt(POLLIN), 0, bytes);
      return new WeakRef(bytes);
    })();
    for (let round = 0; round < 5; round++) {
      await delay(0);
      collectGarbage();
      assert(memory.deref() !== undefined, "the kernel has it");
    }
    write(ends.writeEnd, new Uint8Array(1));
    await done.promise;
    for (let round = 0; round < 100 && memory.deref(); round++) {
      await delay(0);
      collectGarbage();
    }
    assertEquals(memory.deref(), undefined);
  });

  test("close() ends what is pending and refuses what comes after", async () => {
    using ends = pipe();
    const aio = new AioContext(way);
    const pending = assertRejects(
      () => aioPoll(aio, ends.readEnd, POLLIN),
      Error,
      "Operation canceled",
    );
    await delay(1);
    const closed = aio.close();
    assertEquals(closed, aio.close());
    await closed;
    await pending;
    await assertRejects(
      () => aioPoll(aio, ends.readEnd, POLLIN),
      Deno.errors.BadResource,
      "the AIO context is closed",
    );
  });

  test("retain() keeps the reactor watching until release()", async () => {
    await using aio = new AioContext(way);
    aio.retain();
    using counter = eventFd(2);
    await aioRead(aio, counter.fd, new Uint8Array(8));
    await assertRejects(() => aioRead(aio, counter.fd, new Uint8Array(8)));
    await aio.release();
  });

  test("the error for an exhausted aio-max-nr has numbers and the remedy", async () => {
    const limit = Number(readTextFile("/proc/sys/fs/aio-max-nr"));
    await using aio = new AioContext(way);
    const hoard = [];
    try {
      let size = 1 << 15;
      while (size >= 1) {
        const context = new BigUint64Array(1);
        if (openAio({ library }).setup(size, context) < 0) size >>= 1;
        else hoard.push(context[0]);
      }
      const error = await assertRejects(() => aioPoll(aio, 0, POLLIN), Error);
      assert(isSystemError(error, "EAGAIN"));
      assertStringIncludes(
        error.message,
        `of ${limit} (/proc/sys/fs/aio-max-nr)`,
      );
      assertStringIncludes(
        error.message,
        `sysctl -w fs.aio-max-nr=${2 * limit}`,
      );
    } finally {
      for (const context of hoard) {
        await destroyContext(Deno.UnsafePointer.create(context)!);
      }
    }
    // And it works again.
    using counter = eventFd(1);
    assertEquals(await aioRead(aio, counter.fd, new Uint8Array(8)), 8);
  });
}

Deno.test("openAio() says which library cannot be opened", () => {
  assertThrows(
    () => openAio({ library: "/nowhere/libaio.so" }),
    Error,
    "/nowhere/libaio.so",
  );
});

Deno.test("AioContext refuses an invalid capacity", () => {
  for (const capacity of [0, -1, 1.5, NaN]) {
    assertThrows(() => new AioContext({ capacity }), RangeError, "capacity");
  }
});
