/**
 * Checks what gadgets are started and changed with, where TypeScript does not
 * run. What a definition says is checked in `check_gadget.ts`.
 *
 * @module
 */
import {
  CALLBACK,
  checkOptions,
  FLAG,
  OBJECT,
  type Rules,
  SIGNAL,
  TEXT,
} from "../arguments/rules.ts";
import type { BindOptions } from "./binding.ts";
import { checkMountOptions } from "../state/mounts.ts";
import type { GadgetApplyOptions, GadgetOptions } from "./options.ts";

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
  onError: CALLBACK,
};
const BIND: Rules<BindOptions> = { udc: TEXT, wait: FLAG, signal: SIGNAL };
const APPLY: Rules<GadgetApplyOptions> = {
  wait: FLAG,
  rebind: FLAG,
  signal: SIGNAL,
};

/** Checks the types of what `Gadget.start()` is given. */
export function checkStart(options: GadgetOptions): void {
  checkOptions("start gadget", options, START);
  for (const each of Object.values(options.mounts ?? {})) {
    checkMountOptions(each);
  }
}

/** Checks the types of what `Gadget.bind()` is given. */
export function checkBind(name: string, options: BindOptions): void {
  checkOptions(`bind gadget "${name}"`, options, BIND);
}

/** Checks the types of what `Gadget.apply()` is given. */
export function checkApply(name: string, options: GadgetApplyOptions): void {
  checkOptions(`change gadget "${name}"`, options, APPLY);
}
