import { assertEquals, assertThrows } from "@std/assert";
import { ScpiError } from "@usb/gadget/usbtmc";
import { unitsOf } from "../../src/classes/usbtmc/scpi/parser.ts";
import { CommandPattern } from "../../src/classes/usbtmc/scpi/pattern.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** The headers of a message. */
function headersOf(text: string): string[] {
  return [...unitsOf(bytesOf(text))].map(({ header }) => header);
}

/** The parameters of one command. */
function parametersOf(text: string): unknown[] {
  const [unit] = unitsOf(bytesOf(`A ${text}`));
  return unit.parameters.map((it) =>
    it.kind === "number" && it.suffix === "" ? it.value : Object.values(it)
  );
}

Deno.test("patterns match short and long forms, in capitals or not, and nothing in between", () => {
  const matches = (pattern: string, ...headers: string[]) =>
    headers.map((it) => new CommandPattern(pattern).match(it) !== undefined);
  assertEquals(
    matches(
      "MEASure:VOLTage?",
      ":MEAS:VOLT?",
      ":MEASURE:VOLT?",
      ":MEASU:VOLT?",
      ":MEAS:VOLT",
      ":MEAS?",
      ":MEAS:VOLT:DC?",
    ),
    [true, true, false, false, false, false],
  );
  assertEquals(
    matches(
      "[SOURce]:VOLTage[:LEVel][:IMMediate:AMPLitude]",
      ":SOUR:VOLT",
      ":VOLT",
      ":VOLT:LEV",
      ":VOLT:IMM:AMPL",
      ":VOLT:IMM",
      ":LEV",
    ),
    [true, true, true, true, false, false],
  );
  assertEquals(matches("*TST?", "*TST?", "*TST", ":TST?"), [
    true,
    false,
    false,
  ]);
  const outputs = new CommandPattern("OUTPut#:PROTection#:STATe");
  assertEquals(outputs.match(":OUTP3:PROT:STAT"), [3, 1]);
  assertEquals(outputs.match(":OUTPUT:PROT12:STATE"), [1, 12]);
  assertEquals(new CommandPattern("L2C3").match(":L2C3"), []);
});

Deno.test("patterns that are none are refused", () => {
  for (
    const pattern of ["", "volt", "VOLT ?", "VOLT:", "[VOLT", "*idn?", "A::B"]
  ) {
    assertThrows(() => new CommandPattern(pattern), TypeError, `"${pattern}"`);
  }
});

Deno.test("headers after a semicolon are relative to the one before them", () => {
  assertEquals(headersOf("MEAS:VOLT:DC?;AC?;:SYST:ERR?"), [
    ":MEAS:VOLT:DC?",
    ":MEAS:VOLT:AC?",
    ":SYST:ERR?",
  ]);
  assertEquals(headersOf("volt 3;*opc?;curr 1\nVOLT?"), [
    ":VOLT",
    "*OPC?",
    ":CURR",
    ":VOLT?",
  ]);
  assertEquals(headersOf("SOUR:VOLT 3;*WAI;CURR 1\n;; CURR?\r\n"), [
    ":SOUR:VOLT",
    "*WAI",
    ":SOUR:CURR",
    ":CURR?",
  ]);
  assertEquals(headersOf(" \r\n"), []);
});

Deno.test("parameters are numbers, words, strings, expressions and blocks", () => {
  assertEquals(parametersOf("1, -2.5,.5e3,+7.,1E-3"), [1, -2.5, 500, 7, 0.001]);
  assertEquals(parametersOf("#HfF,#Q17,#B101"), [255, 15, 5]);
  assertEquals(parametersOf("3.3 mV,10kHz"), [
    ["number", 3.3, "mV"],
    ["number", 10, "kHz"],
  ]);
  assertEquals(parametersOf("ON,MINimum,CH_1"), [
    ["word", "ON"],
    ["word", "MINimum"],
    ["word", "CH_1"],
  ]);
  assertEquals(parametersOf(`"a;b","say ""Grüße""",'it''s'`), [
    ["string", "a;b"],
    ["string", 'say "Grüße"'],
    ["string", "it's"],
  ]);
  assertEquals(parametersOf("(@1,3:5),2"), [["word", "(@1,3:5)"], 2]);
  assertEquals(parametersOf("#14a;\nb,#210ABCDEFGHIJ"), [
    ["block", bytesOf("a;\nb")],
    ["block", bytesOf("ABCDEFGHIJ")],
  ]);
  assertEquals(parametersOf("#0rest;\n"), [["block", bytesOf("rest;")]]);
});

Deno.test("what cannot be read is an error, after the commands before it", () => {
  const errors: Record<string, number> = {
    "A;5": -102,
    "A;VOLT@": -111,
    "A;VOLT 1 2": -103,
    "A;VOLT 1,": -102,
    "A;VOLT ,1": -102,
    'A;VOLT "open': -151,
    "A;VOLT (@1": -171,
    "A;VOLT #15abc": -161,
    "A;VOLT #2x1abc": -161,
    "A;VOLT #": -161,
    "A;VOLT #!1": -161,
    "A;:": -102,
  };
  for (const [text, code] of Object.entries(errors)) {
    const units = unitsOf(bytesOf(text));
    assertEquals(units.next().value?.header, ":A", text);
    const error = assertThrows(() => units.next(), ScpiError);
    assertEquals(error.code, code, text);
  }
});

Deno.test("long strings and blocks are read", () => {
  const long = "x".repeat(4 << 20);
  const [[, text]] = parametersOf(`"${long}"`) as [[string, string]];
  assertEquals(text.length, long.length);
  const [[, block]] = parametersOf(`#7${long.length}${long}`) as [
    [string, Uint8Array],
  ];
  assertEquals(block.length, long.length);
});

Deno.test("codes of errors are integers but not 0", () => {
  for (const code of [0, 1.5, 40000, NaN]) {
    assertThrows(() => new ScpiError(code), RangeError, `is ${code}`);
  }
  assertEquals(new ScpiError(12, "Lamp is off").message, "Lamp is off");
});
