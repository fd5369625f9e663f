import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  collection,
  feature,
  input,
  logicalRange,
  output,
  pop,
  push,
  rawItem,
  reportCount,
  ReportDescriptor,
  reportDescriptor,
  ReportDescriptorError,
  reportId,
  reportSize,
  usage,
  usagePage,
  usageRange,
} from "../../src/classes/hid/report/mod.ts";
import { bytesOf, device, shape } from "../support/descriptors/reports.ts";

function problemsOf(make: () => unknown): string[] {
  return assertThrows(make, ReportDescriptorError).problems.map((it) =>
    `${it.item}@${it.offset} ${it.message}`
  );
}

Deno.test("each structural error is reported with its place", () => {
  const fine = [usage("x"), shape(8, 1, 0, 1)];
  const cases: [() => unknown, ...string[]][] = [
    [
      () => reportDescriptor([]),
      "0@0 The descriptor is empty: give at least a collection",
    ],
    [
      () => device(usage("wheal"), fine, input()),
      '3@6 Usage is unknown: the usage page "generic desktop" has no usage "wheal": did you mean "wheel"?',
    ],
    [
      () => reportDescriptor([usage("x"), collection(1, [])]),
      '0@0 Usage "x" has no usage page: put usagePage() before it',
    ],
    [
      () => device(usagePage(7), usage("a"), fine.slice(1), input()),
      '4@8 Usage is unknown: the usage page "keyboard/keypad" has no usage "a", and no names at all: give the number',
    ],
    [
      () => device(fine, rawItem("main", 10, 0)),
      "2@4 Collection is open: put End Collection after it",
    ],
    [
      () => reportDescriptor([device().items, rawItem("main", 12)]),
      "4@7 End Collection has no collection: remove it",
    ],
    [
      () =>
        reportDescriptor([usagePage(1), usage(1), collection("physical", [])]),
      '2@4 Collection is outermost, but no application: put it into collection("application", ...)',
    ],
    [
      () => reportDescriptor([collection("application", [])]),
      "0@0 Collection has no usage that says what the device is: put usage() before it",
    ],
    [
      () => reportDescriptor([usagePage(1), fine, input()]),
      '6@12 Input is outside of all collections: put it into collection("application", ...)',
    ],
    [() => device(push()), "3@6 Push has no Pop: put pop() after it"],
    [() => device(pop()), "3@6 Pop has no Push: put push() before it"],
    [
      () =>
        device(Array.from({ length: 5 }, push), Array.from({ length: 5 }, pop)),
      "7@10 Push would save more than 4 states, the most that Linux takes: use fewer",
    ],
    [
      () => device(rawItem("global", 0, 0)),
      "3@6 Usage Page is 0: give a page from 1 to 65535",
    ],
    [
      () => device(rawItem("global", 8, 0), fine, input()),
      "3@6 Report ID is 0: give 1 to 255",
    ],
    [
      () => device(rawItem("global", 8, 256), fine, input()),
      "3@6 Report ID is 256: give 1 to 255",
    ],
    [
      () => device(fine, input(), reportId(1), fine, input()),
      "8@16 The report has no ID, but others have: put reportId() before it",
    ],
    [
      () => device(usage("x"), reportCount(1), logicalRange(0, 1), input()),
      "7@14 Input has no report size: put reportSize() before it",
    ],
    [
      () => device(usage("x"), reportSize(1), logicalRange(0, 1), output()),
      "7@14 Output has no report count: put reportCount() before it",
    ],
    [
      () => device(usage("x"), reportSize(1), reportCount(1), feature()),
      "6@12 Feature has no logical range: put logicalRange() before it",
    ],
    [
      () => device(usage("x"), shape(0, 1, 0, 1), input()),
      "8@16 Input has a report size of 0: give 1 to 32",
    ],
    [
      () => device(usage("x"), shape(33, 1, 0, 1), input()),
      "8@16 Input has a report size of 33: give 1 to 32",
    ],
    [
      () => device(reportSize(257), reportCount(1), input({ constant: true })),
      "5@11 Input has a report size of 257: give 1 to 256",
    ],
    [
      () => device(usage("x"), shape(1, 0, 0, 1), input()),
      "8@16 Input has a report count of 0: give 1 to 12288",
    ],
    [
      () => device(usage("x"), shape(1, 12289, 0, 1), input()),
      "8@17 Input has a report count of 12289: give 1 to 12288",
    ],
    [
      () =>
        device(
          usage("x"),
          reportSize(8),
          reportCount(1),
          rawItem("global", 1, 2),
          rawItem("global", 2, 1),
          input(),
        ),
      "8@16 Input has a logical minimum of 2, above its maximum of 1: swap them",
    ],
    [
      () => device(usage("x"), shape(1, 1, 0, 2), input()),
      "8@16 Input has values from 0 to 2, which do not fit 1 bit: give a larger report size, or a smaller range",
    ],
    [
      () => device(usage("x"), shape(8, 1, -1, 128), input()),
      "8@17 Input has values from -1 to 128, which do not fit 8 bits: give a larger report size, or a smaller range",
    ],
    [
      () => device(usage("x"), shape(32, 2048, 0, 1), input(), input()),
      "8@17 Input makes its report longer than 65535 bits: use smaller fields, or another report",
    ],
    [
      () => device(fine, input({ name: "a" }), fine, input({ name: "a" })),
      '14@28 The name "a" is taken by another field of the input report: give each its own',
    ],
    [
      () => device(rawItem("local", 1, 1), fine, input()),
      "3@6 Usage Minimum has no Usage Maximum after it",
    ],
    [
      () => device(rawItem("local", 2, 1), fine, input()),
      "3@6 Usage Maximum has no Usage Minimum before it",
    ],
    [
      () => device(usageRange(3, 1), fine, input()),
      "4@8 Usage Maximum 1 is below Usage Minimum 3: swap them",
    ],
    [
      () => device(usageRange([8, 1], [9, 2]), fine, input()),
      "4@11 Usage Maximum is of another page than Usage Minimum: give both the same",
    ],
    [
      () => device(rawItem("local", 10, 1), fine, input()),
      "3@6 Delimiter opens a set that is not closed before the next main item: close it",
    ],
    [
      () => device(rawItem("local", 10, 0), fine, input()),
      "3@6 Delimiter closes a set that is not open: remove it",
    ],
    [
      () =>
        device([1, 1, 0].map((it) => rawItem("local", 10, it)), fine, input()),
      "4@8 Delimiter opens a set within a set: close the first one before",
    ],
    [
      () => device(rawItem("local", 10, 2), fine, input()),
      "3@6 Delimiter is 2: give 1 to open a set, 0 to close it",
    ],
    [
      () => ReportDescriptor.decode(bytesOf("05 01 26 ff")),
      "1@2 Item is cut off: 1 more byte must follow",
    ],
    [
      () => ReportDescriptor.decode(bytesOf("fe")),
      "0@0 Item is cut off: 2 more bytes must follow",
    ],
    [
      () => ReportDescriptor.decode(bytesOf("fe 02 00")),
      "0@0 Item is cut off: 2 more bytes must follow",
    ],
    [
      () => ReportDescriptor.decode(new Uint8Array(5000)),
      "0@0 The descriptor has 5000 bytes: Linux takes at most 4096",
    ],
    [
      () => device(Array.from({ length: 4090 }, () => rawItem("main", 13))),
      "4094@4097 The descriptor has 4097 bytes: Linux takes at most 4096",
    ],
  ];
  for (const [make, ...messages] of cases) {
    assertEquals(problemsOf(make), messages);
  }
});

Deno.test("an error has all problems in the order of the items, and shows twenty", () => {
  const few = assertThrows(() => device(pop(), push()), ReportDescriptorError);
  assertEquals(
    few.message,
    "Cannot use report descriptor, 2 problems:\n" +
      "  item 3 (byte 6): Pop has no Push: put push() before it\n" +
      "  item 4 (byte 7): Push has no Pop: put pop() after it",
  );
  const many = assertThrows(
    () => device(Array.from({ length: 30 }, pop)),
    ReportDescriptorError,
  );
  assertEquals(many.problems.length, 30);
  assert(
    many.message.endsWith(
      "Pop has no Push: put push() before it\n  and 10 more",
    ),
  );
  const one = assertThrows(() => device(pop()), ReportDescriptorError);
  assertEquals(
    one.message,
    "Cannot use report descriptor: item 3 (byte 6): Pop has no Push: put push() before it",
  );
  assertThrows(
    () => ReportDescriptor.decode("05" as unknown as Uint8Array),
    TypeError,
    "Cannot decode report descriptor: the data must be a Uint8Array",
  );
});
