// VM: --modules usbtmc, a class of device
/**
 * Hosts that leave in the middle of something: unplugged, reset, or killed. The
 * next one finds an instrument that works.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import {
  IDENTITY,
  testInstrument,
} from "../support/gadgets/test_instrument.ts";
import {
  IDS,
  OPEN_DRIVER,
  startUsbtmc,
} from "../support/gadgets/usbtmc_gadget.ts";
import { Python } from "../support/programs/python.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

/** What a host has begun when it leaves. */
const PHASES: Readonly<Record<string, string>> = {
  "in a message": `
device.generic_write(struct.pack("<BBBxI4x", 1, 9, 246, 50000) + bytes(4084))`,
  "while its query is executed": "device.write('WAIT?')",
  "while it waits for a response": `
device.write("WAIT?")
device.generic_write(struct.pack("<BBBxI4x", 2, 9, 246, 1000))`,
  "before it reads a response": `
device.write("DATA? 100000")
device.generic_write(struct.pack("<BBBxI4x", 2, 9, 246, 1 << 20))`,
  "in a response": `
device.write("DATA? 3000000")
device.generic_write(struct.pack("<BBBxI4x", 2, 9, 246, 1 << 22))
device.generic_read(8192)`,
  "while service is requested":
    "device.write('*SRE 16'); device.write('*IDN?')",
};

/** Calls that are pending when the host leaves, and what comes before. */
const CALLS: Readonly<Record<string, readonly [string, string]>> = {
  "in a read": ["device.write('WAIT?')", "device.read()"],
  "in a write": [
    "device.write('WAIT?'); device.write('WAIT?')",
    "device.write(bytes(1 << 20))",
  ],
};

Deno.test("an unplugged cable in every phase leaves an instrument that works", async () => {
  const { instrument, record } = testInstrument();
  await using gadget = await startUsbtmc(instrument);
  await using python = await gadget.driver();
  const replug = async (phase: string, pending?: Promise<unknown>) => {
    await gadget.unplug();
    await pending;
    await python.run("device.close()");
    await gadget.plug();
    await python.run(OPEN_DRIVER);
    assertEquals(await python.run("device.get_stb() & 0x50"), 0, phase);
    await checkNext(python, phase);
    assertEquals(instrument.remote, "local", phase);
    assertEquals(record.waiting, 0, phase);
  };
  for (let round = 0; round < soak(10, 1); round++) {
    for (const [phase, source] of Object.entries(PHASES)) {
      await python.run(source);
      await replug(phase);
    }
    for (const [phase, [before, call]] of Object.entries(CALLS)) {
      await python.run(before);
      await until(() => record.waiting === 1, "the command");
      const pending = python.failure(call);
      await until(() => python.isInCall, phase);
      await replug(phase, pending);
    }
  }
});

Deno.test("a reset in every phase leaves an instrument that works", async () => {
  const { instrument, record } = testInstrument();
  await using gadget = await startUsbtmc(instrument);
  await using python = await gadget.driver();
  for (let round = 0; round < soak(10, 1); round++) {
    for (const [phase, source] of Object.entries(PHASES)) {
      await python.run(source);
      await gadget.reconnect(async () => {
        await using device = await UsbfsDevice.find(IDS);
        await device.reset();
      });
      // After a reset, the driver does not poll the interrupt endpoint: no get_stb().
      await python.run("device.close()");
      await python.run(OPEN_DRIVER);
      await checkNext(python, phase);
      assertEquals(instrument.remote, "local", phase);
      assertEquals(record.waiting, 0, phase);
    }
  }
});

/** The host after the one that has left gets the answer to its own query. */
async function checkNext(python: Python, phase: string): Promise<void> {
  assertEquals(
    await python.run("device.ask('*CLS;*SRE 0;*IDN?')"),
    `${IDENTITY}\n`,
    phase,
  );
}

Deno.test("a host that is killed in a read or a write leaves an instrument that works", async () => {
  const { instrument, record } = testInstrument();
  await using _ = await startUsbtmc(instrument);
  // python-usbtmc, whose transfers end with the process
  const start = `
import usbtmc
device = usbtmc.Instrument(0x1209, 0x0001)
device.timeout = 60
device.open()`;
  const phases: Readonly<Record<string, readonly [string, string]>> = {
    "in a read": ["device.write('WAIT?')", "device.read()"],
    "in a write": [
      "device.write('WAIT?'); device.write('WAIT?')",
      "device.write_raw(bytes(1 << 20))",
    ],
  };
  let python = await Python.start(start);
  const checkNext = async (phase: string) => {
    await python.kill();
    // The same library clears the device; others do not.
    python = await Python.start(start);
    assertEquals(await python.run("device.ask('*CLS;*IDN?')"), IDENTITY, phase);
    assertEquals(await python.run("device.ask('SYST:ERR?')"), '0,"No error"');
  };
  for (let round = 0; round < soak(10, 1); round++) {
    for (const [phase, [before, call]] of Object.entries(phases)) {
      await python.run(before);
      await until(() => record.waiting === 1, "the command");
      const over = python.run(call).catch(() => {});
      await until(() => python.isInCall, phase);
      await checkNext(phase);
      await over;
    }
    await python.run("device.write('DATA? 100000')");
    await checkNext("between a command and its response");
  }
  await python[Symbol.asyncDispose]();
});

Deno.test("a message that a host has left unfinished is not taken for a part of the next one", async () => {
  const { instrument } = testInstrument();
  await using gadget = await startUsbtmc(instrument);
  await using python = await gadget.driver();
  await python.run(PHASES["in a message"]);
  await python.run(`device.close()${OPEN_DRIVER}`);
  assertEquals(await python.run("device.ask('*IDN?')"), `${IDENTITY}\n`);
});
