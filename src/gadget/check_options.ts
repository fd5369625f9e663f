/**
 * Checks what gadgets are started and changed with, where TypeScript does not
 * run. What a definition says is checked in `check_gadget.ts`.
 *
 * @module
 */
import {
  checkArgument,
  checkOptions,
  FLAG,
  LIST,
  OBJECT,
  type Rules,
  SIGNAL,
  TEXT,
} from "../arguments/rules.ts";
import type { BindOptions } from "./binding.ts";
import { checkMountOptions } from "./function_mount.ts";
import type { GadgetDefinition } from "./gadget_definition.ts";
import type { GadgetApplyOptions, GadgetOptions } from "./gadget_options.ts";

const START: Rules<GadgetOptions> = {
  name: TEXT,
  udc: TEXT,
  libaio: TEXT,
  eventfd: FLAG,
  mounts: OBJECT,
  bind: FLAG,
  rebind: FLAG,
  persistent: FLAG,
  signal: SIGNAL,
};
const BIND: Rules<BindOptions> = { udc: TEXT, wait: FLAG, signal: SIGNAL };
const APPLY: Rules<GadgetApplyOptions> = {
  wait: FLAG,
  rebind: FLAG,
  signal: SIGNAL,
};

/** Checks the types of what `Gadget.start()` is given. */
export function checkStart(
  definition: GadgetDefinition,
  options: GadgetOptions,
): void {
  const action = "start gadget";
  checkShape(action, definition);
  checkOptions(action, options, START);
  for (const each of Object.values(options.mounts ?? {})) {
    checkMountOptions(each);
  }
}

/** Checks the types of what `Gadget.bind()` is given. */
export function checkBind(name: string, options: BindOptions): void {
  checkOptions(`bind gadget "${name}"`, options, BIND);
}

/** Checks the types of what `Gadget.apply()` is given. */
export function checkApply(
  name: string,
  definition: GadgetDefinition,
  options: GadgetApplyOptions,
): void {
  const action = `change gadget "${name}"`;
  checkShape(action, definition);
  checkOptions(action, options, APPLY);
}

function checkShape(action: string, definition: GadgetDefinition): void {
  checkArgument(action, "the definition", definition, OBJECT);
  checkArgument(action, '"functions"', definition.functions, LIST);
  for (const each of definition.functions) {
    checkArgument(action, "a function", each, OBJECT);
  }
}
