// VM: any architecture
import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { POLLHUP, POLLIN, POLLOUT } from "../../ffi/abi.ts";
import { close, read, write } from "../../ffi/file.ts";
import { watch } from "../../ffi/reactor.ts";
import { eventFd, pipe } from "../support/machine/pipe.ts";
import "../support/run/aio_libraries.ts";

const byte = new Uint8Array([1]);

Deno.test("watch() calls the handler when the file becomes ready", async () => {
  using ends = pipe();
  const { promise, resolve } = Promise.withResolvers<number>();
  const buffer = new Uint8Array(16);
  const watching = watch(ends.readEnd, POLLIN, (events) => {
    read(ends.readEnd, buffer);
    resolve(events);
  });
  write(ends.writeEnd, byte);
  assertEquals(await promise, POLLIN);
  await watching.stop();
});

Deno.test("watch() serves files that are added while it waits", async () => {
  using first = pipe();
  using second = pipe();
  const buffer = new Uint8Array(16);
  const order: string[] = [];
  const both = Promise.withResolvers<void>();
  const one = watch(first.readEnd, POLLIN, () => {
    read(first.readEnd, buffer);
    order.push("first");
    both.resolve();
  });
  await delay(1); // the poll is parked
  const two = watch(second.readEnd, POLLIN, () => {
    read(second.readEnd, buffer);
    order.push("second");
    write(first.writeEnd, byte);
  });
  write(second.writeEnd, byte);
  await both.promise;
  assertEquals(order, ["second", "first"]);
  await Promise.all([one.stop(), two.stop()]);
});

Deno.test("stop() ends the calls at once, also from inside a handler", async () => {
  using ends = pipe();
  let calls = 0;
  const stopped = Promise.withResolvers<void>();
  const watching = watch(ends.readEnd, POLLIN, () => {
    calls++;
    // The byte is not read: without the stop this would be called for ever.
    watching.stop().then(stopped.resolve);
  });
  write(ends.writeEnd, byte);
  await stopped.promise;
  assertEquals(calls, 1);
});

Deno.test("a new watch can start right after the last one was stopped", async () => {
  for (let round = 0; round < 200; round++) {
    using ready = eventFd(1);
    const called = Promise.withResolvers<void>();
    const watching = watch(ready.fd, POLLIN, () => {
      read(ready.fd, new Uint8Array(8));
      called.resolve();
    });
    await called.promise;
    await watching.stop();
  }
});

Deno.test("a new watch from inside the handler of the last one works", async () => {
  using ready = eventFd(1);
  const done = Promise.withResolvers<void>();
  const first = watch(ready.fd, POLLIN, () => {
    first.stop();
    const second = watch(ready.fd, POLLIN, () => {
      second.stop().then(done.resolve);
    });
  });
  await done.promise;
});

Deno.test("a hang-up is reported even if it was not requested", async () => {
  const ends = pipe();
  const hangUp = Promise.withResolvers<number>();
  const watching = watch(ends.readEnd, POLLIN, hangUp.resolve);
  close(ends.writeEnd);
  assert((await hangUp.promise & POLLHUP) !== 0);
  await watching.stop();
  close(ends.readEnd);
});

Deno.test("several watches of one file get their own events", async () => {
  using ready = eventFd();
  const writable = Promise.withResolvers<number>();
  const readable = Promise.withResolvers<number>();
  const out = watch(ready.fd, POLLOUT, (events) => {
    out.stop();
    writable.resolve(events);
  });
  const input = watch(ready.fd, POLLIN, readable.resolve);
  assertEquals(await writable.promise, POLLOUT);
  write(ready.fd, new Uint8Array(new BigUint64Array([1n]).buffer));
  assertEquals(await readable.promise, POLLIN);
  await input.stop();
});

/** Runs a program text with `--allow-ffi` alone. */
async function runProgram(body: string): Promise<Deno.CommandOutput> {
  const ffi = new URL("../../ffi/", import.meta.url);
  const code = `
    import { watch } from "${ffi}reactor.ts";
    import { eventFd } from "${new URL(
    "../support/machine/pipe.ts",
    import.meta.url,
  )}";
    import { AioContext } from "${ffi}aio/context.ts";
    import { aioPoll } from "${new URL(
    "../support/machine/aio.ts",
    import.meta.url,
  )}";
    ${body}`;
  return await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-ffi",
      `data:application/typescript,${encodeURIComponent(code)}`,
    ],
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(30_000),
  }).output();
}

Deno.test("a process ends by itself once nothing is watched", async () => {
  const { code, stdout, stderr } = await runProgram(`
    const ready = eventFd(1);
    const watching = watch(ready.fd, 1, () => {
      console.log("ready");
      watching.stop();
    });
    const aio = new AioContext();
    aioPoll(aio, ready.fd, 1).then(() => console.log("polled"));
  `);
  assertEquals(new TextDecoder().decode(stderr), "");
  const out = new TextDecoder().decode(stdout);
  assertStringIncludes(out, "ready");
  assertStringIncludes(out, "polled");
  assertEquals(code, 0);
});

Deno.test("what a handler throws surfaces as an uncaught error", async () => {
  const { code, stderr } = await runProgram(`
    const ready = eventFd(1);
    watch(ready.fd, 1, () => { throw new Error("from the handler"); });
  `);
  assertStringIncludes(new TextDecoder().decode(stderr), "from the handler");
  assertEquals(code, 1);
});

Deno.test("without --allow-ffi the error names the permission", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      `data:application/typescript,import { libc } from "${new URL(
        "../../ffi/libc.ts",
        import.meta.url,
      )}"; console.log("imported"); libc();`,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  assertStringIncludes(new TextDecoder().decode(stderr), "--allow-ffi");
  assertEquals(code, 1);
});

Deno.test("a paused watch is not called, and is called after the pause for what it has missed", async () => {
  using first = pipe();
  using second = pipe();
  const buffer = new Uint8Array(16);
  const order: string[] = [];
  const paused = watch(first.readEnd, POLLIN, () => {
    read(first.readEnd, buffer);
    order.push("first");
    write(second.writeEnd, byte);
  });
  let resolve = () => {};
  const other = watch(second.readEnd, POLLIN, () => {
    read(second.readEnd, buffer);
    order.push("second");
    resolve();
  });
  const turn = async (run: () => void) => {
    const called = Promise.withResolvers<void>();
    resolve = called.resolve;
    run();
    await called.promise;
  };
  paused.pause();
  // A wait that has begun still looks at it, and is over then.
  await turn(() => write(second.writeEnd, byte));
  assertEquals(order.splice(0), ["second"]);
  write(first.writeEnd, byte);
  await turn(() => write(second.writeEnd, byte));
  await turn(() => write(second.writeEnd, byte));
  assertEquals(order.splice(0), ["second", "second"]);
  await turn(() => paused.resume());
  assertEquals(order, ["first", "second"]);
  await Promise.all([paused.stop(), other.stop()]);
});
