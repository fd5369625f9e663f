// VM: --modules usbtmc, a class of device
/**
 * Instruments under python-usbtmc and pyvisa-py, which take them from the kernel's
 * driver.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import {
  IDENTITY,
  testInstrument,
} from "../support/gadgets/test_instrument.ts";
import { startUsbtmc } from "../support/gadgets/usbtmc_gadget.ts";
import { Python } from "../support/programs/python.ts";
import { until } from "../support/waiting/until.ts";

const SIZE = 4 << 20;

Deno.test("python-usbtmc asks, transfers 4 MiB, polls, triggers, clears and aborts", async () => {
  const { instrument, record } = testInstrument();
  await using _gadget = await startUsbtmc(instrument);
  await using python = await Python.start(`
import hashlib, usbtmc
device = usbtmc.Instrument(0x1209, 0x0001)
device.timeout = 60`);
  assertEquals(await python.run("device.ask('*IDN?')"), IDENTITY);
  assertEquals(record.clears, 1);
  await python.run(`
data = device.ask_raw(b"DATA? ${SIZE}")
device.write_raw(b"DATA #7${SIZE}" + data[9:-1])`);
  assertEquals(await python.run("device.ask('DATA:SIZE?')"), `${SIZE}`);
  assertEquals(firstDifference(record.block, pattern(SIZE)), -1);
  await python.run("device.write('*CLS;*SRE 32;*ESE 32;NONE')");
  assertEquals(
    await python.run("list(device.interrupt_in_ep.read(2, 60000))"),
    [0x81, 0x64],
  );
  assertEquals(await python.run("device.read_stb()"), 0x64);
  assertEquals(await python.run("device.read_stb()"), 0x24);
  assertEquals(
    await python.run("device.ask('SYST:ERR?')"),
    '-113,"Undefined header; :NONE"',
  );
  await python.run("device.trigger(); device.pulse(); device.ask('*OPC?')");
  assertEquals([record.triggers, record.pulses], [1, 1]);
  // A response that does not come in time
  await python.run("device.write('WAIT?')");
  await until(() => record.waiting === 1, "the command");
  await python.run("device.timeout = 2");
  await python.failure("device.read()");
  await python.run("device.timeout = 60");
  record.release();
  assertEquals(await python.run("device.read()"), "waited");
  await python.run("device.write('WAIT?'); device.clear()");
  assertEquals(await python.run("device.ask('*IDN?')"), IDENTITY);
  // A message that the device does not take in time
  const { waits } = record;
  await python.run("device.write('WAIT?'); device.write('WAIT?')");
  await until(() => record.waits === waits + 1, "the command");
  await python.run("device.timeout = 2");
  // It does not notice that only a part of it was taken.
  await python.run("device.write_raw(bytes(1 << 20))");
  await python.run("device._abort_bulk_out()");
  record.release();
  await until(() => record.waits === waits + 2, "the second command");
  record.release();
  await python.run("device.timeout = 60");
  assertEquals(await python.run("device.ask('*IDN?')"), IDENTITY);
  await python.run("device.term_char = ord('\\n')");
  await python.run("device.write('LIN? 1')");
  assertEquals(await python.run("device.read()"), "line\nend");
});

Deno.test("pyvisa-py finds the instrument, asks, transfers blocks and aborts", async () => {
  const { instrument, record } = testInstrument();
  await using gadget = await startUsbtmc(instrument);
  // It resets the device when it opens it.
  const python = await Python.start(`
import pyvisa
manager = pyvisa.ResourceManager("@py")
name = manager.list_resources()[0]`);
  await using _ = python;
  assertEquals(await python.run("name"), "USB0::4617::1::1::0::INSTR");
  await gadget.reconnect(() =>
    python.run(`
device = manager.open_resource(name, timeout=60000)
device.read_termination = "\\n"`)
  );
  assertEquals(await python.run("device.query('*IDN?')"), IDENTITY);
  assertEquals(instrument.remote, "remote");
  await python.run(`
values = device.query_binary_values("DATA? ${SIZE}", datatype="B", container=bytes)
device.write_binary_values("DATA ", values[:100000], datatype="B")`);
  assertEquals(await python.run("len(values)"), SIZE);
  assertEquals(await python.run("device.query('DATA:SIZE?')"), "100000");
  assertEquals(firstDifference(record.block, pattern(100_000)), -1);
  // Debian's version does not send the trigger of USB488.
  await python.run("device.write('*TRG')");
  assertEquals(await python.run("device.query('*OPC?')"), "1");
  assertEquals(record.triggers, 1);
  // A read that is too early is aborted.
  await python.run("device.write('WAIT?')");
  await until(() => record.waiting === 1, "the command");
  await python.run("device.timeout = 2000");
  await python.failure("device.read()");
  await python.run("device.timeout = 60000");
  record.release();
  assertEquals(await python.run("device.read()"), "waited");
  assertEquals(await python.run("device.query('SYST:ERR?')"), '0,"No error"');
});
