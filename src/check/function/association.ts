/**
 * Rules for interface associations.
 *
 * @module
 */

import type { FunctionDefinition } from "../../definition/function.ts";
import { isWithin, type ProblemList, show } from "../problem_list.ts";

/**
 * Validates the associations of a function.
 *
 * @param list Where problems go.
 * @param definition The function.
 */
export function validateAssociations(
  list: ProblemList,
  { associations = [], interfaces }: FunctionDefinition,
): void {
  const owners: (number | undefined)[] = [];
  const last = interfaces.length - 1;
  associations.forEach((association, index) => {
    const path = `associations[${index}]`;
    const { firstInterface, interfaceCount } = association;
    list.range(association.class, [0, 255], `${path}.class`, "Class");
    const { subclass = 0, protocol = 0 } = association;
    list.range(subclass, [0, 255], `${path}.subclass`, "Subclass");
    list.range(protocol, [0, 255], `${path}.protocol`, "Protocol");
    if (!isWithin(firstInterface, 0, last)) {
      list.configure(
        "association",
        `${path}.firstInterface`,
        `Interface ${
          show(firstInterface)
        } does not exist: the function has interfaces 0 to ${last}`,
      );
      return;
    }
    const greatest = interfaces.length - firstInterface;
    if (!isWithin(interfaceCount, 1, greatest)) {
      list.configure(
        "association",
        `${path}.interfaceCount`,
        `Interface count ${
          show(interfaceCount)
        } is not possible: from interface ${firstInterface} on there are 1 to ${greatest}`,
      );
      return;
    }
    for (let i = firstInterface; i < firstInterface + interfaceCount; i++) {
      const owner = owners[i];
      if (owner !== undefined) {
        list.configure(
          "association",
          path,
          `Interface ${i} is in associations[${owner}] already: an interface can be in one`,
        );
        return;
      }
      owners[i] = index;
    }
  });
}
