/**
 * How many interfaces the functions of a gadget have, and which numbers these get.
 *
 * @module
 */
import {
  configurationFunctions,
  type GadgetDefinition,
  type GadgetFunction,
  isOwnFunction,
} from "../../definition/gadget.ts";
import { ProblemList } from "../problem.ts";
import { show } from "../../arguments/show.ts";

/** MAX_CONFIG_INTERFACES; 16 before Linux 6.12. */
const MAX_INTERFACES = 32;

/** Checks the number of interfaces in each configuration, and what depends on it. */
export function checkInterfaces(
  list: ProblemList,
  definition: GadgetDefinition,
): void {
  interfaceTotals(definition).forEach((count, index) => {
    if (count <= MAX_INTERFACES) return;
    list.bindFails(
      "interfaces",
      definition.configurations === undefined
        ? "functions"
        : `configurations[${index}]`,
      `There are ${count} interfaces, and Linux takes ${MAX_INTERFACES} in a configuration: use fewer functions`,
    );
  });
  interfaceOffsets(definition, list);
}

/** How many interfaces each configuration has, at least. */
export function interfaceTotals(definition: GadgetDefinition): number[] {
  return configurationFunctions(definition).map((functions) =>
    functions.reduce((sum, each) => sum + (countInterfaces(each) ?? 1), 0)
  );
}

/**
 * How many interfaces come before each function. An association names its
 * first interface by number, and the kernel does not rewrite that.
 *
 * @param list Gets a problem for each function with associations that has
 * different or unknown numbers of interfaces before it.
 */
export function interfaceOffsets(
  definition: GadgetDefinition,
  list = new ProblemList(),
): Map<string, number> {
  const offsets = new Map<string, number>();
  for (const functions of configurationFunctions(definition)) {
    let offset: number | undefined = 0;
    for (const each of functions) {
      const before = offsets.get(each.name);
      if (isOwnFunction(each) && (each.associations?.length ?? 0) > 0) {
        const problem = (message: string) =>
          list.configureFails(
            "associations",
            `functions[${definition.functions.indexOf(each)}]`,
            `The function ${show(each.name)} has associations, and ${message}`,
          );
        if (offset === undefined) {
          problem(
            'the number of interfaces before it is not known: give it as "interfaces" of the functions before it',
          );
        }
        if (before !== undefined && before !== offset) {
          problem(
            "not the same number of interfaces before it in each configuration: put the same functions before it",
          );
        }
      }
      offsets.set(each.name, before ?? offset ?? 0);
      const count: number | undefined = countInterfaces(each);
      offset = offset === undefined || count === undefined
        ? undefined
        : offset + count;
    }
  }
  return offsets;
}

/** How many interfaces a function has, if that is known. */
function countInterfaces(each: GadgetFunction): number | undefined {
  return isOwnFunction(each) ? each.interfaces.length : each.interfaces;
}
