/**
 * The entry point for compiling: checks the definition and the options first.
 *
 * @module
 */

import { type NamesOf, refuseUnknown } from "../arguments/rules.ts";
import {
  type CompiledFunction,
  compileLayout,
  type CompileOptions,
} from "../compile/compile.ts";
import { isAllPairs, type Layout } from "../compile/layout.ts";
import type { UsbFunction } from "../definition/function.ts";
import { checkContext, maxInterfaces } from "./function/context.ts";
import { describeFunction } from "./function/function.ts";
import { DefinitionError, type Problem, ProblemList } from "./problem.ts";
import { layoutOf } from "./usb_function.ts";

const OPTIONS: NamesOf<CompileOptions> = {
  interfaceOffset: true,
  rwProxy: true,
  eventfd: true,
  kernel: true,
};

/**
 * Compiles a function to the two blocks that are written to ep0, and a map of its files.
 *
 * @param definition The function.
 * @param options What depends on where it runs.
 * @returns The blocks and the files.
 * @throws {DefinitionError} If the definition has problems, on this kernel or with these options.
 * @throws {TypeError} For an option that does not exist.
 *
 * @example Usage
 * ```ts
 * import { bulkPair, usbFunction } from "@usb/gadget";
 * import { compileFunction } from "@usb/gadget/inspect";
 * import { assertEquals } from "@std/assert";
 *
 * const echo = usbFunction({
 *   name: "echo",
 *   interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
 * });
 * const { endpoints } = compileFunction(echo);
 * assertEquals(endpoints.map((it) => it.file), ["ep1", "ep2"]);
 * assertEquals(endpoints.map((it) => it.direction), ["in", "out"]);
 * ```
 *
 * @category Inspect
 */
export function compileFunction(
  definition: UsbFunction,
  options: CompileOptions = {},
): CompiledFunction {
  const layout = layoutOf(definition);
  const subject = describeFunction(definition);
  refuseUnknown(`compile ${subject}`, options, OPTIONS);
  const problems = compileProblems(layout, options);
  if (problems.length > 0) throw new DefinitionError(subject, problems);
  return compileLayout(layout, options);
}

/** Whether a function can have `epN_rw` files: it has endpoints, and all of them are in pairs. */
export function canProxy(definition: UsbFunction): boolean {
  return isAllPairs(layoutOf(definition));
}

/** Finds the problems of a valid definition with these options. What the kernel takes is not among them, even if the host may miss it. */
function compileProblems(layout: Layout, options: CompileOptions): Problem[] {
  const list = new ProblemList();
  const { interfaceOffset = 0, eventfd, kernel, rwProxy } = options;
  const isOffset = list.range(
    interfaceOffset,
    [0, maxInterfaces(kernel) - 1],
    "interfaceOffset",
    "Interface offset",
  );
  if (eventfd !== undefined) {
    list.range(eventfd, [0, 0x7fffffff], "eventfd", "Eventfd");
  }
  if (rwProxy && !isAllPairs(layout)) {
    list.writeFails(
      "rw-proxy",
      "rwProxy",
      "Files for both directions need every endpoint in a pair: declare pairs, or leave rwProxy out",
    );
  }
  if (isOffset) {
    const configuration = { interfaces: interfaceOffset };
    checkContext(list, layout, { kernel, configuration });
  }
  return list.problems.filter((it) => it.stage !== "configure");
}
