/**
 * The rules for interfaces, their settings and their associations.
 *
 * @module
 */

import { isWithin } from "../../arguments/rules.ts";
import { show } from "../../arguments/show.ts";
import { MAX_ALTERNATE_SETTING } from "../../compile/functionfs_abi.ts";
import type { Layout, SettingLayout } from "../../compile/layout.ts";
import type {
  FunctionDefinition,
  InterfaceDefinition,
} from "../../definition/function.ts";
import { ProblemList } from "../problem.ts";
import { inWords } from "../shape.ts";
import { checkEndpoint } from "./endpoint.ts";
import { checkFunctional } from "./functional.ts";
import type { InterfaceClass } from "./raw.ts";

const CLASS_FIELDS = ["class", "subclass", "protocol"] as const;

export function checkInterfaces(
  list: ProblemList,
  { definition, settings }: Layout,
): void {
  definition.interfaces.forEach((base, number) => {
    for (const it of settings) {
      if (it.interfaceNumber === number) checkSetting(list, it, base);
    }
    const { length } = base.alternates ?? [];
    if (length <= MAX_ALTERNATE_SETTING) return;
    list.configureFails(
      "alternates",
      `interfaces[${number}].alternates`,
      `There are ${length} alternate settings, but FunctionFS lets the host select settings 0 to ${MAX_ALTERNATE_SETTING}: use ${MAX_ALTERNATE_SETTING} at most`,
    );
  });
}

function checkSetting(
  list: ProblemList,
  setting: SettingLayout,
  base: InterfaceDefinition,
): void {
  const { declared, endpoints, path } = setting;
  for (const name of CLASS_FIELDS) {
    const isRequired = name === "class" && declared === base;
    if (declared[name] === undefined && !isRequired) continue;
    list.range(declared[name], [0, 255], `${path}.${name}`, inWords(name));
  }
  const above = { class: setting.class ?? 0, subclass: setting.subclass };
  declared.descriptors?.forEach((it, index) =>
    checkFunctional(list, it, above, `${path}.descriptors[${index}]`)
  );
  if (declared.descriptors === undefined) {
    checkInherited(list, base, above, path);
  }
  for (const it of endpoints) checkEndpoint(list, it);
}

/** Checks that inherited descriptors fit the setting; their own problems are those of the interface. */
function checkInherited(
  list: ProblemList,
  { class: code, subclass = 0, descriptors = [] }: InterfaceDefinition,
  above: InterfaceClass,
  path: string,
): void {
  if (above.class === code && above.subclass === subclass) return;
  const own = new ProblemList();
  for (const each of descriptors) checkFunctional(own, each, above, "");
  if (own.problems.length === 0) return;
  list.writeFails(
    "functional",
    `${path}.descriptors`,
    "The setting inherits descriptors from an interface of another class: give its own, or [] for none",
  );
}

export function checkAssociations(
  list: ProblemList,
  { associations = [], interfaces }: FunctionDefinition,
): void {
  const owners: (number | undefined)[] = [];
  const last = interfaces.length - 1;
  associations.forEach((association, index) => {
    const path = `associations[${index}]`;
    const problem = (message: string, field = "") =>
      list.configureFails("association", `${path}${field}`, message);
    const { firstInterface, interfaceCount } = association;
    const { class: code, subclass = 0, protocol = 0 } = association;
    const codes = { class: code, subclass, protocol };
    for (const name of CLASS_FIELDS) {
      list.range(codes[name], [0, 255], `${path}.${name}`, inWords(name));
    }
    if (!isWithin(firstInterface, 0, last)) {
      return problem(
        `Interface ${
          show(firstInterface)
        } does not exist: the function has interfaces 0 to ${last}`,
        ".firstInterface",
      );
    }
    const greatest = interfaces.length - firstInterface;
    if (!isWithin(interfaceCount, 1, greatest)) {
      return problem(
        `Interface count ${
          show(interfaceCount)
        } is not possible: from interface ${firstInterface} on there are 1 to ${greatest}`,
        ".interfaceCount",
      );
    }
    for (let i = firstInterface; i < firstInterface + interfaceCount; i++) {
      const owner = owners[i];
      if (owner !== undefined) {
        return problem(
          `Interface ${i} is in associations[${owner}] already: an interface can be in one`,
        );
      }
      owners[i] = index;
    }
  });
}
