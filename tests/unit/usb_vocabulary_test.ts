import { ClassCode, languageId, languageTag } from "@usb/gadget";
import { LANGUAGE_IDS } from "../../src/usb/language.ts";
import { assert, assertEquals } from "@std/assert";
import { className } from "../../src/usb/class_code.ts";
import {
  addressDirection,
  attributesTransferType,
} from "../../src/usb/endpoint_attributes.ts";
import { functionSpeed, SPEEDS } from "../../src/usb/speed.ts";

Deno.test("languageId() accepts tags and LANGIDs", () => {
  assertEquals(languageId("en-us"), 0x0409);
  assertEquals(languageId("0x0409"), 0x0409);
  assertEquals(languageId("1033"), 0x0409);
  assertEquals(languageId(0xffff), 0xffff);
  for (const it of ["en", "", "0x", "65536", "-1", 0, 1.5, 65536, NaN]) {
    assertEquals(languageId(it), undefined);
  }
});

Deno.test("languageTag() is the inverse of languageId()", () => {
  for (const [tag, id] of Object.entries(LANGUAGE_IDS)) {
    assertEquals(languageTag(id), tag);
    assertEquals(languageId(tag), id);
  }
  assertEquals(languageId(languageTag(0x0001)), 0x0001);
});

Deno.test("className() knows every class code", () => {
  for (const code of Object.values(ClassCode)) {
    assert(className(code) !== "unknown");
  }
  assertEquals(className(ClassCode.HID), "HID");
  assertEquals(className(ClassCode.MASS_STORAGE), "mass storage");
  assertEquals(className(0x99), "unknown");
});

Deno.test("functionSpeed() returns the speed whose descriptors are used", () => {
  assertEquals(SPEEDS.map(functionSpeed), [
    undefined,
    "full",
    "high",
    "super",
    "super",
  ]);
});

Deno.test("addresses and attributes of endpoints are decoded", () => {
  assertEquals([0x81, 0x01].map(addressDirection), ["in", "out"]);
  assertEquals([0, 1, 2, 0xff].map(attributesTransferType), [
    "control",
    "isochronous",
    "bulk",
    "interrupt",
  ]);
});
