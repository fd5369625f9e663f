/**
 * Checks of the functions of a gadget: what the gadget adds to their own rules.
 *
 * @module
 */
import {
  type GadgetDefinition,
  isKernelFunction,
} from "../../definition/gadget.ts";
import { FUNCTION_FILE } from "../../definition/gadget_names.ts";
import type { KernelFunction } from "../../definition/kernel_function.ts";
import type { ProblemList } from "../problem.ts";
import { show } from "../../arguments/show.ts";
import { checkName, MAX_FILE_NAME } from "./values.ts";
import { checkCharacters } from "../function/strings.ts";

/** configfs keeps `TYPE.NAME` in so many bytes, with a NUL at the end. */
const MAX_DIRECTORY = 40;
/** The name begins the names of files in `/run/usb-gadget`. */
const MAX_NAME = MAX_FILE_NAME - FUNCTION_FILE.descriptors.length;

/** How many bytes a driver keeps of a text; it cuts the rest without an error. */
const MAX_BYTES: readonly (readonly [RegExp, number])[] = [
  [/^lun\.\d+\/inquiry_string$/, 28],
  [/\/(sub_)?compatible_id$/, 8],
];

/** Attributes that are true or false. */
const FLAG =
  /^(lun\.\d+\/(cdrom|nofua|removable|ro)|stall|[cp]_(mute|volume)_present)$/;
/** What the kernel reads right as such: it looks at one character or two. */
const FLAG_VALUE = /^(0|1|[ynft]|yes|no|true|false|on|off)$/i;

/** Checks the functions of a gadget. */
export function checkFunctions(
  list: ProblemList,
  { functions }: GadgetDefinition,
): void {
  if (functions.length === 0) {
    list.bindFails(
      "functions",
      "functions",
      "There are no functions: give one at least",
    );
  }
  const names = new Set<string>();
  functions.forEach((each, index) => {
    const path = `functions[${index}]`;
    if (names.has(each.name)) {
      list.writeFails(
        "name",
        `${path}.name`,
        `The name ${show(each.name)} is used twice: give each function its own`,
      );
    }
    names.add(each.name);
    checkName(list, `${path}.name`, each.name, "The function's name", MAX_NAME);
    if (isKernelFunction(each)) checkKernelFunction(list, path, each);
  });
}

function checkKernelFunction(
  list: ProblemList,
  path: string,
  { type, name, attributes, links }: KernelFunction,
): void {
  checkName(list, `${path}.type`, type, "The function's type");
  if (type === "ffs") {
    list.writeFails(
      "function-type",
      `${path}.type`,
      'The type "ffs" is FunctionFS, which another process serves: use externalFunction()',
    );
  }
  const { length } = `${type}.${name}`;
  if (length >= MAX_DIRECTORY) {
    list.writeFails(
      "name",
      `${path}.name`,
      `Type and name "${type}.${name}" have ${length} characters, and the kernel takes ${
        MAX_DIRECTORY - 1
      }: shorten the name`,
    );
  }
  for (const [attribute, value] of Object.entries(attributes)) {
    const at = `${path}.attributes[${show(attribute)}]`;
    checkPath(list, at, attribute, "A part of the attribute's path");
    checkType(list, at, attribute, value);
    if (/^(dev|host)_addr$/.test(attribute)) checkAddress(list, at, value);
    if (FLAG.test(attribute)) checkFlag(list, at, value);
    // The kernel reads two digits of any text.
    if (type === "rndis" && /^(class|subclass|protocol)$/.test(attribute)) {
      list.range(value, [0, 0xff], at, "The value");
    }
  }
  for (const [link, target] of Object.entries(links)) {
    const at = `${path}.links[${show(link)}]`;
    checkPath(list, at, link, "A part of the link's path");
    checkPath(list, at, target, "A part of the link's target");
  }
}

/** A path below the function's directory. */
function checkPath(
  list: ProblemList,
  at: string,
  path: string,
  what: string,
): void {
  for (const part of path.split("/")) checkName(list, at, part, what);
}

function checkType(
  list: ProblemList,
  at: string,
  attribute: string,
  value: unknown,
): void {
  if (typeof value === "string") {
    const [, maxBytes = Infinity] = MAX_BYTES.find(([pattern]) =>
      pattern.test(attribute)
    ) ?? [];
    // Empty text is a value: a drive without a medium.
    if (value !== "") checkCharacters(list, value, at, maxBytes);
    return;
  }
  const valid = value instanceof Uint8Array || typeof value === "boolean" ||
    Number.isSafeInteger(value);
  if (valid) return;
  list.writeFails(
    "attribute",
    at,
    `The value is ${
      Deno.inspect(value)
    }: give a text, a whole number, a boolean or a Uint8Array`,
  );
}

/** Checks a MAC address: the kernel makes one of any text. */
function checkAddress(list: ProblemList, at: string, value: unknown): void {
  const shown = show(value);
  if (
    typeof value !== "string" || !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(value)
  ) {
    list.configureFails(
      "mac-address",
      at,
      `The MAC address is ${shown}, of which the kernel makes another one: write it as "02:00:00:00:00:01"`,
    );
  } else if (parseInt(value, 16) % 2 !== 0 || /^[0:]+$/.test(value)) {
    list.writeFails(
      "mac-address",
      at,
      `The MAC address ${shown} is not one of a single device, and the kernel refuses it: use an even first byte, as in "02:00:00:00:00:01"`,
    );
  }
}

function checkFlag(list: ProblemList, at: string, value: unknown): void {
  if (typeof value === "boolean" || FLAG_VALUE.test(String(value))) return;
  list.configureFails(
    "flag",
    at,
    `The value is ${
      show(value)
    }, and the kernel looks at its first character only: give true or false`,
  );
}
