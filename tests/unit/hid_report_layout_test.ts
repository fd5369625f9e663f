import { assertEquals, assertThrows } from "@std/assert";
import {
  feature,
  input,
  physicalRange,
  rawItem,
  ReportDescriptor,
  reportId,
  type ReportItems,
  unit,
  unitExponent,
  usage,
  usagePage,
  usageRange,
  usages,
} from "../../src/classes/hid/report/mod.ts";
import {
  bytesOf,
  device,
  mouse,
  shape,
} from "../support/descriptors/reports.ts";

Deno.test("a layout has the place and the meaning of each value", () => {
  const { type, id, bitLength, byteLength, fields } = mouse.report("input");
  assertEquals([type, id, bitLength, byteLength], ["input", 0, 24, 3]);
  assertEquals(
    fields.map((it) => [it.name, it.kind, it.bitOffset, it.size, it.count]),
    [
      ["buttons", "usages", 0, 1, 3],
      ["x", "number", 8, 8, 1],
      ["y", "number", 16, 8, 1],
    ],
  );
  const tilt = device(
    usage("rx"),
    shape(8, 1, 0, 100),
    physicalRange(-50, 50),
    unit("degree"),
    unitExponent(-1),
    input({ wrap: true, nonLinear: true, noPreferred: true }),
  ).report("input").fields[0];
  assertEquals(tilt, {
    name: "rx",
    kind: "number",
    bitOffset: 0,
    size: 8,
    count: 1,
    usages: [{ page: 1, minimum: 0x33, maximum: 0x33 }],
    logicalMinimum: 0,
    logicalMaximum: 100,
    physicalMinimum: -50,
    physicalMaximum: 50,
    unit: 0x14,
    unitExponent: -1,
    constant: false,
    array: false,
    relative: false,
    wrap: true,
    nonLinear: true,
    noPreferred: true,
    nullState: false,
    volatile: false,
    bufferedBytes: false,
  });
});

Deno.test("reports are found by type and ID", () => {
  const both = device(
    [reportId(1), usage("x"), shape(8, 1, 0, 255), input()],
    [reportId(2), usage("y"), input(), usage("z"), feature()],
    [reportId(1), usage("dial"), input()],
  );
  assertEquals(both.usesIds, true);
  assertEquals(
    both.reports.map((it) => [it.type, it.id, it.bitLength, it.byteLength]),
    [["input", 1, 16, 3], ["input", 2, 8, 2], ["feature", 2, 8, 2]],
  );
  assertEquals(
    both.report("input", 1).pack({ x: 3, dial: 4 }),
    bytesOf("1 3 4"),
  );
  assertThrows(
    () => both.report("output"),
    RangeError,
    "Cannot find output report 0: the descriptor has only input 1, input 2, feature 2",
  );
  assertEquals(mouse.usesIds, false);
  assertThrows(() => device().report("input"), RangeError, "has no reports");
});

Deno.test("values have the names of their usages, unless they have their own", () => {
  const names = (...items: ReportItems[]) =>
    device(items).report("input").fields.map((it) => `${it.name}*${it.count}`);
  const bits = shape(1, 4, 0, 1);
  assertEquals(names(usages("x", "y"), bits, input()), ["x*1", "y*3"]);
  assertEquals(names(usageRange(0x30, 0x40), bits, input()), [
    "x*1",
    "y*1",
    "z*1",
    "rx*1",
  ]);
  assertEquals(names(usagePage("button"), usageRange(1, 4), bits, input()), [
    "buttons*4",
  ]);
  assertEquals(names(usagePage(7), usageRange(4, 7), bits, input()), [
    "keys*4",
  ]);
  assertEquals(names(bits, input(), input()), ["data*4", "data 2*4"]);
  assertEquals(
    names(bits, usage("x"), input({ name: "x 2" }), usages("x", "x"), input()),
    ["x 2*4", "x*1", "x 3*3"],
  );
  assertEquals(names(usagePage(0xff01), usages(1, 2), bits, input()), [
    "vendor 0xff01 0x01*1",
    "vendor 0xff01 0x02*3",
  ]);
  assertEquals(
    names(usagePage("led"), usageRange(1, 200), shape(1, 200, 0, 1), input()),
    [
      "led*200",
    ],
  );
  // Constants are padding only without a usage
  assertEquals(
    names(usage("x"), shape(8, 1, 0, 9), input({ constant: true })),
    [
      "x*1",
    ],
  );
});

Deno.test("the first usage of a delimited set counts", () => {
  const [open, close] = [rawItem("local", 10, 1), rawItem("local", 10, 0)];
  const { fields } = device(
    [open, usages("slider", "dial"), close, usage("x")],
    shape(8, 2, 0, 1),
    input(),
  ).report("input");
  assertEquals(fields.map(({ name }) => name), ["slider", "x"]);
});

Deno.test("a maximum has a sign only below a negative minimum, as in Linux", () => {
  const range = (digits: string) => {
    const bytes = bytesOf(
      `05 01 09 05 a1 01 09 30 ${digits} 75 08 95 01 81 02 c0`,
    );
    const [x] = ReportDescriptor.decode(bytes).report("input").fields;
    return [x.logicalMinimum, x.logicalMaximum];
  };
  assertEquals(range("15 00 25 ff"), [0, 255]);
  assertEquals(range("25 ff 15 00"), [0, 255]);
  assertEquals(range("15 80 25 ff"), [-128, -1]);
  assertEquals(range("14 25 7f"), [0, 127]);
});
