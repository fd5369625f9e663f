/**
 * Makes a gadget that exists what another definition says.
 *
 * @module
 */
import type { Binding } from "./binding.ts";
import { unmountInstance } from "../state/mounts.ts";
import type { GadgetDefinition } from "../definition/gadget.ts";
import type {
  AppliedChanges,
  GadgetApplyOptions,
  GadgetOptions,
} from "./options.ts";
import { mountAll } from "./build.ts";
import type { ShownValues } from "./configfs/shown_values.ts";
import {
  type ApplyOptions,
  type ApplyPlan,
  planApply,
} from "./configfs/apply.ts";
import { type GadgetModel, modelGadget } from "./configfs/tree.ts";
import { unbindTree } from "./configfs/remove.ts";
import type { TreeWriter } from "./configfs/writer.ts";

/** A gadget that is to be changed. */
export interface ChangingGadget {
  readonly name: string;
  readonly writer: TreeWriter;
  readonly binding: Binding;
  readonly options: GadgetOptions;
  /** What it is made from now. */
  readonly definition: GadgetDefinition;
  /** How values read that the kernel shows in its own way. */
  readonly shown: ShownValues;
  /** Takes on a definition, and where its functions are mounted. */
  adopt(definition: GadgetDefinition, mountPoints: Map<string, string>): void;
}

/**
 * Changes a gadget by as few steps as possible. Whatever fails, what was
 * changed goes back to what it was; no other change may be made meanwhile.
 */
export async function changeGadget(
  gadget: ChangingGadget,
  definition: GadgetDefinition,
  options: GadgetApplyOptions,
): Promise<AppliedChanges> {
  const { writer, binding, definition: previous } = gadget;
  const { unbinds, bound: wasBound } = binding;
  const before = modelGadget(previous, gadget.name);
  const model = modelGadget(definition, gadget.name);
  const plan = plans(gadget, model, { previous: before });
  const rebound = wasBound &&
    (plan.unbound || plan.enumerated && (options.rebind ?? true));
  try {
    // First: what a host holds, such as the medium of a drive, it lets go.
    if (rebound || plan.unbound) unbindTree(writer);
    plan.run();
    gadget.shown.note(writer);
    adopt(gadget, definition);
    if (rebound) {
      await binding.ready(options);
      binding.bindNow();
      writer.changes.push({ type: "bind", path: "UDC" });
    }
  } catch (error) {
    // Stopped while it was waiting: there is nothing left to put back.
    if (binding.ended) throw error;
    restore(error, () => {
      const undo = plans(gadget, before, {
        previous: model,
        only: writer.changes.map(({ path }) => path),
      });
      if (undo.unbound) unbindTree(writer);
      undo.run();
      gadget.shown.note(writer);
      adopt(gadget, previous);
      // Unless unbind() was called while it was waiting.
      if (wasBound && unbinds === binding.unbinds) binding.bindNow();
    });
    throw error;
  }
  return { changes: writer.changes, rebound };
}

function plans(
  { writer, shown }: ChangingGadget,
  model: GadgetModel,
  options: ApplyOptions,
): ApplyPlan {
  return planApply(writer, model, {
    ...options,
    shown,
    onRemove: (directory) => {
      if (directory.startsWith("ffs.")) {
        unmountInstance(directory.slice("ffs.".length));
      }
    },
  });
}

function adopt(gadget: ChangingGadget, definition: GadgetDefinition): void {
  gadget.adopt(definition, mountAll(definition, gadget.name, gadget.options));
}

/** Undoes what has failed; tells both errors if that fails as well. */
function restore(error: unknown, undo: () => void): void {
  try {
    undo();
  } catch (second) {
    const [first, other] = [error, second].map((it) =>
      it instanceof Error ? it.message : String(it)
    );
    throw new AggregateError(
      [error, second],
      `${first}; and the gadget could not be put back: ${other}`,
    );
  }
}
