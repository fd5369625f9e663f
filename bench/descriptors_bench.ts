/**
 * The cost of compiling and validating a large function: 15 interfaces, 30 endpoints, three speeds. Well under a
 * millisecond, with one allocation per block.
 *
 * @module
 */
import { bulkPair, type FunctionDefinition, usbFunction } from "../mod.ts";
import { compileFunction, decodeFunctionBlock } from "../src/inspect/mod.ts";
import { validateBlocks } from "../tests/kernel_model/validate_blocks.ts";

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
  name: "validateBlocks(), the same",
  group: "read",
  fn: () => {
    validateBlocks(descriptors, strings);
  },
});

Deno.bench({
  name: "decodeFunctionBlock(), the same",
  group: "read",
  fn: () => {
    decodeFunctionBlock(descriptors, strings);
  },
});
