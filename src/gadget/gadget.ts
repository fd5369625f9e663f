/**
 * A USB device that this machine is.
 *
 * @module
 */
import type { FunctionFs } from "../functionfs/mod.ts";
import { Binding, type BindOptions } from "./binding.ts";
import { checkGadget } from "./check_gadget.ts";
import { removeAtExit } from "./exit.ts";
import type { GadgetDefinition, GadgetFunction } from "./gadget_definition.ts";
import type {
  AppliedChanges,
  GadgetApplyOptions,
  GadgetOptions,
} from "./gadget_options.ts";
import { unmountInstance } from "./function_mount.ts";
import {
  acquire,
  checkOwnFunctions,
  checkPersistent,
  mountAll,
  openAll,
} from "./gadget_parts.ts";
import { cleanUp, type CleanUpOptions, removeGadget } from "./recovery.ts";
import { gadgetsDirectory, permissionHint, ROOT_REMEDY } from "./remedies.ts";
import { planApply } from "./tree_apply.ts";
import { modelGadget } from "./tree_model.ts";
import { type GadgetChange, TreeWriter } from "./tree_writer.ts";
import { readUdc, type Udc } from "./udc.ts";

/** The functions of a gadget that its process serves, under their names. */
export type GadgetFunctions<F extends readonly GadgetFunction[]> = {
  readonly [
    K in Exclude<F[number], { readonly kind: string }> as K["name"]
  ]: FunctionFs<K>;
};

let counter = 0;

/** A USB device that this machine is, as long as the object is not stopped. */
export class Gadget<
  const F extends readonly GadgetFunction[] = readonly GadgetFunction[],
> implements AsyncDisposable {
  /** The name of its directory in configfs. */
  readonly name: string;
  /** Its functions that this process serves, under their names. */
  readonly functions: GadgetFunctions<F>;
  /**
   * What its start has changed in configfs: nothing if a persistent gadget was
   * there already, as it should be.
   */
  readonly changes: readonly GadgetChange[];
  readonly #options: GadgetOptions;
  readonly #root: string;
  readonly #mountPoints: Map<string, string>;
  readonly #binding: Binding;
  readonly #forget: () => void;
  #definition: GadgetDefinition;
  #stopped: Promise<void> | undefined;

  private constructor(parts: {
    name: string;
    definition: GadgetDefinition<F>;
    functions: GadgetFunctions<F>;
    options: GadgetOptions;
    root: string;
    mountPoints: Map<string, string>;
    changes: readonly GadgetChange[];
  }) {
    this.name = parts.name;
    this.#definition = parts.definition;
    this.functions = parts.functions;
    this.changes = parts.changes;
    this.#options = parts.options;
    this.#root = parts.root;
    this.#mountPoints = parts.mountPoints;
    this.#binding = new Binding(() => this.#subject(this.#writer()));
    this.#forget = parts.options.persistent ? () => {} : removeAtExit({
      stop: () => this.stop(),
      stopNow: () => this.#stopNow(),
    });
  }

  /**
   * Makes a gadget and attaches it to a USB device controller. From then on a
   * host that is connected sees it; it is not waited for. Functions of other
   * processes are: until these have written their descriptors.
   *
   * Needs root: gadgets are made in configfs, and FunctionFS is mounted.
   * Whatever fails, nothing is left behind. The gadget is removed when it is
   * stopped or disposed of, and when the process ends by SIGINT, SIGTERM,
   * `Deno.exit` or an uncaught error. What a process leaves behind that is
   * killed is removed by the next start; see {@linkcode Gadget.cleanUp}.
   *
   * @throws {Deno.errors.NotFound} Without gadget support in the kernel, or
   * without a USB device controller.
   * @throws {Deno.errors.AlreadyExists} If there is a gadget of that name.
   * @throws {Deno.errors.Busy} If all controllers are taken, or the kernel
   * refuses to bind the gadget; the error is a {@linkcode BindFailure}.
   * @throws {Deno.errors.PermissionDenied} Without the right to do it.
   */
  static async start<const F extends readonly GadgetFunction[]>(
    definition: GadgetDefinition<F>,
    options: GadgetOptions = {},
  ): Promise<Gadget<F>> {
    const { name = `usb-gadget.${Deno.pid}.${counter++}`, persistent = false } =
      options;
    checkGadget(definition, name);
    if (persistent) checkPersistent(definition, options);
    const directory = gadgetsDirectory();
    await cleanUp();
    const adopted = acquire(name, directory, persistent);
    let gadget: Gadget<F>;
    try {
      gadget = Gadget.#build(definition, `${directory}/${name}`, options);
    } catch (error) {
      if (!adopted) removeGadget(name);
      throw permissionHint(error, ROOT_REMEDY);
    }
    try {
      if (options.bind ?? true) await gadget.bind(options);
      return gadget;
    } catch (error) {
      if (!adopted) await gadget.stop();
      throw error;
    }
  }

  static #build<const F extends readonly GadgetFunction[]>(
    definition: GadgetDefinition<F>,
    root: string,
    options: GadgetOptions,
  ): Gadget<F> {
    const name = root.slice(root.lastIndexOf("/") + 1);
    const writer = new TreeWriter(root);
    const plan = planApply(writer, modelGadget(definition, name));
    const disturbs = plan.unbound || plan.enumerated;
    if (disturbs && writer.udc !== "") writer.setUdc("");
    plan.run();
    const mountPoints = mountAll(definition, name, options);
    const functions = openAll(definition, name, mountPoints, options);
    return new Gadget<F>({
      name,
      definition,
      functions: functions as GadgetFunctions<F>,
      options,
      root,
      mountPoints,
      changes: writer.changes,
    });
  }

  /**
   * Removes the gadgets of this package whose processes have ended without
   * doing it: by SIGKILL, by a crash. What others have made, and what belongs
   * to a process that runs, is not touched. {@linkcode Gadget.start} does this
   * first.
   *
   * @returns The names of the gadgets that were removed.
   */
  static cleanUp(options: CleanUpOptions = {}): Promise<string[]> {
    return cleanUp(options);
  }

  /** What it is made from. */
  get definition(): GadgetDefinition<F> {
    return this.#definition as GadgetDefinition<F>;
  }

  /**
   * The USB device controller that it is bound to or was bound to last, with
   * its state of now.
   *
   * @throws {Deno.errors.NotFound} If it was never bound to one.
   */
  get udc(): Udc {
    const { udc } = this.#binding;
    if (udc === undefined) {
      throw new Deno.errors.NotFound(
        `Cannot tell the UDC of gadget "${this.name}": it was never bound to one`,
      );
    }
    return readUdc(udc);
  }

  /** Whether it is bound to a controller. */
  get bound(): boolean {
    return this.#stopped === undefined && this.#binding.bound;
  }

  /** Where FunctionFS is mounted, by the names of functions. */
  get mountPoints(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#mountPoints);
  }

  /**
   * Attaches the gadget to a controller; waits for functions of other
   * processes. Nothing happens if it is attached to it.
   *
   * @throws {Deno.errors.Busy} As {@linkcode Gadget.start}.
   */
  async bind(options: BindOptions = {}): Promise<void> {
    this.#check("bind");
    const { udc = this.#binding.udc ?? this.#options.udc, signal } = options;
    if (this.#options.rebind) this.#binding.watch();
    await this.#binding.bind({ udc, signal });
  }

  /** Detaches the gadget from its controller; the host sees it leave. */
  unbind(): void {
    this.#check("unbind");
    this.#binding.unbind();
  }

  /** Detaches the gadget and attaches it again: the host enumerates it anew. */
  async rebind(options: BindOptions = {}): Promise<void> {
    this.unbind();
    await this.bind(options);
  }

  /**
   * Makes the gadget what `definition` says, by as few changes as possible.
   * What is already so is not written. It is detached and attached again only
   * if something has changed that needs it.
   *
   * Functions that this process serves must be the same objects as before;
   * other functions may come, go and change. If a change fails, the gadget
   * goes back to what it was.
   *
   * @returns What was changed.
   * @throws {TypeError} If a function of this process is not the same.
   */
  async apply(
    definition: GadgetDefinition,
    options: GadgetApplyOptions = {},
  ): Promise<AppliedChanges> {
    this.#check("change");
    checkGadget(definition, this.name);
    checkOwnFunctions(this.#definition, definition);
    const writer = this.#writer();
    const before = modelGadget(this.#definition, this.name);
    const model = modelGadget(definition, this.name);
    const plan = planApply(writer, model, {
      previous: before,
      onRemove: (directory) => {
        if (directory.startsWith("ffs.")) unmountInstance(directory.slice(4));
      },
    });
    const wasBound = this.#binding.bound;
    const rebound = wasBound &&
      (plan.unbound || plan.enumerated && (options.rebind ?? true));
    if (!plan.empty) {
      if (plan.unbound && wasBound) writer.setUdc("");
      try {
        plan.run();
      } catch (error) {
        planApply(writer, before, { previous: model }).run();
        if (rebound) this.#binding.bindNow();
        throw error;
      }
      if (!plan.unbound && rebound) writer.setUdc("");
    }
    this.#definition = definition;
    this.#mountPoints.clear();
    for (
      const [name, path] of mountAll(definition, this.name, this.#options)
    ) this.#mountPoints.set(name, path);
    const udc = this.#binding.udc;
    if (rebound) {
      await this.#binding.bind({ udc, signal: options.signal });
      writer.changes.push({ type: "bind", path: "UDC" });
    }
    return { changes: writer.changes, rebound };
  }

  /**
   * Detaches the gadget from its host and removes it: functions, mounts, and
   * its directory in configfs. Does not wait for the host. A second call
   * returns the same promise.
   */
  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  /** Stops the gadget; see {@linkcode stop}. One that is persistent stays. */
  [Symbol.asyncDispose](): Promise<void> {
    if (!this.#options.persistent) return this.stop();
    this.#binding.unwatch();
    return Promise.resolve();
  }

  async #stop(): Promise<void> {
    try {
      this.#binding.unwatch();
      // First: with the host gone, all that is pending ends.
      this.#binding.unbind();
      await Promise.all(this.#all().map((each) => each.close()));
      removeGadget(this.name);
    } finally {
      this.#forget();
    }
  }

  #stopNow(): void {
    this.#stopped = Promise.resolve();
    this.#binding.unwatch();
    this.#binding.unbind();
    for (const each of this.#all()) each.closeNow();
    removeGadget(this.name);
  }

  #check(action: string): void {
    if (this.#stopped === undefined) return;
    throw new Deno.errors.BadResource(
      `Cannot ${action} gadget "${this.name}": it is stopped`,
    );
  }

  #writer(): TreeWriter {
    return new TreeWriter(this.#root);
  }

  #subject(writer: TreeWriter) {
    return {
      name: this.name,
      writer,
      definition: this.#definition,
      mountPoints: this.#mountPoints,
    };
  }

  #all(): FunctionFs[] {
    return Object.values(this.functions);
  }
}
