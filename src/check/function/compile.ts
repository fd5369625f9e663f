/**
 * Problems that only show when it is known where a function runs.
 *
 * @module
 */

import type { CompileOptions } from "../../compile/compile.ts";
import type { FunctionDefinition } from "../../definition/function.ts";
import type { Plan } from "../../compile/layout.ts";
import type { Problem } from "../problem.ts";
import { ProblemList } from "../problem_list.ts";
import { maxInterfaces, validateContext } from "./context.ts";

/**
 * Finds what is wrong with the options of a compilation, and with a valid definition under these options. Things that
 * the kernel takes but the host may miss are not among them.
 *
 * @param definition The function, valid by itself.
 * @param plan Its plan.
 * @param options The options.
 * @returns All problems.
 */
export function compileProblems(
  definition: FunctionDefinition,
  plan: Plan,
  options: CompileOptions,
): Problem[] {
  const list = new ProblemList();
  const { interfaceOffset = 0, eventfd, kernel, rwProxy } = options;
  const greatest = maxInterfaces(kernel) - 1;
  const isOffset = list.range(
    interfaceOffset,
    [0, greatest],
    "interfaceOffset",
    "Interface offset",
  );
  if (eventfd !== undefined) {
    list.range(eventfd, [0, 0x7fffffff], "eventfd", "Eventfd");
  }
  if (rwProxy) validateProxies(list, plan);
  if (isOffset) {
    validateContext(list, definition, plan, {
      kernel,
      configuration: { interfaces: interfaceOffset },
    });
  }
  return list.problems.filter((it) => it.stage !== "configure");
}

function validateProxies(
  list: ProblemList,
  { endpoints }: Plan,
): void {
  if (endpoints.length === 0 || !endpoints.every((it) => it.paired)) {
    list.write(
      "rw-proxy",
      "rwProxy",
      "Files for both directions need every endpoint in a pair: ask canProxy() before",
    );
  }
}
