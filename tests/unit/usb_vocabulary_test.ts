import {
  addressDirection,
  attributesTransferType,
} from "../../src/usb/endpoint_attributes.ts";
import { ClassCode, LANGUAGE_IDS, languageId, languageTag } from "@usb/gadget";
import { className } from "../../src/usb/class_code.ts";
import { functionSpeed, SPEEDS } from "../../src/usb/speed.ts";
import { assert, assertEquals } from "@std/assert";

Deno.test("languageId() takes tags and LANGIDs", () => {
  assertEquals(languageId("en-us"), 0x0409);
  assertEquals(languageId("0x0409"), 0x0409);
  assertEquals(languageId("1033"), 0x0409);
  assertEquals(languageId(0xffff), 0xffff);
  for (const it of ["en", "", "0x", "65536", "-1", 0, 1.5, 65536, NaN]) {
    assertEquals(languageId(it), undefined);
  }
});

Deno.test("languageTag() gives back what languageId() takes", () => {
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
  assertEquals(className(0x99), "unknown");
});

Deno.test("functionSpeed() says which descriptors a speed uses", () => {
  assertEquals(SPEEDS.map(functionSpeed), [
    undefined,
    "full",
    "high",
    "super",
    "super",
  ]);
});

Deno.test("addresses and attributes of endpoints are taken apart", () => {
  assertEquals([0x81, 0x01].map(addressDirection), ["in", "out"]);
  assertEquals([0, 1, 2, 0xff].map(attributesTransferType), [
    "control",
    "isochronous",
    "bulk",
    "interrupt",
  ]);
});
