/**
 * The rules for a function: all problems of a definition.
 *
 * @module
 */

import { FUNCTION_SPEEDS, type FunctionSpeed } from "../../usb/speed.ts";
import type { FunctionDefinition } from "../../definition/function.ts";
import { functionShape } from "./shape.ts";
import { MAX_NAME_BYTES } from "../../compile/functionfs_abi.ts";
import type { ProblemList } from "../problem.ts";
import { show } from "../../arguments/show.ts";
import { checkContext, type ValidationContext } from "./context.ts";
import {
  isAllPairs,
  type Layout,
  layOutFunction,
} from "../../compile/layout.ts";
import { checkEndpoints } from "./endpoints.ts";
import { checkAssociations, checkInterfaces } from "./interfaces.ts";
import { checkMicrosoftOs } from "./microsoft_os.ts";
import { checkStrings } from "./strings.ts";

/**
 * Finds the problems of a definition, and lays it out.
 *
 * @param known The layout, if the definition has been laid out before.
 * @returns The layout, or `undefined` for a definition of the wrong shape.
 */
export function checkFunction(
  list: ProblemList,
  definition: FunctionDefinition,
  context: ValidationContext,
  known?: Layout,
): Layout | undefined {
  if (typeof definition === "object" && definition !== null) {
    checkName(list, definition.name);
  }
  if (!functionShape(list, definition, "")) return undefined;
  const layout = known ?? layOutFunction(definition);
  checkSpeeds(list, definition.speeds);
  checkInterfaces(list, layout);
  checkEndpoints(list, layout);
  checkAssociations(list, definition);
  checkStrings(list, layout);
  checkMicrosoftOs(list, definition);
  if (definition.rwProxy === true) checkPairs(list, layout);
  // These rules would only repeat what is wrong with single fields.
  if (list.problems.length === 0) checkContext(list, layout, context);
  return layout;
}

/** Describes a function for messages, whatever is wrong with it. */
export function describeFunction(definition: unknown): string {
  const { name } = Object(definition) as { readonly name?: unknown };
  return typeof name === "string" ? `function ${show(name)}` : "function";
}

/** The name becomes that of a directory, `ffs.NAME`, and the source of a mount. */
function checkName(list: ProblemList, name: unknown): void {
  const problem = nameProblem(name);
  if (problem !== undefined) list.bindFails("name", "name", problem);
}

function nameProblem(name: unknown): string | undefined {
  if (typeof name !== "string" || name === "") {
    return `Name is ${show(name)}: give one of 1 to 35 bytes`;
  }
  if (/[/\0\n]/.test(name)) {
    return `Name ${
      show(name)
    } cannot be that of a directory: remove slashes, line breaks and NUL characters`;
  }
  const { length } = new TextEncoder().encode(name);
  if (length <= MAX_NAME_BYTES) return undefined;
  return `Name ${
    show(name)
  } has ${length} bytes, but configfs takes ${MAX_NAME_BYTES} after "ffs.": shorten it`;
}

function checkSpeeds(
  list: ProblemList,
  speeds: readonly FunctionSpeed[] | undefined,
): void {
  if (speeds === undefined) return;
  if (speeds.length === 0) {
    list.writeFails(
      "speeds",
      "speeds",
      `There is no speed: name one of "full", "high" and "super", or leave speeds out`,
    );
  }
  speeds.forEach((speed, index) => {
    const path = `speeds[${index}]`;
    if (!FUNCTION_SPEEDS.includes(speed)) {
      list.writeFails(
        "speeds",
        path,
        `Speed ${show(speed)} is not known: use "full", "high" or "super"`,
      );
    } else if (speeds.indexOf(speed) !== index) {
      list.writeFails(
        "speeds",
        path,
        `Speed "${speed}" is named twice: name it once`,
      );
    }
  });
  if (
    speeds.includes("high") && speeds.includes("super") &&
    !speeds.includes("full")
  ) {
    list.hazard(
      "speeds",
      "speeds",
      `High and super speed without full speed crash the kernel when the gadget is bound: add "full"`,
    );
  }
}

function checkPairs(list: ProblemList, layout: Layout): void {
  if (isAllPairs(layout)) return;
  const single = layout.endpoints.find((it) => !it.paired);
  list.writeFails(
    "rw-proxy",
    "rwProxy",
    single
      ? `Files for both directions need every endpoint in a pair, but ${single.path} is in none: declare pairs, or set rwProxy to "auto"`
      : `There is no pair to have a file for both directions: declare one, or set rwProxy to "auto"`,
  );
}
