/**
 * What it costs to compile and to validate a large function: 15 interfaces, 30 endpoints, three speeds. Well under a
 * millisecond, in one allocation for each block.
 *
 * @module
 */
import {
  bulkPair,
  compileFunction,
  decodeFunctionBlock,
  type FunctionDefinition,
  usbFunction,
} from "../mod.ts";
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
