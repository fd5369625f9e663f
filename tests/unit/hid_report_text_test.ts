import { assertEquals } from "@std/assert";
import {
  collection,
  feature,
  logicalRange,
  physicalRange,
  pop,
  push,
  rawItem,
  reportCount,
  reportId,
  reportSize,
  unit,
  unitExponent,
  usage,
} from "../../src/classes/hid/report/mod.ts";
import { bytesOf, device, mouse } from "../support/descriptors/reports.ts";

Deno.test("toString() has one item a line, indented, with its bytes", () => {
  assertEquals(
    String(mouse),
    `
Usage Page (generic desktop)             // 05 01
Usage (mouse)                            // 09 02
Collection (application)                 // a1 01
  Usage (pointer)                        // 09 01
  Collection (physical)                  // a1 00
    Usage Page (button)                  // 05 09
    Usage Minimum (button 1)             // 19 01
    Usage Maximum (button 3)             // 29 03
    Logical Minimum (0)                  // 15 00
    Logical Maximum (1)                  // 25 01
    Report Count (3)                     // 95 03
    Report Size (1)                      // 75 01
    Input (data, variable, absolute; "buttons")  // 81 02
    Report Count (1)                     // 95 01
    Report Size (5)                      // 75 05
    Input (constant, array, absolute)    // 81 01
    Usage Page (generic desktop)         // 05 01
    Usage (x)                            // 09 30
    Usage (y)                            // 09 31
    Logical Minimum (-127)               // 15 81
    Logical Maximum (127)                // 25 7f
    Report Size (8)                      // 75 08
    Report Count (2)                     // 95 02
    Input (data, variable, relative)     // 81 06
  End Collection                         // c0
End Collection                           // c0
`.trim().split("\n").map((line) => {
      const [text, bytes] = line.split("//");
      return `${text.trimEnd().padEnd(47)}  //${bytes}`;
    }).join("\n"),
  );
});

Deno.test("toString() has a text for each kind of item", () => {
  const text = device(
    [usage(["consumer", "mute"]), usage([0xff00, 1]), usage(0x300)],
    [logicalRange(0, 255), physicalRange(-1, 300), unit("degree")],
    [unit(0xf0d121), unitExponent(-2), reportId(1), push(), pop()],
    [rawItem("local", 7, 4), rawItem("local", 10, 1), rawItem("local", 10, 0)],
    [rawItem("long", 7, bytesOf("01")), rawItem("reserved", 2, 300)],
    [rawItem("main", 13), rawItem("global", 14, 1), rawItem("local", 11, 2)],
    [reportSize(8), reportCount(1)],
    feature({ nullState: true, volatile: true, bufferedBytes: true }),
    collection(0x81, []),
  ).toString();
  assertEquals(
    text.split("\n").slice(3, -1).map((it) => it.split("  //")[0].trim()),
    [
      "Usage (consumer, mute)",
      "Usage (vendor 0xff00, 0x01)",
      "Usage (0x300)",
      "Logical Minimum (0)",
      "Logical Maximum (255)",
      "Physical Minimum (-1)",
      "Physical Maximum (300)",
      "Unit (degree)",
      "Unit (0xf0d121)",
      "Unit Exponent (-2)",
      "Report ID (1)",
      "Push",
      "Pop",
      "String Index (4)",
      "Delimiter (open)",
      "Delimiter (close)",
      "Long item 0x07 (1 byte)",
      "Reserved item 0x02 (0x12c)",
      "Reserved main item 0x0d",
      "Reserved global item 0x0e (0x01)",
      "Reserved local item 0x0b (0x02)",
      "Report Size (8)",
      "Report Count (1)",
      "Feature (data, variable, absolute, null state, volatile, buffered bytes)",
      "Collection (0x81)",
      "End Collection",
    ],
  );
});
