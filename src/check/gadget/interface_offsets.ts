/**
 * Which numbers the interfaces of a gadget's functions get.
 *
 * @module
 */
import { show } from "../../arguments/show.ts";
import { ProblemList } from "../problem.ts";
import {
  configurationFunctions,
  type GadgetDefinition,
  type GadgetFunction,
  isOwnFunction,
} from "../../definition/gadget.ts";

/** How many interfaces a function has; `undefined` where nobody has told. */
function countInterfaces(each: GadgetFunction): number | undefined {
  return isOwnFunction(each) ? each.interfaces.length : each.interfaces;
}

/**
 * How many interfaces come before each function. An association names its
 * first interface by number, and the kernel does not rewrite that.
 *
 * @param list Where problems go: a function with associations that stands at
 * different places, or behind a function whose interfaces are not known.
 */
export function interfaceOffsets(
  definition: GadgetDefinition,
  list = new ProblemList(),
): Map<string, number> {
  const offsets = new Map<string, number>();
  const at = (each: GadgetFunction) =>
    `functions[${definition.functions.indexOf(each)}]`;
  for (const functions of configurationFunctions(definition)) {
    let offset: number | undefined = 0;
    for (const each of functions) {
      const matters: boolean = isOwnFunction(each) &&
        (each.associations?.length ?? 0) > 0;
      const before = offsets.get(each.name);
      if (matters && offset === undefined) {
        list.configure(
          "associations",
          at(each),
          `The function ${
            show(each.name)
          } has associations, and the number of interfaces before it is not known: give it as "interfaces" of the functions before it`,
        );
      }
      if (matters && before !== undefined && before !== offset) {
        list.configure(
          "associations",
          at(each),
          `The function ${
            show(each.name)
          } has associations, and not the same number of interfaces before it in each configuration: put the same functions before it`,
        );
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

/** How many interfaces each configuration has, at least. */
export function interfaceTotals(definition: GadgetDefinition): number[] {
  return configurationFunctions(definition).map((functions) =>
    functions.reduce((sum, each) => sum + (countInterfaces(each) ?? 1), 0)
  );
}
