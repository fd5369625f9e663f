import { assert, assertEquals } from "@std/assert";
import {
  collection,
  feature,
  input,
  logicalRange,
  output,
  physicalRange,
  pop,
  push,
  rawItem,
  reportCount,
  reportId,
  type ReportItems,
  reportSize,
  unit,
  unitExponent,
  usage,
  usagePage,
  usageRange,
  usages,
} from "../../src/classes/hid/report/mod.ts";
import {
  bytesOf,
  bytesWithin,
  device,
  keyboard,
  mouse,
  shape,
} from "../support/descriptors/reports.ts";

Deno.test("a mouse has the bytes of HID 1.11, E.10", () => {
  assertEquals(
    mouse.bytes,
    bytesOf(`05 01 09 02 a1 01 09 01 a1 00 05 09 19 01 29 03 15 00 25 01 95 03
      75 01 81 02 95 01 75 05 81 01 05 01 09 30 09 31 15 81 25 7f 75 08 95 02
      81 06 c0 c0`),
  );
});

Deno.test("a keyboard has the bytes of HID 1.11, E.6", () => {
  assertEquals(
    keyboard.bytes,
    bytesOf(`05 01 09 06 a1 01 05 07 19 e0 29 e7 15 00 25 01 75 01 95 08 81 02
      95 01 75 08 81 01 95 05 75 01 05 08 19 01 29 05 91 02 95 01 75 03 91 01
      95 06 75 08 15 00 25 65 05 07 19 00 29 65 81 00 c0`),
  );
});

Deno.test("bytes is a copy, and a descriptor cannot be changed", () => {
  mouse.bytes.fill(0);
  assertEquals(mouse.bytes[0], 0x05);
  assert(Object.isFrozen(mouse) && Object.isFrozen(mouse.items));
  assert(Object.isFrozen(mouse.items[0]) && Object.isFrozen(mouse.reports));
  assert(Object.isFrozen(mouse.report("input").fields[0]));
});

Deno.test("each item takes the fewest bytes that its number fits", () => {
  const cases: [ReportItems, string][] = [
    [usagePage("led"), "05 08"],
    [usagePage(0xff00), "06 00 ff"],
    [usagePage("fido alliance"), "06 d0 f1"],
    [usage("x"), "09 30"],
    [usage(0), "09 00"],
    [usage(0x1234), "0a 34 12"],
    [usage(0xc00e2), "0b e2 00 0c 00"],
    [usage(["consumer", "mute"]), "0b e2 00 0c 00"],
    [usage(["haptics", 0x1001]), "0b 01 10 0e 00"],
    [usages("x", "hat switch"), "09 30 09 39"],
    [usageRange("x", "z"), "19 30 29 32"],
    [usageRange(0, 0x3ff), "19 00 2a ff 03"],
    [
      usageRange(["button", "button 2"], ["button", 9]),
      "1b 02 00 09 00 2b 09 00 09 00",
    ],
    [logicalRange(0, 127), "15 00 25 7f"],
    [logicalRange(0, 128), "15 00 26 80 00"],
    [logicalRange(0, 255), "15 00 26 ff 00"],
    [logicalRange(-128, 32767), "15 80 26 ff 7f"],
    [logicalRange(-129, 32768), "16 7f ff 27 00 80 00 00"],
    [logicalRange(-2147483648, 2147483647), "17 00 00 00 80 27 ff ff ff 7f"],
    [logicalRange(0, 4294967295), "15 00 27 ff ff ff ff"],
    [physicalRange(-32768, 1), "36 00 80 45 01"],
    [unit("centimeter"), "65 11"],
    [unit("degree"), "65 14"],
    [unit("candela"), "67 01 00 00 01"],
    [unit(0xf0d121), "67 21 d1 f0 00"],
    [unitExponent(-2), "55 0e"],
    [unitExponent(7), "55 07"],
    [reportSize(12), "75 0c"],
    [reportCount(256), "96 00 01"],
    [reportId(255), "85 ff"],
    [[push(), pop()], "a4 b4"],
    [rawItem("local", 3, 5), "39 05"],
    [rawItem("local", 8, 256), "8a 00 01"],
    [rawItem("main", 13), "d0"],
    [rawItem("long", 7, bytesOf("01 02 03")), "fe 03 07 01 02 03"],
    [rawItem("reserved", 1, bytesOf("01 00 00 00")), "1f 01 00 00 00"],
  ];
  for (const [items, digits] of cases) {
    assertEquals(bytesWithin(items), bytesOf(digits), digits);
  }
});

Deno.test("the options of input, output and feature are the bits of HID 1.11, 6.2.2.5", () => {
  const before = [usage(1), shape(8, 1, 0, 1)];
  const last = (...items: ReportItems[]) =>
    bytesWithin(before, items).slice(10);
  const cases: [ReportItems, string][] = [
    [input(), "81 02"],
    [input({ array: true }), "81 00"],
    [input({ constant: true }), "81 03"],
    [input({ relative: true }), "81 06"],
    [input({ wrap: true }), "81 0a"],
    [input({ nonLinear: true }), "81 12"],
    [input({ noPreferred: true }), "81 22"],
    [input({ nullState: true }), "81 42"],
    [input({ bufferedBytes: true }), "82 02 01"],
    [output({ volatile: true }), "91 82"],
    [feature({ volatile: true, name: "mode" }), "b1 82"],
    [feature({ bufferedBytes: true, volatile: false }), "b2 02 01"],
  ];
  for (const [items, digits] of cases) {
    assertEquals(last(items), bytesOf(digits), digits);
  }
});

Deno.test("collections have the numbers of HID 1.11, 6.2.2.6", () => {
  const types = [
    ...["physical", "application", "logical", "report", "named array"],
    ...["usage switch", "usage modifier"],
  ] as const;
  types.forEach((type, index) => {
    const bytes = bytesWithin(usage(1), collection(type, []));
    assertEquals(bytes, new Uint8Array([0x09, 1, 0xa1, index, 0xc0]));
  });
  assertEquals(bytesWithin(collection(0x80, [])), bytesOf("a1 80 c0"));
});

Deno.test("a usage name belongs to the page at its main item", () => {
  const named = device(
    usage("mute"),
    usagePage("consumer"),
    shape(1, 1, 0, 1),
    input(),
    [push(), usagePage("led"), usage("mute"), input(), pop()],
    [usage("mute"), input()],
  );
  assertEquals(
    named.report("input").fields.map(({ name, usages }) => [name, usages]),
    [
      ["mute", [{ page: 0x0c, minimum: 0xe2, maximum: 0xe2 }]],
      ["mute 2", [{ page: 0x08, minimum: 0x09, maximum: 0x09 }]],
      ["mute 3", [{ page: 0x0c, minimum: 0xe2, maximum: 0xe2 }]],
    ],
  );
});
