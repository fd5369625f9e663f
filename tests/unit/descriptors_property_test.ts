import {
  compileFunction,
  decodeFunctionBlock,
  definitionFromBlocks,
  formatTree,
  normalizeDefinition,
  usbFunction,
} from "@usb/gadget";
import { assert, assertEquals } from "@std/assert";
import { arbitraryDefinition } from "../support/descriptors_arbitrary.ts";
import { mutate } from "../support/descriptors_mutate.ts";
import { Random } from "../support/random.ts";
import { validateBlocks } from "../kernel_model/validate_blocks.ts";

const RUNS = 2000;
const SEED = Math.floor(Math.random() * 2 ** 32);

/** Runs a check on random definitions. A failure tells the seed that repeats it. */
function forAll(check: (random: Random) => void): void {
  for (let i = 0; i < RUNS; i++) {
    const seed = (SEED + i) >>> 0;
    try {
      check(new Random(seed));
    } catch (cause) {
      throw new Error(`Property fails for seed ${seed}`, { cause });
    }
  }
}

Deno.test("definitionFromBlocks() gives back what compileFunction() encoded", () => {
  forAll((random) => {
    const definition = usbFunction(arbitraryDefinition(random));
    const { descriptors, strings, endpoints } = compileFunction(definition);
    const decoded = definitionFromBlocks(descriptors, strings, {
      name: definition.name,
      endpointNames: endpoints.map((it) => it.name),
    });
    assertEquals(decoded, normalizeDefinition(definition));
  });
});

Deno.test("compileFunction() encodes a decoded definition to the same bytes", () => {
  forAll((random) => {
    const definition = usbFunction(arbitraryDefinition(random));
    const first = compileFunction(definition);
    const decoded = definitionFromBlocks(first.descriptors, first.strings);
    const again = compileFunction(usbFunction(decoded));
    assertEquals(again.descriptors, first.descriptors);
    assertEquals(again.strings, first.strings);
  });
});

Deno.test("normalizeDefinition() changes nothing the second time", () => {
  forAll((random) => {
    const normal = normalizeDefinition(arbitraryDefinition(random));
    assertEquals(normalizeDefinition(normal), normal);
  });
});

Deno.test("validateBlocks() finds nothing in what compileFunction() made", () => {
  forAll((random) => {
    const definition = usbFunction(arbitraryDefinition(random));
    const { descriptors, strings } = compileFunction(definition);
    assertEquals(validateBlocks(descriptors, strings), {
      accepted: true,
      problems: [],
    });
  });
});

Deno.test("validateBlocks() accepts for each kernel what was compiled for it", () => {
  forAll((random) => {
    const definition = usbFunction(arbitraryDefinition(random, { dfu: false }));
    for (
      const kernel of [
        { major: 6, minor: 1 },
        { major: 6, minor: 12 },
        { major: 7, minor: 3 },
      ]
    ) {
      const { descriptors, strings } = compileFunction(definition, { kernel });
      const { accepted } = validateBlocks(descriptors, strings, { kernel });
      assert(accepted);
    }
  });
});

Deno.test("validateBlocks() judges mutated blocks and refuses some of them", () => {
  let accepted = 0;
  let refused = 0;
  forAll((random) => {
    const definition = usbFunction(arbitraryDefinition(random));
    const { descriptors, strings } = compileFunction(definition);
    const verdict = validateBlocks(
      mutate(random, descriptors),
      random.chance(0.3) ? mutate(random, strings) : strings,
    );
    if (verdict.accepted) accepted++;
    else refused++;
    assertEquals(verdict.accepted, verdict.errno === undefined);
    if (!verdict.accepted) assertEquals(verdict.problems.length, 1);
  });
  assert(accepted > RUNS / 20, `${accepted} accepted`);
  assert(refused > RUNS / 20, `${refused} refused`);
});

Deno.test("formatTree() writes a line for each descriptor of a block", () => {
  forAll((random) => {
    const definition = usbFunction(arbitraryDefinition(random));
    const { descriptors, strings } = compileFunction(definition);
    const text = formatTree(decodeFunctionBlock(descriptors, strings));
    assert(!text.includes("undefined") && !text.includes("NaN"), text);
  });
});
