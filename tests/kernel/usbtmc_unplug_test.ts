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
import { IDS, startUsbtmc } from "../support/gadgets/usbtmc_gadget.ts";
import { Python } from "../support/programs/python.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

/** What a host does when it leaves. */
const PHASES = {
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
} as const;

for (const how of ["an unplugged cable", "a reset"] as const) {
  Deno.test(`${how} in every phase leaves an instrument that works`, async () => {
    const { instrument, record } = testInstrument();
    await using gadget = await startUsbtmc(instrument);
    for (let round = 0; round < soak(20, 1); round++) {
      for (const [phase, source] of Object.entries(PHASES)) {
        const python = await gadget.driver();
        await python.run(source);
        if (how === "a reset") {
          await gadget.reconnect(async () => {
            await using device = await UsbfsDevice.find(IDS);
            await device.reset();
          });
        } else await gadget.unplug();
        await python.kill();
        if (how !== "a reset") await gadget.plug();
        await using next = await gadget.driver();
        if (how === "an unplugged cable") {
          // After a reset, the driver does not poll the interrupt endpoint.
          assertEquals(await next.run("device.get_stb() & 0x50"), 0, phase);
        }
        assertEquals(
          await next.run("device.ask('*CLS;*SRE 0;*IDN?')"),
          `${IDENTITY}\n`,
          phase,
        );
        assertEquals(instrument.remote, "local", phase);
        assertEquals(record.waiting, 0, phase);
      }
    }
  });
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
  const phases = {
    "in a read": ["device.write('WAIT?')", "device.read()"],
    "in a write": [
      "device.write('WAIT?'); device.write('WAIT?')",
      "device.write_raw(bytes(1 << 20))",
    ],
    "between a command and its response": ["device.write('DATA? 100000')", "1"],
  };
  for (let round = 0; round < soak(20, 1); round++) {
    for (const [phase, [before, last]] of Object.entries(phases)) {
      const python = await Python.start(start);
      await python.run(before);
      const over = python.run(last).catch(() => {});
      if (phase !== "between a command and its response") {
        await until(() => record.waiting === 1, "the command");
      }
      await python.kill();
      await over;
      // The same library clears the device; others do not.
      record.release();
      await using next = await Python.start(start);
      assertEquals(await next.run("device.ask('*CLS;*IDN?')"), IDENTITY, phase);
      assertEquals(await next.run("device.ask('SYST:ERR?')"), '0,"No error"');
    }
  }
});

Deno.test("a message that a killed host has left is not taken for a part of the next one", async () => {
  const { instrument } = testInstrument();
  await using gadget = await startUsbtmc(instrument);
  const python = await gadget.driver();
  await python.run(PHASES["in a message"]);
  await python.kill();
  await using next = await gadget.driver();
  assertEquals(await next.run("device.ask('*IDN?')"), `${IDENTITY}\n`);
});
