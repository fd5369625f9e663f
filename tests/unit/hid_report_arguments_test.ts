import { assertThrows } from "@std/assert";
import {
  collection,
  input,
  logicalRange,
  output,
  padding,
  physicalRange,
  rawItem,
  reportCount,
  reportDescriptor,
  reportId,
  reportSize,
  unit,
  unitExponent,
  usage,
  usagePage,
} from "../../src/classes/hid/report/mod.ts";

Deno.test("an item that cannot be built is refused at once", () => {
  const cases: [() => unknown, typeof Error, string][] = [
    [
      () => usagePage("generic desk"),
      TypeError,
      'there is no usage page "generic desk": did you mean "generic desktop"?',
    ],
    [
      () => usagePage(0),
      RangeError,
      "the usage page must be an integer from 1 to 65535, is 0",
    ],
    [
      () => usage(-1),
      RangeError,
      "a usage must be an integer from 0 to 4294967295, is -1",
    ],
    [
      () => usage(["led", "caps lok"]),
      TypeError,
      'the usage page "led" has no usage "caps lok": did you mean "caps lock"?',
    ],
    [
      () => usage(["led", 65536]),
      RangeError,
      "a usage must be an integer from 0 to 65535, is 65536",
    ],
    [
      () => usage(["button", "button 0"]),
      TypeError,
      'the usage page "button" has no usage "button 0": did you mean "button 1"?',
    ],
    [
      () => logicalRange(1, 0),
      RangeError,
      "the logical minimum 1 is above the logical maximum 0",
    ],
    [
      () => logicalRange(2 ** 31, 2 ** 31),
      RangeError,
      "the logical minimum must be an integer from -2147483648 to 2147483647, is 2147483648",
    ],
    [
      () => physicalRange(0, 2 ** 32),
      RangeError,
      "the physical maximum must be an integer from -2147483648 to 4294967295, is 4294967296",
    ],
    [() => unit("meter" as "inch"), TypeError, 'there is no unit "meter"'],
    [
      () => unitExponent(8),
      RangeError,
      "the unit exponent must be an integer from -8 to 7, is 8",
    ],
    [
      () => reportSize(-1),
      RangeError,
      "the report size must be an integer from 0 to 4294967295, is -1",
    ],
    [
      () => reportCount("1" as unknown as number),
      TypeError,
      'the report count must be a number, is "1"',
    ],
    [
      () => reportId(0),
      RangeError,
      "the report ID must be an integer from 1 to 255, is 0",
    ],
    [
      () => padding(0),
      RangeError,
      "the padding must be an integer from 1 to 256, is 0",
    ],
    [
      () => padding(1, "in" as "input"),
      TypeError,
      'the type of a report must be "input" or "output" or "feature", is "in"',
    ],
    [
      () => collection("logic" as "logical", []),
      TypeError,
      'there is no collection "logic": did you mean "logical"?',
    ],
    [
      () => collection(256, []),
      RangeError,
      "the type of a collection must be an integer from 0 to 255, is 256",
    ],
    [
      () => collection("logical", usage(1) as unknown as []),
      TypeError,
      "the items of a collection must be an array, is an object",
    ],
    [
      () => input({ relativ: true } as object),
      TypeError,
      'there is no option "relativ": did you mean "relative"?',
    ],
    [
      () => input({ volatile: true } as object),
      TypeError,
      'there is no option "volatile"',
    ],
    [
      () => output({ name: "" }),
      TypeError,
      '"name" must be a text that is not empty, is ""',
    ],
    [
      () => rawItem("locals" as "local", 1),
      TypeError,
      "the type of an item must be",
    ],
    [
      () => rawItem("local", 15),
      RangeError,
      "the tag of an item must be an integer from 0 to 14, is 15",
    ],
    [
      () => rawItem("local", 3, new Uint8Array(3)),
      RangeError,
      "the data of a short item must have 0, 1, 2 or 4 bytes, has 3",
    ],
    [
      () => rawItem("long", 3, new Uint8Array(256)),
      RangeError,
      "the data of a long item must have up to 255 bytes, has 256",
    ],
    [
      () => reportDescriptor(usage(1) as unknown as []),
      TypeError,
      "the items must be an array, is an object",
    ],
    [
      () => reportDescriptor([5 as unknown as []]),
      TypeError,
      "5 is no item: use the builders",
    ],
    [
      () => reportDescriptor([{ type: "local", tag: 0, data: [256] }]),
      TypeError,
      "an object is no item",
    ],
  ];
  for (const [make, error, message] of cases) {
    assertThrows(
      make,
      error,
      `Cannot build report descriptor: ${message}`,
    );
  }
});
