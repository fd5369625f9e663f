/**
 * The cost of defining, compiling and decoding a large function: 15 interfaces, 30 endpoints, three speeds. Compiling
 * takes well under a millisecond, and one allocation for each block.
 *
 * @module
 */
import { bulkPair, type FunctionDefinition, usbFunction } from "../mod.ts";
import { compileFunction, decodeFunctionBlock } from "../src/inspect/mod.ts";

const definition: FunctionDefinition = {
  name: "large",
  interfaces: Array.from({ length: 15 }, (_, number) => ({
    class: 0xff,
    description: `Interface ${number}`,
    endpoints: { [`link${number}`]: bulkPair({ super: { maxBurst: 3 } }) },
  })),
};
const large = usbFunction(definition);
const { descriptors, strings } = compileFunction(large);

Deno.bench({
  name: "compileFunction(), 15 interfaces and 30 endpoints",
  group: "compile",
  baseline: true,
  fn: () => {
    compileFunction(large);
  },
});

Deno.bench({
  name: "usbFunction(), the same",
  group: "compile",
  fn: () => {
    usbFunction(definition);
  },
});

Deno.bench({
  name: "decodeFunctionBlock(), the same",
  group: "read",
  fn: () => {
    decodeFunctionBlock(descriptors, strings);
  },
});
