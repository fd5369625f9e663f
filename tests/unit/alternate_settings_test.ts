import {
  bulkIn,
  ClassCode,
  dfu,
  hid,
  type InterfaceDefinition,
  raw,
  usbFunction,
} from "@usb/gadget";
import {
  compileFunction,
  decodeFunctionBlock,
  type InterfaceNode,
  normalizeDefinition,
  validateFunction,
} from "@usb/gadget/inspect";
import { validateBlocks } from "../kernel_model/validate_blocks.ts";
import { assertEquals } from "@std/assert";
import { block, intf } from "../support/descriptors/blocks.ts";

/** The alternate settings of an interface, as the host sees them. */
function settings(it: InterfaceDefinition) {
  const { descriptors, strings } = compileFunction(
    usbFunction({ name: "f", interfaces: [it] }),
  );
  const { speeds } = decodeFunctionBlock(descriptors, strings);
  return speeds.full!.map((node) => {
    const { subclass, string, descriptors, endpoints } = node as InterfaceNode;
    return {
      subclass,
      string,
      descriptors: descriptors.length,
      endpoints: endpoints.length,
    };
  });
}

Deno.test("an alternate setting inherits what it omits, except endpoints", () => {
  const keyboard = {
    class: ClassCode.HID,
    subclass: 1,
    description: "Keyboard",
    descriptors: [hid({ reportLength: 63 })],
    endpoints: { keys: bulkIn() },
  };
  const zero = { subclass: 1, string: 1, descriptors: 1, endpoints: 1 };
  assertEquals(settings({ ...keyboard, alternates: [{}] }), [
    zero,
    { ...zero, endpoints: 0 },
  ]);
  const own = {
    subclass: 0,
    description: "Silent",
    descriptors: [hid({ reportLength: 1 }), hid({ reportLength: 2 })],
  };
  assertEquals(settings({ ...keyboard, alternates: [own] }), [
    zero,
    { subclass: 0, string: 2, descriptors: 2, endpoints: 0 },
  ]);
  const none = { description: "", descriptors: [] };
  assertEquals(settings({ ...keyboard, alternates: [none] }), [
    zero,
    { subclass: 1, string: 0, descriptors: 0, endpoints: 0 },
  ]);
});

Deno.test("the normal form of an alternate setting includes what it inherits", () => {
  const alternates = (alternate: object) =>
    normalizeDefinition({
      name: "f",
      interfaces: [{
        class: ClassCode.HID,
        description: "Keyboard",
        descriptors: [hid({ reportLength: 63 })],
        alternates: [alternate],
      }],
    }).interfaces[0].alternates![0];
  assertEquals(alternates({}).description, { "en-US": "Keyboard" });
  assertEquals(alternates({}).descriptors?.length, 1);
  const none = alternates({ description: "", descriptors: [] });
  assertEquals([none.description, none.descriptors], ["", []]);
});

Deno.test("an alternate setting of another class cannot inherit functional descriptors", () => {
  const problems = (alternate: object) =>
    validateFunction({
      name: "f",
      interfaces: [{
        class: 0xfe,
        subclass: 1,
        descriptors: [dfu()],
        alternates: [alternate],
      }],
    }).map(({ path, message }) => [path, message]);
  assertEquals(problems({ class: 0xff }), [[
    "interfaces[0].alternates[0].descriptors",
    "The setting inherits descriptors from an interface of another class: give its own, or [] for none",
  ]]);
  assertEquals(problems({ class: 0xff, descriptors: [] }), []);
  assertEquals(problems({ protocol: 2 }), []);
});

Deno.test("raw() refuses descriptors that the compiler writes, at the stage where the kernel would fail", () => {
  const descriptors = [
    [8, 0x0b, 0, 1, 0xff, 0, 0, 0],
    [6, 0x30, 0, 0, 0, 0],
    [3, 9, 3],
    [9, 4, 0, 0, 0, 0xff, 0, 0, 0],
    [7, 5, 0x81, 2, 64, 0, 0],
  ];
  for (const it of descriptors) {
    for (const bytes of [it, [it.length + 1, ...it.slice(1), 0]]) {
      const { accepted } = validateBlocks(block({ full: [intf(), bytes] }));
      const [problem] = validateFunction({
        name: "f",
        interfaces: [{ class: 0xff, descriptors: [raw(bytes)] }],
      });
      const { rule, stage } = problem;
      assertEquals([bytes, rule, stage], [
        bytes,
        "raw",
        accepted ? "configure" : "write",
      ]);
      assertEquals(accepted, bytes === it);
    }
  }
});
