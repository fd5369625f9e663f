// VM: --modules usbtmc, a class of device, newest kernel
/**
 * examples/instrument.ts, as a user runs it.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { exists } from "../../ffi/file.ts";
import { OPEN_DRIVER } from "../support/gadgets/usbtmc_gadget.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { startExample } from "../support/programs/example.ts";
import { Python } from "../support/programs/python.ts";
import { until } from "../support/waiting/until.ts";

Deno.test("examples/instrument.ts has two outputs, which the host sets and measures", async () => {
  const before = gadgetTraces();
  await using example = startExample("instrument.ts");
  await until(() => exists("/dev/usbtmc0"), "the driver has the instrument");
  await using python = await Python.start(OPEN_DRIVER);
  const tell = (text: string) => python.run(`device.write("${text}\\n")`);
  const ask = (text: string) => python.run(`device.ask("${text}\\n")`);
  assertEquals(await ask("*IDN?"), "Example,Power supply,1,0.1\n");
  await tell("VOLT2 3.3;:OUTPUT2:STATE ON;:VOLT 5");
  assertEquals(await ask("SOUR:VOLT1?;VOLT2?;:OUTP?;:OUTP2?"), "5;3.3;0;1\n");
  assertEquals(await ask("MEAS:VOLT?;VOLT2?"), "0;3.3\n");
  await tell("VOLT 31;VOLT3 1;VOLT");
  assertEquals(
    await ask("SYST:ERR?;ERR?"),
    '-222,"Data out of range";-114,"Header suffix out of range"\n',
  );
  await tell("*RST");
  assertEquals(await ask("VOLT2?;:OUTP2?"), "0;0\n");
  assertEquals((await example.end("SIGINT")).text, "");
  assertEquals(gadgetTraces(), before);
});
