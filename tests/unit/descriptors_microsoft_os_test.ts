import {
  binaryProperty,
  compatibleId,
  deviceInterfaceGuid,
  type MicrosoftOsFeature,
  textProperty,
  winUsb,
} from "@usb/gadget";
import type { ExtendedPropertyType } from "../../src/definition/microsoft_os.ts";
import { validateFunction } from "@usb/gadget/inspect";
import { assertEquals } from "@std/assert";

type Expected = readonly (readonly [path: string, message: string])[];

function problems(
  microsoftOs: readonly MicrosoftOsFeature[],
  expected: Expected,
): void {
  const found = validateFunction({
    name: "f",
    interfaces: [{ class: 0xff }, { class: 0xff }],
    microsoftOs,
  });
  assertEquals(
    found.map((it) => [it.path, it.message]),
    expected.map(([path, message]) => [`microsoftOs${path}`, message]),
  );
}

Deno.test("a feature is for an interface that exists", () => {
  problems([winUsb({ interface: 1 })], []);
  problems(
    [winUsb({ interface: 2 }), textProperty("a", "", { interface: -1 })],
    [
      [
        "[0].interface",
        "Interface 2 does not exist: the function has interfaces 0 to 1",
      ],
      [
        "[1].interface",
        "Interface -1 does not exist: the function has interfaces 0 to 1",
      ],
    ],
  );
});

Deno.test("a compatible ID has 1 to 8 characters of its set", () => {
  problems([compatibleId("ABCDEF_8", { subCompatibleId: "12345678" })], []);
  problems([compatibleId("ABCDEFGHI", { subCompatibleId: "123456789" })], [
    [
      "[0].compatibleId",
      'Compatible ID "ABCDEFGHI" is not possible: use 1 to 8 characters of A to Z, 0 to 9 and underscore',
    ],
    [
      "[0].subCompatibleId",
      'Sub-compatible ID "123456789" is not possible: use 0 to 8 characters of A to Z, 0 to 9 and underscore',
    ],
  ]);
  problems([compatibleId("")], [[
    "[0].compatibleId",
    'Compatible ID "" is not possible: use 1 to 8 characters of A to Z, 0 to 9 and underscore',
  ]]);
  problems([compatibleId("winusb")], [[
    "[0].compatibleId",
    'Compatible ID "winusb" is not possible: use 1 to 8 characters of A to Z, 0 to 9 and underscore',
  ]]);
});

Deno.test("an interface has one compatible ID", () => {
  problems([winUsb(), winUsb({ interface: 1 })], []);
  problems([winUsb(), compatibleId("MTP")], [[
    "[1]",
    "Interface 0 has a compatible ID already and can have one: remove one of them",
  ]]);
});

Deno.test("a property takes 255 bytes with its terminators", () => {
  // 14, a name of 1 with its terminator, and the terminator of the value.
  problems([textProperty("a", "x".repeat(238))], []);
  problems([textProperty("a", "x".repeat(239))], [[
    "[0]",
    "The property takes 256 bytes with its terminators, but the kernel keeps the size in one byte: shorten name or value by 1",
  ]]);
  problems([binaryProperty("a", Array(239).fill(0))], []);
  problems([binaryProperty("a", Array(240).fill(0))], [[
    "[0]",
    "The property takes 256 bytes with its terminators, but the kernel keeps the size in one byte: shorten name or value by 1",
  ]]);
});

Deno.test("names and texts of properties are ASCII", () => {
  problems([textProperty("Über", "Größe")], [
    [
      "[0].name",
      'Name "Über" is not possible: use ASCII characters, because the kernel counts bytes as characters',
    ],
    [
      "[0].value",
      'Text "Größe" is not possible: use ASCII characters, because the kernel counts bytes as characters',
    ],
  ]);
  problems([textProperty("", "")], [[
    "[0].name",
    'Name "" is not possible: use ASCII characters, because the kernel counts bytes as characters',
  ]]);
});

Deno.test("a property has a type that the kernel answers with, and a value to match", () => {
  for (const type of ["string", "expand-string", "link"] as const) {
    problems([textProperty("a", "b", { type })], []);
  }
  const of = (type: string, value: string | number[]): MicrosoftOsFeature => ({
    kind: "property",
    interface: 0,
    name: "a",
    type: type as ExtendedPropertyType,
    value,
  });
  problems([of("multi-string", "a")], [[
    "[0].type",
    'Type "multi-string" is not one that the kernel can answer with: use "string", "expand-string", "link" or "binary"',
  ]]);
  problems([of("binary", "a")], [[
    "[0].value",
    'A property of type "binary" has bytes: give an array of numbers',
  ]]);
  problems([of("link", [1])], [[
    "[0].value",
    'A property of type "link" has text: give a string',
  ]]);
  problems([of("binary", [256])], [[
    "[0].value",
    "The value has a number that is not a byte: use 0 to 255",
  ]]);
});

Deno.test("a DeviceInterfaceGUID is a GUID in braces", () => {
  problems([deviceInterfaceGuid("{8fe6d4d7-49dd-41e7-9486-49afc6bfe475}")], []);
  problems([deviceInterfaceGuid("8fe6d4d7-49dd-41e7-9486-49afc6bfe475")], [[
    "[0].value",
    'GUID "8fe6d4d7-49dd-41e7-9486-49afc6bfe475" is not one: write it as {xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx} with hexadecimal digits',
  ]]);
});

Deno.test("the properties of an interface fit into one answer", () => {
  // Each takes 14, 4 for the name and 2 * 239 for the text: 496 bytes.
  const long = Array.from(
    { length: 8 },
    () => textProperty("a", "x".repeat(238)),
  );
  // 10 and 8 times 496 leave 117 bytes, of which 18 are for another name.
  problems([...long, binaryProperty("a", Array(99).fill(0))], []);
  problems([...long, binaryProperty("a", Array(100).fill(0))], [[
    "[8]",
    "The properties of interface 0 take 4096 bytes, but the kernel leaves out what does not fit into 4095: use fewer or shorter ones",
  ]]);
});

Deno.test("a feature is made by a helper", () => {
  problems([{ interface: 0 } as MicrosoftOsFeature], [[
    "[0]",
    "The feature is neither a compatible ID nor a property: use winUsb(), compatibleId(), textProperty() or binaryProperty()",
  ]]);
});
