/**
 * A program whose gadget ends or loses what it needs.
 *
 * @module
 */
// VM: any speed, newest kernel
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import {
  bulkPair,
  type EndpointPair,
  externalFunction,
  FunctionFs,
  Gadget,
} from "@usb/gadget";
import { exists } from "../../ffi/file.ts";
import { instanceName } from "../../src/definition/gadget_names.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { runToItsEnd } from "../support/programs/ending.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { link } from "../support/gadgets/link_function.ts";
import { shell } from "../support/machine/shell.ts";
import { until } from "../support/waiting/until.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };

const LOOPS: Record<string, (pair: EndpointPair) => Promise<void>> = {
  async "transfers()"(pair) {
    for (;;) {
      for await (const _ of pair.transfers());
    }
  },
  async "readable"(pair) {
    for (;;) await pair.readable.pipeTo(new WritableStream());
  },
  async "writable"(pair) {
    // Streams without chunks, which never see the end of the function.
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve));
      await ReadableStream.from([]).pipeTo(pair.writable);
    }
  },
};

for (const [name, loop] of Object.entries(LOOPS)) {
  Deno.test(`a loop over ${name} ends when the gadget is stopped`, async () => {
    const before = gadgetTraces();
    {
      await using test = await startEndpoints({ link: bulkPair() });
      const looping = loop(test.endpoints.link).catch((error) => error);
      await test.fs.enabled();
      await test.gadget.stop();
      const error = await looping;
      assert(error instanceof Deno.errors.BadResource, String(error));
    }
    assertEquals(gadgetTraces(), before);
  });
}

Deno.test("a loop over the events of a function ends when that is closed", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { fs } = test;
  const looping = (async () => {
    for (;;) for await (const _ of fs.events);
  })().catch((error) => error);
  await test.gadget.stop();
  assert(await looping instanceof Deno.errors.BadResource);
});

Deno.test("150,000 writes wait while the host resets the endpoint", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const COUNT = 150_000;
  const TAKEN = 200;
  // dummy_hcd takes up to 64 bytes from a write before the host does.
  const SIZE = 65;
  let sent = 0;
  const errors = new Map<string, number>();
  const writes: Promise<void>[] = [];
  for (let index = 0; index < COUNT; index++) {
    writes.push(
      link.write(new Uint8Array(SIZE).fill(index)).then(
        () => void sent++,
        ({ name }) => void errors.set(name, (errors.get(name) ?? 0) + 1),
      ),
    );
  }
  await host.setInterface(0, 0);
  for (let index = 0; index < TAKEN; index++) {
    assertEquals(
      await host.read(link, 1024),
      new Uint8Array(SIZE).fill(index),
    );
  }
  await until(() => sent >= TAKEN, "the writes that were taken are done");
  await test.gadget.stop();
  await Promise.all(writes);
  assertEquals([...errors], [["BadResource", COUNT - sent]]);
});

/** Defines `withoutFiles(work)`, which runs while no file can be opened. */
const WITHOUT_FILES = `
  const RLIMIT_NOFILE = 7;
  const { getrlimit, setrlimit } = Deno.dlopen("libc.so.6", {
    getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
    setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  }).symbols;
  const withoutFiles = async (work) => {
    const before = new BigUint64Array(2);
    getrlimit(RLIMIT_NOFILE, before);
    setrlimit(RLIMIT_NOFILE, BigUint64Array.of(0n, before[1]));
    try {
      return await work();
    } finally {
      setrlimit(RLIMIT_NOFILE, before);
    }
  };
  reading.catch(() => {});
  const error = await withoutFiles(() => gadget.stop().catch((it) => it));
  console.log(error.code);`;

Deno.test("stop() that has failed for lack of descriptors can be tried again", async () => {
  const before = gadgetTraces();
  const { status, output } = await runToItsEnd(`${WITHOUT_FILES}
    await gadget.bind().catch(({ name }) => console.log(name));
    await gadget.stop();
    console.log("stopped");`);
  assertEquals(output, "enabled\nEMFILE\nBadResource\nstopped\n");
  assertEquals(status.code, 0);
  assertEquals(gadgetTraces(), before);
});

Deno.test("a gadget whose stop() has failed is removed at the end of the process", async () => {
  const before = gadgetTraces();
  const { status, output } = await runToItsEnd(`${WITHOUT_FILES}
    Deno.exit(7);`);
  assertEquals(output, "enabled\nEMFILE\n");
  assertEquals(status.code, 7);
  assertEquals(gadgetTraces(), before);
});

/** Counts the timers that are set until it is disposed of. */
function countTimers() {
  const { setTimeout } = globalThis;
  const counter = {
    count: 0,
    [Symbol.dispose]: () => void (globalThis.setTimeout = setTimeout),
  };
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
    if (args[1] === 100) counter.count++;
    return setTimeout(...args);
  }) as typeof setTimeout;
  return counter;
}

Deno.test("rebind goes on while the mount of a function is away", async () => {
  const before = gadgetTraces();
  const name = "rebound";
  const path = `/run/usb-gadget/${name}/daemon`;
  const errors: unknown[] = [];
  const starting = Gadget.start(
    { ...ids, functions: [externalFunction("daemon")] },
    { name, rebind: true, onError: (error) => errors.push(error) },
  );
  await until(() => exists(`${path}/ep0`), "the function is mounted");
  const first = FunctionFs.open(link("daemon"), path);
  const gadget = await starting;
  try {
    await first.enabled();
    // The daemon ends, and its mount with it.
    await first.close();
    await until(() => !gadget.bound, "the kernel has unbound the gadget");
    await shell(`umount ${path} && rmdir ${path}`);
    {
      using looks = countTimers();
      await until(() => looks.count >= 4, "it has looked several times");
    }
    const instance = instanceName(name, "daemon");
    await shell(`mkdir ${path} && mount -t functionfs ${instance} ${path}`);
    await using second = FunctionFs.open(link("daemon"), path);
    await second.enabled();
    assertEquals(gadget.bound, true);
  } finally {
    await gadget.stop();
  }
  assertEquals(errors, []);
  assertEquals(gadgetTraces(), before);
});
