/**
 * Entry points for functions: defining one, and checking one.
 *
 * @module
 */

import { isPlain, type NamesOf, refuseUnknown } from "../arguments/rules.ts";
import type { Layout } from "../compile/layout.ts";
import type {
  FunctionDefinition,
  UsbFunction,
} from "../definition/function.ts";
import type { ValidationContext } from "./function/context.ts";
import { checkFunction, describeFunction } from "./function/function.ts";
import { DefinitionError, type Problem, ProblemList } from "./problem.ts";

/** The layouts of all functions that `usbFunction` made. */
const layouts = new WeakMap<UsbFunction, Layout>();

const CONTEXT: NamesOf<ValidationContext> = {
  kernel: true,
  udc: true,
  configuration: true,
};

/**
 * Copies, checks and freezes a definition, and remembers its layout.
 *
 * @throws {DefinitionError} With all problems of the definition.
 */
export function defineFunction<F extends UsbFunction>(definition: F): F {
  const copy = frozenCopy(definition);
  layouts.set(copy, layoutOf(copy));
  return copy;
}

/**
 * Finds all problems of a definition: what FunctionFS would refuse, what would fail when the gadget is bound or
 * configured, and what would crash the kernel.
 *
 * @param definition The function.
 * @param context What is known about the kernel, the controller and the rest of the configuration.
 * @returns The problems in the order of the definition, none for one that works.
 * @throws {TypeError} For an unknown field of the context.
 *
 * @example Usage
 * ```ts
 * import { bulkIn } from "@usb/gadget";
 * import { validateFunction } from "@usb/gadget/inspect";
 * import { assertEquals } from "@std/assert";
 *
 * const [problem] = validateFunction({
 *   name: "scope",
 *   interfaces: [{
 *     class: 0xff,
 *     endpoints: { tx: bulkIn({ full: { maxPacketSize: 100 } }) },
 *   }],
 * });
 * assertEquals(problem, {
 *   path: "interfaces[0].endpoints.tx.full.maxPacketSize",
 *   rule: "packet-size",
 *   message:
 *     "Packet size 100 is not possible for a bulk endpoint at full speed: use 8, 16, 32 or 64",
 *   stage: "configure",
 * });
 * ```
 *
 * @category Inspect
 */
export function validateFunction(
  definition: FunctionDefinition,
  context: ValidationContext = {},
): Problem[] {
  refuseUnknown(`validate ${describeFunction(definition)}`, context, CONTEXT);
  const list = new ProblemList();
  checkFunction(list, definition, context, layouts.get(definition));
  return list.problems;
}

/**
 * Returns the layout of a definition, which is computed and checked unless `usbFunction` did.
 *
 * @throws {DefinitionError} With all problems of the definition.
 */
export function layoutOf(definition: UsbFunction): Layout {
  const known = layouts.get(definition);
  if (known !== undefined) return known;
  const list = new ProblemList();
  const layout = checkFunction(list, definition, {});
  if (layout !== undefined && list.problems.length === 0) return layout;
  throw new DefinitionError(describeFunction(definition), list.problems);
}

/** Returns all problems of a definition: none for one that `usbFunction` made. */
export function functionProblems(definition: UsbFunction): readonly Problem[] {
  return layouts.has(definition) ? [] : validateFunction(definition);
}

/** Copies and freezes plain data. Bytes are copied, and cannot be frozen. Handlers and instances of classes are kept. */
function frozenCopy<T>(value: T, copies = new Map<unknown, unknown>()): T {
  if (value instanceof Uint8Array) return new Uint8Array(value) as unknown as T;
  if (!Array.isArray(value) && !isPlain(value)) return value;
  if (copies.has(value)) return copies.get(value) as T;
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value)
    ? Array.from(value)
    : {};
  copies.set(value, copy);
  for (const [key, it] of Object.entries(value)) {
    // Not an assignment: the key can be "__proto__".
    const field = { value: frozenCopy(it, copies), enumerable: true };
    if (it !== undefined) Object.defineProperty(copy, key, field);
  }
  return Object.freeze(copy) as T;
}
