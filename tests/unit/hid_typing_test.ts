import { assertEquals, assertThrows } from "@std/assert";
import {
  isModifier,
  type KeyCode,
  keyUsage,
} from "../../src/classes/hid/keyboard/keys.ts";
import {
  bootReport,
  ledsOf,
  nkroReport,
  REPORT_DESCRIPTOR,
} from "../../src/classes/hid/keyboard/reports.ts";
import { planText } from "../../src/classes/hid/keyboard/typing.ts";
import { readLayout } from "../../src/classes/hid/keyboard/typing_table.ts";

const usages = (...codes: KeyCode[]) =>
  codes.map((code) => keyUsage("press keys", code));

/** The keys of each stroke, joined. */
function plan(text: string, layout: Parameters<typeof readLayout>[0]) {
  return planText(text, readLayout(layout)).map(({ keys }) => keys.join("+"));
}

Deno.test("keys have the usages of the keyboard page", () => {
  assertEquals(
    usages("KeyA", "KeyZ", "Digit1", "Digit0", "Enter", "IntlBackslash"),
    [0x04, 0x1d, 0x1e, 0x27, 0x28, 0x64],
  );
  assertEquals(
    usages("F1", "F12", "F13", "F24", "NumpadEnter", "ContextMenu"),
    [0x3a, 0x45, 0x68, 0x73, 0x58, 0x65],
  );
  assertEquals(
    usages("IntlRo", "KanaMode", "IntlYen", "Convert", "NonConvert"),
    [0x87, 0x88, 0x89, 0x8a, 0x8b],
  );
  assertEquals(usages("ControlLeft", "AltRight"), [0xe0, 0xe6]);
  assertEquals(usages("ShiftLeft", "KeyA").map(isModifier), [true, false]);
});

Deno.test("a key that does not exist is an error with a suggestion", () => {
  const wrong = (code: unknown, message: string) =>
    assertThrows(
      () => keyUsage("press keys", code as KeyCode),
      TypeError,
      message,
    );
  wrong("a", 'Cannot press keys: there is no key "a": did you mean "KeyA"?');
  wrong("5", 'there is no key "5": did you mean "Digit5"?');
  wrong("LeftShift", 'did you mean "ShiftLeft"?');
  wrong("toString", "keys have the names of KeyboardEvent.code, such as KeyA");
  wrong(4, "there is no key 4: give the name of a key, such as KeyA");
});

Deno.test("a boot report has modifiers, a reserved byte and six keys", () => {
  assertEquals(bootReport([]), new Uint8Array(8));
  assertEquals(
    bootReport(usages("ShiftLeft", "KeyA", "AltRight", "Digit1")),
    Uint8Array.of(0x42, 0, 0x04, 0x1e, 0, 0, 0, 0),
  );
  const six = usages("KeyF", "KeyE", "KeyD", "KeyC", "KeyB", "KeyA");
  assertEquals(
    bootReport([...six, 0xe7, ...six]),
    Uint8Array.of(0x80, 0, 9, 8, 7, 6, 5, 4),
  );
});

Deno.test("a boot report of more than six keys is a roll-over error with the modifiers", () => {
  const seven = [4, 5, 6, 7, 8, 9, 10, 0xe1];
  assertEquals(
    bootReport(seven),
    Uint8Array.of(0x02, 0, 1, 1, 1, 1, 1, 1),
  );
});

Deno.test("a full report is the boot report, then the modifiers, then a bit for each key", () => {
  assertEquals(nkroReport([]), new Uint8Array(37));
  const report = nkroReport([0xe0, 0x04, 0x0b, 0x0c, 0xdd]);
  const expected = new Uint8Array(37);
  expected.set([0x01, 0, 0x04, 0x0b, 0x0c, 0xdd]);
  expected.set([0x01, 0x81, 0x01], 8);
  expected[36] = 0x02;
  assertEquals(report, expected);
});

Deno.test("a full report has any number of keys", () => {
  const all = Array.from({ length: 0xdd - 0x04 + 1 }, (_, at) => 0x04 + at);
  const report = nkroReport([...all, 0xe0, 0xe7]);
  assertEquals(report.slice(0, 8), Uint8Array.of(0x81, 0, 1, 1, 1, 1, 1, 1));
  assertEquals(report[8], 0x81);
  assertEquals(report.slice(9, 36), new Uint8Array(27).fill(0xff));
  assertEquals(report[36], 0x03);
});

Deno.test("the report descriptor describes the full report, with the boot report as padding", () => {
  const input = REPORT_DESCRIPTOR.report("input");
  const report = nkroReport([0xe1, 0x04, 0x64, 0xdd]);
  assertEquals(input.byteLength, report.length);
  assertEquals(input.unpack(report), {
    modifiers: [0xe1],
    keys: [0x04, 0x64, 0xdd],
  });
  const output = REPORT_DESCRIPTOR.report("output");
  assertEquals(output.byteLength, 1);
  assertEquals(output.unpack(Uint8Array.of(0x02)), { leds: [2] });
});

Deno.test("LEDs are the bits of the output report", () => {
  const off = {
    numLock: false,
    capsLock: false,
    scrollLock: false,
    compose: false,
    kana: false,
  };
  assertEquals(ledsOf(Uint8Array.of(0xe0)), off);
  assertEquals(ledsOf(new Uint8Array()), off);
  assertEquals(ledsOf(Uint8Array.of(0x02)), { ...off, capsLock: true });
  assertEquals(ledsOf(Uint8Array.of(0x15)), {
    ...off,
    numLock: true,
    scrollLock: true,
    kana: true,
  });
});

Deno.test("text becomes strokes, modifiers first", () => {
  assertEquals(plan("Hi!\n", "en-US"), [
    "ShiftLeft+KeyH",
    "KeyI",
    "ShiftLeft+Digit1",
    "Enter",
  ]);
  assertEquals(plan("Grüße é", "de-DE"), [
    "ShiftLeft+KeyG",
    "KeyR",
    "BracketLeft",
    "Minus",
    "KeyE",
    "Space",
    "Equal",
    "KeyE",
  ]);
  assertEquals(plan("", "en-US"), []);
});

Deno.test("each kind of line end is one Enter", () => {
  assertEquals(plan("\r\n\n\r", "en-US"), ["Enter", "Enter", "Enter"]);
  assertEquals(plan("\t\b ", "en-US"), ["Tab", "Backspace", "Space"]);
});

Deno.test("a letter and its accent are one character if Unicode composes them", () => {
  assertEquals(plan("u\u0308", "de-DE"), ["BracketLeft"]);
  assertEquals(plan("e\u0301", "de-DE"), ["Equal", "KeyE"]);
  assertThrows(
    () => plan("x\u0302", "de-DE"),
    RangeError,
    'Cannot type "\u0302" (U+0302): layout "de-DE" has no key for it',
  );
});

Deno.test("the first character that the layout lacks is an error that names it", () => {
  assertThrows(
    () => plan("Michał ż", "en-US"),
    RangeError,
    'Cannot type "ł" (U+0142): layout "en-US" has no key for it',
  );
  assertThrows(
    () => plan("ok 😀", "de-DE"),
    RangeError,
    'Cannot type "😀" (U+1F600): layout "de-DE" has no key for it',
  );
  assertThrows(
    () => plan("\ud83d", "en-US"),
    RangeError,
    'Cannot type "\\ud83d" (U+D83D)',
  );
  assertThrows(
    () => plan("\u0007", "en-US"),
    RangeError,
    'Cannot type "\\u0007" (U+0007)',
  );
  assertThrows(
    () => plan("b", { name: "only a", plain: ["", "", "a"] }),
    RangeError,
    'layout "only a" has no key for it',
  );
});
