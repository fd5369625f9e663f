/**
 * Changes a gadget to what another definition says.
 *
 * @module
 */
import { interfaceOffsets } from "../check/gadget/interfaces.ts";
import { type GadgetDefinition, isOwnFunction } from "../definition/gadget.ts";
import { unmountInstance } from "../state/mounts.ts";
import type { Binding } from "./binding.ts";
import { type LiveGadget, mountAll } from "./create.ts";
import {
  type ApplyOptions,
  type ApplyPlan,
  planApply,
} from "./configfs/apply.ts";
import type { ShownValues } from "./configfs/compare.ts";
import { type GadgetModel, modelGadget } from "./configfs/tree.ts";
import { TreeWriter } from "./configfs/writer.ts";
import type {
  AppliedChanges,
  GadgetApplyOptions,
  GadgetOptions,
} from "./options.ts";

/** What a change needs apart from the gadget. */
export interface ChangeContext {
  readonly binding: Binding;
  /** The options that the gadget was started with. */
  readonly options: GadgetOptions;
  readonly shown: ShownValues;
}

/**
 * Changes a gadget by as few steps as possible. If something fails, undoes the
 * changes. No other change may be made meanwhile.
 */
export async function changeGadget(
  gadget: LiveGadget,
  definition: GadgetDefinition,
  options: GadgetApplyOptions,
  context: ChangeContext,
): Promise<AppliedChanges> {
  const { binding } = context;
  const { definition: previous } = gadget;
  checkOwnFunctions(previous, definition);
  const { unbinds, bound: wasBound } = binding;
  const writer = new TreeWriter(gadget.root);
  const before = modelGadget(previous, gadget.name);
  const model = modelGadget(definition, gadget.name);
  const run = (plan: ApplyPlan, definition: GadgetDefinition) => {
    plan.run();
    context.shown.note(writer);
    gadget.mountPoints = mountAll(definition, gadget.name, context.options);
    gadget.definition = definition;
  };
  const plan = makePlan(writer, model, context, { previous: before });
  const rebound = wasBound &&
    (plan.unbound || plan.enumerated && (options.rebind ?? true));
  try {
    // First: the host lets go of what it holds, such as the medium of a drive.
    if (rebound || plan.unbound) writer.unbind();
    run(plan, definition);
    if (rebound) {
      await binding.ready(options);
      binding.bindNow();
      writer.changes.push({ type: "bind", path: "UDC" });
    }
  } catch (error) {
    // Stopped while it was waiting: the gadget is removed.
    if (binding.ended) throw error;
    restore(error, () => {
      const undo = makePlan(writer, before, context, {
        previous: model,
        only: writer.changes.map(({ path }) => path),
      });
      if (undo.unbound) writer.unbind();
      run(undo, previous);
      // Unless unbind() was called while it was waiting.
      if (wasBound && unbinds === binding.unbinds) binding.bindNow();
    });
    throw error;
  }
  return { changes: writer.changes, rebound };
}

function makePlan(
  writer: TreeWriter,
  model: GadgetModel,
  { shown }: ChangeContext,
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

/** Checks that the functions that this process serves stay the same. */
function checkOwnFunctions(
  before: GadgetDefinition,
  now: GadgetDefinition,
): void {
  const offsets = [interfaceOffsets(before), interfaceOffsets(now)];
  const own = before.functions.filter(isOwnFunction);
  const other = now.functions.filter(isOwnFunction);
  for (const each of new Set([...own, ...other])) {
    if (!own.includes(each) || !other.includes(each)) {
      throw new TypeError(
        `Cannot change gadget: the function "${each.name}" must stay the same object as long as this process serves it; stop the gadget, and start another`,
      );
    }
    const moved = offsets[0].get(each.name) !== offsets[1].get(each.name);
    if (moved && (each.associations?.length ?? 0) > 0) {
      throw new TypeError(
        `Cannot change gadget: the function "${each.name}" has associations, and must keep the number of interfaces before it`,
      );
    }
  }
}

/** Undoes a failed change. If that fails as well, throws both errors. */
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
