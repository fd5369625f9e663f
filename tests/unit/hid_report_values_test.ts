import { assertEquals, assertThrows } from "@std/assert";
import {
  input,
  output,
  type ReportDescriptor,
  reportId,
  type ReportValue,
  usage,
  usagePage,
  usageRange,
  usages,
} from "../../src/classes/hid/report/mod.ts";
import {
  bytesOf,
  device,
  keyboard,
  mouse,
  shape,
} from "../support/descriptors/reports.ts";

/** Checks bytes that were computed by hand, both ways. */
function assertPacks(
  descriptor: ReportDescriptor,
  values: Record<string, ReportValue>,
  digits: string,
): void {
  const [report] = descriptor.reports;
  assertEquals(report.pack(values), bytesOf(digits));
  assertEquals<unknown>(report.unpack(bytesOf(digits)), values);
}

Deno.test("values are packed into their bits", () => {
  assertPacks(mouse, { buttons: [1, 3], x: -3, y: 127 }, "05 fd 7f");
  assertPacks(
    keyboard,
    { modifiers: [0xe1, 0xe7], keys: [4, 101] },
    "82 00 04 65 00 00 00 00",
  );
  assertPacks(
    device(
      [usage("x"), shape(3, 1, 0, 7), input()],
      [usage("y"), shape(12, 1, -2048, 2047), input()],
    ),
    { x: 5, y: -5 },
    "dd 7f",
  );
  assertPacks(
    device(
      [usage("x"), shape(4, 1, 0, 15), input()],
      [usage("y"), shape(32, 1, 0, 0xffffffff), input()],
      [usage("z"), shape(32, 1, -(2 ** 31), 2 ** 31 - 1), input()],
    ),
    { x: 15, y: 0xf2345678, z: -2 },
    "8f 67 45 23 ef ff ff ff 0f",
  );
  assertPacks(
    device(reportId(9), usage("x"), shape(16, 3, -1000, 1000), input()),
    { x: [-1000, 0, 1000] },
    "09 18 fc 00 00 e8 03",
  );
  assertPacks(
    device(usagePage(0xff00), shape(8, 4, 0, 255), input({ name: "blob" })),
    { blob: bytesOf("01 02 ff 00") },
    "01 02 ff 00",
  );
});

Deno.test("an output report of a keyboard has its LEDs by name", () => {
  assertEquals(keyboard.report("output").unpack(bytesOf("02")), {
    "num lock": 0,
    "caps lock": 1,
    "scroll lock": 0,
    "compose": 0,
    "kana": 0,
  });
});

Deno.test("an array has indices into its usages", () => {
  const keys = ["play/pause", "stop", "mute"] as const;
  const media = device(
    [usagePage("consumer"), usages(...keys), shape(2, 2, 1, 3)],
    input({ array: true }),
  );
  assertPacks(media, { consumer: [0xe2, 0xcd] }, "07");
  assertPacks(media, { consumer: [0xb7] }, "02");
  assertPacks(media, { consumer: [] }, "00");
  const zero = device(
    [usagePage("consumer"), usages(...keys), shape(4, 1, 0, 2)],
    input({ array: true }),
  );
  assertPacks(zero, { consumer: [0xcd] }, "00");
  assertPacks(zero, { consumer: [] }, "03");
  // What a host sends out of range is no usage
  assertEquals(zero.report("input").unpack(bytesOf("0f")), { consumer: [] });
});

Deno.test("usages of several pages have the page in the upper half", () => {
  const mixed = device(
    [usageRange(["button", 1], ["button", 2]), usage(["consumer", "ac back"])],
    [shape(1, 3, 0, 1), input({ name: "buttons" })],
  );
  assertPacks(mixed, { buttons: [0x90002, 0xc0224] }, "06");
  assertEquals(mixed.report("input").pack({ buttons: [1] }), bytesOf("01"));
});

Deno.test("null is the first number outside of the range", () => {
  const hat = (bits: number, minimum: number, maximum: number) =>
    device(usage("hat switch"), shape(bits, 1, minimum, maximum), [
      input({ nullState: true }),
    ]);
  assertPacks(hat(8, 0, 7), { "hat switch": null }, "08");
  assertPacks(hat(8, 1, 8), { "hat switch": null }, "00");
  assertPacks(hat(8, -127, 127), { "hat switch": null }, "80");
  assertPacks(hat(8, -128, 126), { "hat switch": null }, "7f");
  assertPacks(hat(8, 0, 7), { "hat switch": 0 }, "00");
  assertEquals(hat(8, 0, 7).report("input").pack({}), bytesOf("08"));
  // There is none
  assertEquals(hat(8, 0, 255).report("input").pack(), bytesOf("00"));
  assertThrows(
    () => hat(8, 0, 255).report("input").pack({ "hat switch": null }),
    TypeError,
    'Cannot pack input report: "hat switch" must be an integer from 0 to 255, is null',
  );
});

Deno.test("values that are missing or short are 0", () => {
  assertEquals(mouse.report("input").pack(), bytesOf("00 00 00"));
  assertEquals(mouse.report("input").pack({ x: undefined }), bytesOf("0 0 0"));
  const blob = device(
    [usage(1), shape(8, 3, 0, 255), input({ name: "blob" })],
    [usage(1), shape(4, 2, 0, 15), input({ name: "nibbles" })],
  ).report("input");
  assertEquals(
    blob.pack({ blob: bytesOf("07"), nibbles: [3] }),
    bytesOf("07 00 00 03"),
  );
});

Deno.test("a wrong value is refused by name and range", () => {
  const cases: [ReportDescriptor, unknown, typeof Error, string][] = [
    [
      mouse,
      { x: 300 },
      RangeError,
      '"x" must be an integer from -127 to 127, is 300',
    ],
    [
      mouse,
      { x: 0.5 },
      RangeError,
      '"x" must be an integer from -127 to 127, is 0.5',
    ],
    [
      mouse,
      { x: "1" },
      TypeError,
      '"x" must be an integer from -127 to 127, is "1"',
    ],
    [
      mouse,
      { x: null },
      TypeError,
      '"x" must be an integer from -127 to 127, is null',
    ],
    [
      mouse,
      { z: 1 },
      TypeError,
      'there is no field "z", only "buttons", "x", "y"',
    ],
    [mouse, null, TypeError, "the values must be an object, is null"],
    [
      mouse,
      { buttons: 1 },
      TypeError,
      '"buttons" must be an array of numbers, is 1',
    ],
    [
      mouse,
      { buttons: [4] },
      RangeError,
      '"buttons" can have usages 1 to 3, is given 4',
    ],
    [
      mouse,
      { buttons: [NaN] },
      RangeError,
      '"buttons" can have usages 1 to 3, is given NaN',
    ],
    [
      mouse,
      { buttons: ["1"] },
      TypeError,
      '"buttons" must have numbers of usages, has "1"',
    ],
    [
      keyboard,
      { keys: [1, 2, 3, 4, 5, 6, 7] },
      RangeError,
      '"keys" has room for 6 usages, is given 7',
    ],
    [
      keyboard,
      { keys: [102] },
      RangeError,
      '"keys" can have usages 0 to 101, is given 102',
    ],
  ];
  for (const [descriptor, values, error, message] of cases) {
    assertThrows(
      () => descriptor.report("input").pack(values as Record<string, number>),
      error,
      `Cannot pack input report: ${message}`,
    );
  }
  const data = device(
    [reportId(3), usage(1), shape(8, 2, 0, 100), output({ name: "blob" })],
    [usage(1), shape(4, 2, -1, 1), output({ name: "list" })],
  ).report("output", 3);
  const wrong = (values: Record<string, unknown>, message: string) =>
    assertThrows(
      () => data.pack(values as Record<string, number>),
      Error,
      `Cannot pack output report 3: ${message}`,
    );
  wrong({ blob: "hi" }, '"blob" must be a Uint8Array, is "hi": give');
  wrong({ blob: bytesOf("1 2 3") }, '"blob" has room for 2 bytes, is given 3');
  wrong(
    { blob: bytesOf("ff") },
    '"blob" must have bytes from 0 to 100, is 255',
  );
  wrong({ list: [2] }, '"list" must have integers from -1 to 1, is 2');
  wrong({ list: [1, 1, 1] }, '"list" has room for 2 numbers, is given 3');
});

Deno.test("unpack() refuses what is not the report, and ignores what follows it", () => {
  const report = device(reportId(3), usage("x"), shape(8, 1, 0, 9), input())
    .report("input", 3);
  assertEquals(report.unpack(bytesOf("03 07 55")), { x: 7 });
  assertThrows(
    () => report.unpack(bytesOf("03")),
    RangeError,
    "Cannot unpack input report 3: the report must have 2 bytes, has 1",
  );
  assertThrows(
    () => report.unpack(bytesOf("04 07")),
    RangeError,
    "Cannot unpack input report 3: the report has ID 4",
  );
  assertThrows(
    () => report.unpack([3, 7] as unknown as Uint8Array),
    TypeError,
    "Cannot unpack input report 3: the report must be a Uint8Array",
  );
});
