/**
 * Checks of the functions of a gadget: what the gadget adds to their own rules.
 *
 * @module
 */
import { show } from "../../arguments/show.ts";
import { checkCharacters } from "../function/strings.ts";
import type { ProblemList } from "../problem.ts";
import { checkName, checkNumber, checkPath } from "./values.ts";
import {
  type GadgetFunction,
  isKernelFunction,
  isOwnFunction,
} from "../../definition/gadget.ts";
import type { AttributeValue } from "../../definition/kernel_attributes.ts";
import type { KernelFunction } from "../../definition/kernel_function.ts";

/** configfs refuses longer names of gadgets, functions and configurations. */
const MAX_NAME = 40;

/** How many bytes a driver keeps of a text; it cuts what is longer, without an error. */
const MAX_BYTES: readonly (readonly [RegExp, number])[] = [
  [/^lun\.\d+\/inquiry_string$/, 28],
  [/\/(sub_)?compatible_id$/, 8],
];

/**
 * Checks one function.
 *
 * @param path Where it is, such as `functions[0]`.
 */
export function checkFunction(
  list: ProblemList,
  path: string,
  each: GadgetFunction,
): void {
  checkName(list, `${path}.name`, each.name, "The function's name");
  if (isKernelFunction(each)) checkKernelFunction(list, path, each);
  else if (!isOwnFunction(each)) {
    checkNumber(
      list,
      `${path}.interfaces`,
      each.interfaces,
      32,
      "The number of interfaces",
    );
  }
}

function checkKernelFunction(
  list: ProblemList,
  path: string,
  { type, name, attributes, links }: KernelFunction,
): void {
  checkName(list, `${path}.type`, type, "The function's type");
  if (type === "ffs") {
    list.write(
      "function-type",
      `${path}.type`,
      'The type "ffs" is FunctionFS, which another process serves: use externalFunction()',
    );
  }
  const { length } = `${type}.${name}`;
  if (length >= MAX_NAME) {
    list.write(
      "name",
      `${path}.name`,
      `Type and name "${type}.${name}" have ${length} characters, and the kernel takes ${
        MAX_NAME - 1
      }: shorten the name`,
    );
  }
  for (const [attribute, value] of Object.entries(attributes)) {
    const at = `${path}.attributes[${show(attribute)}]`;
    checkPath(list, at, attribute, "A part of the attribute's path");
    checkAttribute(list, at, attribute, value);
  }
  for (const [link, target] of Object.entries(links)) {
    const at = `${path}.links[${show(link)}]`;
    checkPath(list, at, link, "A part of the link's path");
    checkPath(list, at, target, "A part of the link's target");
  }
}

function checkAttribute(
  list: ProblemList,
  at: string,
  attribute: string,
  value: AttributeValue,
): void {
  if (typeof value === "string") {
    const [, maxBytes = Infinity] = MAX_BYTES.find(([pattern]) =>
      pattern.test(attribute)
    ) ?? [];
    // Empty is a value: a drive without a medium.
    if (value !== "") checkCharacters(list, value, at, maxBytes);
    return;
  }
  const valid = value instanceof Uint8Array || typeof value === "boolean" ||
    typeof value === "number" && Number.isSafeInteger(value);
  if (valid) return;
  list.write(
    "attribute",
    at,
    `The value is ${
      Deno.inspect(value)
    }: give a text, a whole number, a boolean or a Uint8Array`,
  );
}
