/**
 * A function is closed, or its gadget goes away, whatever its requests do.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals, assertRejects } from "@std/assert";
import type { SetupRequest } from "@usb/gadget";
import { list, unlink } from "../../ffi/file.ts";
import { answerIsInKernel } from "../support/machine/answer_in_kernel.ts";
import {
  aborted,
  type ControlGadget,
  outcome,
  startControl,
  VENDOR,
} from "../support/gadgets/control.ts";
import { until } from "../support/waiting/until.ts";
import { watchEventLoop } from "../support/measure/heartbeat.ts";
import { keepHostAway } from "../support/host/absence.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";

/** A request that the host has given up, and whose answer is in the kernel. */
async function startStuck(direction: "in" | "out"): Promise<
  ControlGadget & { answered: Promise<unknown> }
> {
  const received = Promise.withResolvers<SetupRequest>();
  const host = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<unknown>();
  const it = await startControl({
    control: async (setup) => {
      if (setup.request === 2) return new Uint8Array(64);
      received.resolve(setup);
      await host.promise;
      const answer = direction === "in"
        ? setup.reply(new Uint8Array(64))
        : setup.receive();
      answered.resolve(answer.catch((error) => error.code));
      return void await answer;
    },
  });
  try {
    const controller = new AbortController();
    const setup = { ...VENDOR, request: 1 };
    const { signal } = controller;
    const lost = outcome<unknown>(
      direction === "in"
        ? it.host.controlIn({ ...setup, length: 64 }, { signal })
        : it.host.controlOut(setup, new Uint8Array(64), { signal }),
    );
    await received.promise;
    controller.abort();
    assertEquals(await lost, "ENOENT");
    // dummy_hcd does not report that the host has given up.
    assertEquals((await received.promise).signal.aborted, false);
    host.resolve();
    await until(answerIsInKernel, "the answer waits in the kernel");
  } catch (error) {
    await it[Symbol.asyncDispose]();
    throw error;
  }
  return Object.assign(it, { answered: answered.promise });
}

for (const direction of ["in", "out"] as const) {
  const what = direction === "in" ? "an answer" : "a wait for data";
  Deno.test(`close() takes ${what} back from the kernel that no host waits for`, async () => {
    using _ = watchEventLoop();
    const before = gadgetTraces();
    {
      await using it = await startStuck(direction);
      // Not the gadget: it is still bound, and its host still there.
      await it.fs.close();
      assertEquals(await it.answered, "EIDRM");
      assertEquals(answerIsInKernel(), false);
      assertEquals(it.fs.state, "closed");
      assertEquals(it.gadget.udc.driver, "");
      await it.fs.close();
    }
    assertEquals(gadgetTraces(), before);
  });

  Deno.test(`stop() and the host's next request end ${what} that no host waits for`, async () => {
    const before = gadgetTraces();
    {
      await using it = await startStuck(direction);
      // The host's next request makes room for itself.
      const next = { ...VENDOR, request: 2, length: 64 };
      assertEquals((await it.host.controlIn(next)).byteLength, 64);
      assertEquals(await it.answered, "EIDRM");
    }
    {
      await using it = await startStuck(direction);
      await it.gadget.stop();
      assertEquals(await it.answered, "EIDRM");
    }
    assertEquals(gadgetTraces(), before);
  });
}

Deno.test("close() stalls a request that is still with its handler, and cancels it there", async () => {
  const received = Promise.withResolvers<SetupRequest>();
  const over = Promise.withResolvers<void>();
  await using it = await startControl({
    control: async (setup) => {
      received.resolve(setup);
      await aborted(setup);
      over.resolve();
      await assertRejects(() => setup.reply(new Uint8Array(1)));
    },
  });
  const seen = outcome(
    it.host.controlIn({ ...VENDOR, request: 1, length: 8 }),
  );
  await received.promise;
  await Promise.all([it.fs.close(), it.fs.close()]);
  await over.promise;
  assertEquals(await seen, "EPIPE");
});

Deno.test("close() does not wait for a host that never came", async () => {
  const before = gadgetTraces();
  using host = keepHostAway();
  await using it = await startControl({ control: () => {}, connect: false });
  const enabled = it.fs.enabled();
  await host.seen(it.gadget.definition);
  await Promise.all([
    it.fs.close(),
    assertRejects(() => enabled, Deno.errors.BadResource),
  ]);
  assertEquals(it.fs.state, "closed");
  await it.gadget.stop();
  assertEquals(gadgetTraces(), before);
});

Deno.test("close() in the first turn of a function's life is complete", async () => {
  const before = gadgetTraces();
  for (let round = 0; round < 3; round++) {
    await using it = await startControl({ control: () => {}, connect: false });
    await it.fs.close();
    assertEquals(it.gadget.udc.driver, "");
  }
  assertEquals(gadgetTraces(), before);
});

Deno.test("a function whose gadget another process removes is unbound, and can be closed", async () => {
  await using it = await startControl({ control: () => {} });
  const root = `/sys/kernel/config/usb_gadget/${it.gadget.name}`;
  const configuration = `${root}/configs/c.1`;
  for (const { name, isSymlink } of list(configuration)) {
    if (isSymlink) unlink(`${configuration}/${name}`);
  }
  await until(() => it.fs.state === "unbound", "the function is unbound");
  await it.fs.close();
  assertEquals(it.fs.state, "closed");
});

Deno.test("a process can end while an answer waits in the kernel, and leaves nothing", async () => {
  const before = gadgetTraces();
  const match = {
    vendorId: 0x1209,
    productId: 0x0001,
    serialNumber: "control exit",
  };
  const url = (path: string) => new URL(path, import.meta.url);
  const code = `
    import { Gadget, usbFunction } from "${url("../../mod.ts")}";
    import { answerIsInKernel } from "${
    url("../support/machine/answer_in_kernel.ts")
  }";
    const gadget = await Gadget.start({
      ...${JSON.stringify(match)},
      maxSpeed: "${gadgetSpeed().maxSpeed}",
      functions: [usbFunction({
        name: "end",
        interfaces: [{ class: 0xff }],
        control: async (setup) => {
          console.log("received");
          await Deno.stdin.read(new Uint8Array(1)); // The host has given up.
          setInterval(() => answerIsInKernel() && Deno.exit(7), 2);
          await setup.reply(new Uint8Array(64));
        },
      })],
    });`;
  await using child = startProgram(code);
  await using device = await UsbfsDevice.find(match);
  await device.claimInterface(0);
  const controller = new AbortController();
  const lost = outcome(
    device.controlIn({ requestType: 0x41, request: 1, length: 64 }, {
      signal: controller.signal,
    }),
  );
  await child.said("received");
  controller.abort();
  assertEquals(await lost, "ENOENT");
  await child.process.stdin.close();
  assertEquals((await child.process.status).code, 7);
  assertEquals(gadgetTraces(), before);
});

/** Runs a program with the permission that a gadget needs. */
function startProgram(code: string) {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--allow-ffi",
      `data:application/typescript,${encodeURIComponent(code)}`,
    ],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  let text = "";
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of process.stdout) text += decoder.decode(chunk);
  })();
  return {
    process,
    said: (what: string) =>
      until(() => text.includes(what), `the program says "${what}"`),
    async [Symbol.asyncDispose]() {
      try {
        process.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await process.status;
      await reading;
    },
  };
}
