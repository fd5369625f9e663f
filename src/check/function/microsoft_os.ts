/**
 * The rules for Microsoft OS descriptors.
 *
 * @module
 */

import { isWithin } from "../../arguments/rules.ts";
import { show } from "../../arguments/show.ts";
import { MAX_CONFIGURATION_LENGTH } from "../../compile/functionfs_abi.ts";
import {
  COMPAT_ID_CHARACTERS,
  PROPERTY_LENGTH,
  PROPERTY_TYPES,
} from "../../compile/microsoft_os_encoding.ts";
import type { FunctionDefinition } from "../../definition/function.ts";
import type {
  CompatibleId,
  ExtendedProperty,
} from "../../definition/microsoft_os.ts";
import type { ProblemList } from "../problem.ts";

/** The kernel keeps the size of a property in one byte. */
const MAX_PROPERTY_LENGTH = 255;
/** Header of the answer to a request for extended properties. */
const ANSWER_HEADER_LENGTH = 10;
/** The kernel counts features in 16 bits. */
const MAX_FEATURES = 0xffff;

/** Checks the features of a function for Windows. */
export function checkMicrosoftOs(
  list: ProblemList,
  { interfaces, microsoftOs = [] }: FunctionDefinition,
): void {
  if (microsoftOs.length > MAX_FEATURES) {
    return list.writeFails(
      "os-count",
      "microsoftOs",
      `There are ${microsoftOs.length} features: give ${MAX_FEATURES} at most`,
    );
  }
  const identified = new Set<number>();
  const answers = new Map<number, number>();
  const last = interfaces.length - 1;
  microsoftOs.forEach((feature, index) => {
    const path = `microsoftOs[${index}]`;
    const number = feature.interface;
    if (!isWithin(number, 0, last)) {
      list.writeFails(
        "os-interface",
        `${path}.interface`,
        `Interface ${
          show(number)
        } does not exist: the function has interfaces 0 to ${last}`,
      );
    }
    if (feature.kind === "compatible-id") {
      checkId(list, feature, path);
      if (identified.has(number)) {
        list.configureFails(
          "os-compatible-id",
          path,
          `Interface ${number} has a compatible ID already and can have one: remove one of them`,
        );
      }
      identified.add(number);
      return;
    }
    checkProperty(list, feature, path);
    const answer = (answers.get(number) ?? ANSWER_HEADER_LENGTH) +
      checkPropertySize(list, feature, path);
    answers.set(number, answer);
    if (answer < MAX_CONFIGURATION_LENGTH) return;
    list.configureFails(
      "os-answer",
      path,
      `The properties of interface ${number} take ${answer} bytes, but the kernel leaves out what does not fit into ${
        MAX_CONFIGURATION_LENGTH - 1
      }: use fewer or shorter ones`,
    );
  });
}

function checkId(
  list: ProblemList,
  { compatibleId, subCompatibleId }: CompatibleId,
  path: string,
): void {
  const check = (text: unknown, least: number, at: string, what: string) => {
    if (
      typeof text === "string" && /^[A-Z0-9_]*$/.test(text) &&
      isWithin(text.length, least, COMPAT_ID_CHARACTERS)
    ) return;
    list.writeFails(
      "os-compatible-id",
      `${path}.${at}`,
      `${what} ${
        show(text)
      } is not possible: use ${least} to ${COMPAT_ID_CHARACTERS} characters of A to Z, 0 to 9 and underscore`,
    );
  };
  check(compatibleId, 1, "compatibleId", "Compatible ID");
  check(subCompatibleId, 0, "subCompatibleId", "Sub-compatible ID");
}

function checkProperty(
  list: ProblemList,
  { name, type, value }: ExtendedProperty,
  path: string,
): void {
  const wrong = (field: string, message: string) =>
    list.configureFails("os-property", `${path}.${field}`, message);
  const write = (message: string) =>
    list.writeFails("os-property", `${path}.value`, message);
  const isText = typeof value === "string";
  if (typeof name !== "string" || name === "" || !isAscii(name)) {
    wrong(
      "name",
      `Name ${
        show(name)
      } is not possible: use ASCII characters, because the kernel counts bytes as characters`,
    );
  }
  if (!Object.hasOwn(PROPERTY_TYPES, type)) {
    wrong(
      "type",
      `Type ${
        show(type)
      } is not one that the kernel can answer with: use "string", "expand-string", "link" or "binary"`,
    );
  } else if (isText === (type === "binary")) {
    write(
      isText
        ? `A property of type "binary" has bytes: give an array of numbers`
        : `A property of type "${type}" has text: give a string`,
    );
  } else if (isText && !isAscii(value)) {
    wrong(
      "value",
      `Text ${
        show(value)
      } is not possible: use ASCII characters, because the kernel counts bytes as characters`,
    );
  } else if (!isText && !value?.every((it) => isWithin(it, 0, 255))) {
    write("The value has a number that is not a byte: use 0 to 255");
  } else if (name === "DeviceInterfaceGUID" && !GUID.test(String(value))) {
    list.configureFails(
      "os-guid",
      `${path}.value`,
      `GUID ${
        show(value)
      } is not one: write it as {xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx} with hexadecimal digits`,
    );
  }
}

/** Returns the bytes that the property takes in the answer to the host. */
function checkPropertySize(
  list: ProblemList,
  { name, value }: ExtendedProperty,
  path: string,
): number {
  const isText = typeof value === "string";
  const nameLength = String(name).length + 1;
  const valueLength = isText ? value.length + 1 : value?.length ?? 0;
  const length = PROPERTY_LENGTH + nameLength + valueLength;
  if (length > MAX_PROPERTY_LENGTH) {
    list.writeFails(
      "os-property-size",
      path,
      `The property takes ${length} bytes with its terminators, but the kernel keeps the size in one byte: shorten name or value by ${
        length - MAX_PROPERTY_LENGTH
      }`,
    );
  }
  return PROPERTY_LENGTH + 2 * nameLength + (isText ? 2 : 1) * valueLength;
}

const GUID =
  /^\{[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}$/i;

function isAscii(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return /^[\x01-\x7f]*$/.test(text);
}
