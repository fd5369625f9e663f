import { bulkPair, usbFunction } from "@usb/gadget";
import {
  compileFunction,
  decodeFunctionBlock,
  validateFunction,
} from "@usb/gadget/inspect";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { layoutOf } from "../../src/check/usb_function.ts";

const definition = {
  name: "echo",
  interfaces: [{
    class: 0xff,
    description: "Echo",
    endpoints: { link: bulkPair() },
  }],
} as const;

/** The strings of a compiled function, in its only language. */
function stringsOf(echo: typeof definition): readonly string[] {
  const { descriptors, strings } = compileFunction(echo);
  return decodeFunctionBlock(descriptors, strings).languages[0].strings;
}

Deno.test("a function is laid out once: usbFunction(), checks and compiler share the layout", () => {
  const echo = usbFunction(definition);
  const layout = layoutOf(echo);
  // Only a compiler with this very layout can write what it gets here.
  layout.strings.add("Mark");
  assertEquals(stringsOf(echo), ["Echo", "Mark"]);
  assertEquals(validateFunction(echo, { configuration: { strings: 252 } }), []);
  const [problem] = validateFunction(echo, { configuration: { strings: 253 } });
  assertEquals(
    problem.message,
    "There are 2 different descriptions, but the gadget has string identifiers for 1: use fewer",
  );
  assertStrictEquals(layoutOf(echo), layout);
});

Deno.test("a definition that can still change is laid out again", () => {
  layoutOf(definition).strings.add("Mark");
  assertEquals(stringsOf(definition), ["Echo"]);
});
