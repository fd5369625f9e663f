import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  Instrument,
  type InstrumentOptions,
  type ScpiCall,
  ScpiError,
} from "@usb/gadget/usbtmc";
import { pattern } from "../support/data/pattern.ts";
import { serveUsbtmc } from "../support/gadgets/usbtmc_bench.ts";
import { Request } from "../support/host/usbtmc_host.ts";
import { until } from "../support/waiting/until.ts";

const IDENTITY = "Example,Test,1,0.1";

function serve(options: Partial<InstrumentOptions> = {}) {
  const instrument = new Instrument({
    identity: IDENTITY,
    commands: {},
    ...options,
  });
  const bench = serveUsbtmc(instrument);
  const ask = async (text: string) => {
    const answer = await bench.host.ask(text);
    assert(answer.endsWith("\n"));
    return answer.slice(0, -1);
  };
  return {
    instrument,
    bench,
    host: bench.host,
    ask,
    /** The errors in the queue. */
    async errors(): Promise<string[]> {
      const errors: string[] = [];
      for (;;) {
        const error = await ask("SYST:ERR?");
        if (error === '0,"No error"') return errors;
        errors.push(error);
      }
    },
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
}

Deno.test("an instrument has the commands that standards demand", async () => {
  let resets = 0;
  await using it = serve({ onReset: () => void resets++ });
  const { ask, host } = it;
  assertEquals(await ask("*IDN?\n"), IDENTITY);
  assertEquals(
    await ask("*idn?;*OPC?;*TST?;SYST:VERS?"),
    `${IDENTITY};1;0;1999.0`,
  );
  // Power on, and only once
  assertEquals(await ask("*ESR?;*ESR?"), "128;0");
  await host.write("*ESE 36;*SRE 255;*WAI;*OPC;*RST");
  assertEquals(await ask("*ESE?;*SRE?;*ESR?"), "36;191;1");
  assertEquals(resets, 1);
  assertEquals(await it.errors(), []);
  const bytes = await host.control(Request.GET_CAPABILITIES);
  assertEquals([bytes[14], bytes[15]], [6, 14]);
});

Deno.test("commands of the program take precedence", async () => {
  await using it = serve({ commands: { "*TST?": () => 7 } });
  assertEquals(await it.ask("*TST?"), "7");
});

Deno.test("answers are formatted, and those of a message joined", async () => {
  const values = {
    A: "text",
    B: 1.5e-9,
    C: 1e21,
    D: true,
    E: NaN,
    F: -Infinity,
    G: [1, false, '"x"'],
    H: pattern(12),
  };
  await using it = serve({
    commands: Object.fromEntries(
      Object.entries(values).map(([name, value]) => [`${name}?`, () => value]),
    ),
  });
  assertEquals(
    await it.ask("A?;B?;C?;D?;E?;F?;G?"),
    'text;1.5E-9;1E+21;1;9.91E37;-9.9E37;1,0,"x"',
  );
  await it.host.write("A?;H?;A?\n");
  const { bytes } = await it.host.read();
  const block = [..."text;#212"].map((it) => it.charCodeAt(0));
  assertEquals([...bytes], [
    ...block,
    ...pattern(12),
    ...[..."; text\n"].filter((it) => it !== " ").map((it) => it.charCodeAt(0)),
  ]);
});

Deno.test("parameters are checked for their number, kind and range", async () => {
  const seen: unknown[] = [];
  const see = (read: (call: ScpiCall) => unknown) => (call: ScpiCall) =>
    void seen.push(read(call));
  await using it = serve({
    commands: {
      "NUMBer": see((call) => call.number({ min: -5, max: 30, default: 1 })),
      "FLAG": see((call) => call.boolean()),
      "TEXT": see((call) => call.text()),
      "MODE": see((call) => call.choice("DC", "EXTernal")),
      "DATA": see((call) => [...call.block()]),
      "OUTPut#:LIST#": see((
        call,
      ) => [call.suffixes, call.remaining, call.number(), call.number()]),
    },
  });
  await it.host.write(
    "NUMB -5;NUMB MIN;NUMB MAXimum;NUMB DEF;NUMB;FLAG ON;FLAG 0;FLAG 2;FLAG off;TEXT 'a';TEXT (@1);MODE ext;MODE DC;DATA #12ab;OUTP2:LIST 3,4",
  );
  assertEquals(await it.errors(), []);
  assertEquals(seen.splice(0), [
    -5,
    -5,
    30,
    1,
    1,
    true,
    false,
    true,
    false,
    "a",
    "(@1)",
    "EXTernal",
    "DC",
    [97, 98],
    [[2, 1], 2, 3, 4],
  ]);
  await it.host.write(
    "NUMB 31;NUMB ON;NUMB 1V;FLAG;FLAG MAYBE;FLAG 'ON';TEXT 5;MODE AC;MODE 5;DATA 'a';FLAG 1,2",
  );
  assertEquals(await it.errors(), [
    '-222,"Data out of range"',
    '-104,"Data type error"',
    '-138,"Suffix not allowed; V"',
    '-109,"Missing parameter"',
    '-224,"Illegal parameter value"',
    '-104,"Data type error"',
    '-104,"Data type error"',
    '-224,"Illegal parameter value"',
    '-104,"Data type error"',
    '-104,"Data type error"',
    '-108,"Parameter not allowed"',
  ]);
});

Deno.test("errors are for the host, and those of the program are reported as well", async () => {
  await using it = serve({
    commands: {
      "LAMP": () => {
        throw new ScpiError(5, 'Lamp "A" is off');
      },
      "BREAK?": () => Promise.reject(new Error("broken")),
      "WRONG?": () => ({}) as never,
    },
  });
  it.instrument.fail(new ScpiError(-310));
  await it.host.write("LAMP;BREAK?;WRONG?;NONE 5;*OPC?");
  assertEquals(await it.ask("SYST:ERR:COUN?"), "5");
  assertEquals(await it.errors(), [
    '-310,"System error"',
    '5,"Lamp ""A"" is off"',
    '-200,"Execution error"',
    '-200,"Execution error"',
    '-113,"Undefined header; :NONE"',
  ]);
  // Device, execution and command errors; power on
  assertEquals(await it.ask("*ESR?"), `${8 + 16 + 32 + 128}`);
  assertEquals(it.bench.takeReported(), [
    "Error: broken",
    "TypeError: Cannot answer query: an answer must be a string, a number, a boolean or bytes, is an object",
  ]);
});

Deno.test("the error queue holds 32 entries, and *CLS empties it", async () => {
  await using it = serve();
  for (let n = 1; n <= 40; n++) it.instrument.fail(new ScpiError(n, "x"));
  const errors = await it.errors();
  assertEquals(errors.length, 32);
  assertEquals(errors.slice(-2), ['31,"x"', '-350,"Queue overflow"']);
  it.instrument.fail(new ScpiError(-310));
  await it.host.write("*CLS");
  assertEquals(await it.ask("*ESR?"), "0");
  assertEquals(await it.errors(), []);
});

Deno.test("queries that are not read, and reads without a query, are errors", async () => {
  await using it = serve({ commands: { "A": () => {} } });
  await it.host.write("*IDN?");
  await it.host.write("*CLS;*IDN?");
  assertEquals(await it.ask("SYST:ERR?"), '-410,"Query INTERRUPTED"');
  await it.host.request();
  assertEquals(await it.ask("SYST:ERR?"), '-420,"Query UNTERMINATED"');
  await it.host.write("A");
  await it.host.request();
  // The error is in the queue.
  assertEquals(await it.host.status(), 4);
  assertEquals(await it.errors(), ['-420,"Query UNTERMINATED"']);
});

Deno.test("service is requested when an enabled bit of the status byte is set", async () => {
  await using it = serve();
  const { host, instrument } = it;
  // A response
  await host.write("*SRE 16");
  await host.write("*IDN?");
  assertEquals(await host.notification(), [0x81, 0x50]);
  assertEquals(await host.status(), 0x50);
  assertEquals((await host.read()).text, `${IDENTITY}\n`);
  assertEquals(await host.status(), 0);
  // The end of an operation
  await host.write("*CLS;*ESE 1;*SRE 32;*OPC");
  assertEquals(await host.notification(), [0x81, 0x60]);
  assertEquals(await it.ask("*STB?"), `${0x60}`);
  assertEquals(await it.ask("*ESR?"), "1");
  assertEquals(await host.status(), 0x40);
  // An error, and a bit of the instrument
  await host.write("*SRE 5");
  await host.write("NONE");
  assertEquals(await host.notification(), [0x81, 0x44]);
  instrument.status = 1;
  assertEquals(await host.notification(), [0x81, 0x45]);
  assertEquals(instrument.status, 1);
  assertThrows(
    () => instrument.status = 0x10,
    TypeError,
    "the status must be a byte of the bits 0, 1, 3 and 7, is 16",
  );
});

Deno.test("a block of unknown length is streamed, and is the last answer", async () => {
  async function* source() {
    for (let n = 0; n < 10; n++) yield pattern(100_000, n);
  }
  await using it = serve({ commands: { "TRACe?": source } });
  await it.host.write("*OPC?;TRAC?;*OPC?");
  let text = "";
  let size = 0;
  for (let isDone = false; !isDone;) {
    const { bytes, eom } = await it.host.read(70_000);
    if (size === 0) text = new TextDecoder().decode(bytes.subarray(0, 4));
    size += bytes.length;
    isDone = eom;
  }
  assertEquals([text, size], ["1;#0", 4 + 1_000_000 + 1]);
  assertEquals(await it.errors(), [
    '-440,"Query UNTERMINATED after indefinite response"',
  ]);
});

Deno.test("*TRG and USB488's trigger are the same", async () => {
  let triggers = 0;
  await using it = serve({ onTrigger: () => void triggers++ });
  await it.host.write("*TRG");
  await it.host.trigger();
  await until(() => triggers === 2, "two triggers");
  const bytes = await it.host.control(Request.GET_CAPABILITIES);
  assertEquals([bytes[14], bytes[15]], [7, 15]);
  await using other = serve();
  await other.host.write("*TRG");
  assertEquals(await other.errors(), ['-113,"Undefined header; *TRG"']);
});

Deno.test("a command that the host clears is aborted, and those after it are not executed", async () => {
  let runs = 0;
  let isAborted = false;
  await using it = serve({
    commands: {
      "WAIT": async ({ signal }) => {
        runs++;
        await new Promise((resolve) =>
          signal.addEventListener("abort", resolve)
        );
        isAborted = signal.aborted;
      },
      "COUNt": () => void runs++,
    },
  });
  await it.host.write("WAIT;COUN");
  await until(() => runs === 1, "the command");
  await it.host.clear();
  assertEquals(await it.ask("*OPC?"), "1");
  assertEquals([runs, isAborted], [1, true]);
  assertEquals(await it.errors(), []);
});

Deno.test("a message of more than 16 MiB is an error", async () => {
  await using it = serve();
  await it.host.write(new Uint8Array((16 << 20) + 1).fill(0x20));
  assertEquals(await it.errors(), ['-223,"Too much data"']);
});

Deno.test("options that make no instrument are refused", () => {
  const make = (options: object) => () =>
    new Instrument({ identity: "a", commands: {}, ...options });
  assertThrows(make({ identity: 5 }), TypeError, '"identity" must be a string');
  assertThrows(make({ comands: {} }), TypeError, 'did you mean "commands"?');
  assertThrows(
    make({ commands: { "A": 1 } }),
    TypeError,
    'Cannot make instrument: the handler of "A" must be a function, is 1',
  );
  assertThrows(
    make({ commands: { "a": () => {} } }),
    TypeError,
    'Cannot make instrument: pattern "a" must be a common command',
  );
  assertThrows(
    make({ onMessage: () => {} }),
    TypeError,
    'there is no option "onMessage"',
  );
});
