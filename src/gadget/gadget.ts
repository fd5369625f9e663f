/**
 * A USB device that this machine is.
 *
 * @module
 */
import { Errno, errorOf } from "../../ffi/errno.ts";
import type { FunctionFs } from "../functionfs/function_fs.ts";
import { Once } from "../functionfs/once.ts";
import { Binding, type BindOptions } from "./udc/binding.ts";
import { changeGadget } from "./change_gadget.ts";
import { ChangeQueue } from "./change_queue.ts";
import { checkGadget } from "../check/gadget/gadget.ts";
import { checkApply, checkBind, checkStart } from "./check_options.ts";
import { removeAtExit } from "../state/exit.ts";
import type { GadgetDefinition, GadgetFunction } from "../definition/gadget.ts";
import type {
  AppliedChanges,
  GadgetApplyOptions,
  GadgetOptions,
} from "./gadget_options.ts";
import {
  acquire,
  acquireFree,
  buildGadget,
  checkOwnFunctions,
  checkPersistent,
  type GadgetParts,
  nextName,
  openFunctions,
} from "./gadget_parts.ts";
import {
  cleanUp,
  type CleanUpOptions,
  removeGadget,
} from "../state/recovery.ts";
import { permissionHint } from "./hints.ts";
import { gadgetsDirectory } from "./remedies.ts";
import type { BindingSubject } from "./udc/readiness.ts";
import type { ShownValues } from "./configfs/shown_values.ts";
import { type GadgetChange, TreeWriter } from "./configfs/writer.ts";
import { readUdc, type Udc } from "./udc/udc.ts";

/** The functions of a gadget that its process serves, under their names. */
export type GadgetFunctions<F extends readonly GadgetFunction[]> = {
  readonly [
    K in Exclude<F[number], { readonly kind: string }> as K["name"]
  ]: FunctionFs<K>;
};

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
  #mountPoints: ReadonlyMap<string, string>;
  /** Its changes, of which one is made at a time. */
  readonly #queue = new ChangeQueue();
  readonly #shown: ShownValues;
  readonly #binding: Binding;
  /** The controller that it was bound to when it was adopted. */
  readonly #adoptedUdc: string | undefined;
  readonly #forget: () => Promise<void> | void;
  #definition: GadgetDefinition;
  readonly #stopping = new Once();

  private constructor(
    name: string,
    definition: GadgetDefinition<F>,
    options: GadgetOptions,
    parts: GadgetParts,
    functions: Readonly<Record<string, FunctionFs>>,
  ) {
    this.name = name;
    this.#definition = definition;
    this.#options = options;
    this.functions = functions as GadgetFunctions<F>;
    this.changes = parts.changes;
    this.#root = parts.root;
    this.#mountPoints = parts.mountPoints;
    this.#adoptedUdc = parts.udc || undefined;
    this.#shown = parts.shown;
    this.#binding = new Binding(
      () => this.#subject(),
      this.#queue,
      options.udc ?? this.#adoptedUdc,
      options.onError,
    );
    this.#forget = options.persistent
      ? () => {}
      : removeAtExit({ stopNow: () => this.#stopNow() });
  }

  /**
   * Makes a gadget and attaches it to a USB device controller. From then on a
   * host that is connected sees it; it is not waited for. Functions of other
   * processes are: until these have written their descriptors.
   *
   * Needs root: gadgets are made in configfs, and FunctionFS is mounted.
   * Whatever fails, nothing is left behind; a persistent gadget that was there
   * before stays, attached if it was. The gadget is removed when it is stopped
   * or disposed of, and when the process ends by `Deno.exit`, by an uncaught
   * error, or by a signal that the program does not listen to, such as SIGINT,
   * SIGTERM, SIGHUP or SIGQUIT. If it listens to a signal
   * (`Deno.addSignalListener`), the gadget stays until the program stops it or
   * ends. What a process leaves behind that is killed is removed by the next
   * start; see {@linkcode Gadget.cleanUp}.
   *
   * @throws {DefinitionError} With everything that is wrong with the definition.
   * @throws {Deno.errors.NotFound} Without gadget support in the kernel, or
   * without a USB device controller, or without the one that was named.
   * @throws {Deno.errors.AlreadyExists} If there is a gadget of that name.
   * @throws {Deno.errors.Busy} If all controllers are taken, or the kernel
   * refuses to bind the gadget; the error is a {@linkcode BindFailure}.
   * @throws {Deno.errors.NotSupported} If the kernel has no WebUSB.
   * @throws {Deno.errors.PermissionDenied} Without the right to do it.
   */
  static async start<const F extends readonly GadgetFunction[]>(
    definition: GadgetDefinition<F>,
    options: GadgetOptions = {},
  ): Promise<Gadget<F>> {
    checkStart(options);
    const { persistent = false } = options;
    checkGadget(definition, options.name ?? nextName());
    if (persistent) checkPersistent(definition, options);
    const directory = gadgetsDirectory();
    await cleanUp();
    let name = options.name ?? nextName();
    // Until it is ours there is nothing to remove.
    let adopted = true;
    // From here on a signal does not end the process halfway.
    const built = removeAtExit({
      stopNow: () => {
        if (!adopted && !persistent) removeGadget(name);
      },
    });
    let gadget: Gadget<F>;
    try {
      if (options.name !== undefined) {
        adopted = acquire(name, directory, persistent);
      } else {
        name = acquireFree(directory);
        adopted = false;
      }
      const parts = buildGadget(definition, `${directory}/${name}`, options);
      const { mountPoints } = parts;
      const functions = await openFunctions(definition, mountPoints, options);
      gadget = new Gadget<F>(name, definition, options, parts, functions);
    } catch (error) {
      if (!adopted) removeGadget(name);
      throw permissionHint(error);
    } finally {
      await built();
    }
    try {
      const { udc, signal, bind = true } = options;
      if (bind) await gadget.bind({ udc, signal });
      return gadget;
    } catch (error) {
      if (adopted) gadget.#giveUp();
      else await gadget.stop();
      throw error;
    }
  }

  /**
   * Removes the gadgets of this package whose processes have ended without
   * doing it: by SIGKILL, by a crash. What others have made, and what belongs
   * to a process that runs, is not touched. {@linkcode Gadget.start} does this
   * first.
   *
   * @returns The names of the gadgets that were removed.
   * @throws {Deno.errors.TimedOut} If another process keeps the lock, under
   * which this is done, for half a minute.
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
   * @throws {Deno.errors.NotFound} If it was never bound to one, or that one is
   * gone.
   */
  get udc(): Udc {
    const udc = this.#binding.udc ?? this.#adoptedUdc;
    if (udc === undefined) {
      throw errorOf(
        Errno.ENOENT,
        `Cannot tell the UDC of gadget "${this.name}": it was never bound to one`,
        { syscall: "read" },
      );
    }
    return readUdc(udc);
  }

  /** Whether it is bound to a controller: not while that is gone. */
  get bound(): boolean {
    return !this.#stopping.begun && this.#binding.bound;
  }

  /** Where FunctionFS is mounted, by the names of functions. */
  get mountPoints(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#mountPoints);
  }

  /**
   * Attaches the gadget to a controller; waits for functions of other
   * processes, and for changes that are under way. Nothing happens if it is
   * attached to it. If it is attached to another controller, it stays there
   * where this one is not free, and goes back there where this one does not
   * take it.
   *
   * @throws {Deno.errors.Busy} As {@linkcode Gadget.start}.
   * @throws {Deno.errors.Interrupted} If {@linkcode unbind} is called while it
   * waits.
   */
  async bind(options: BindOptions = {}): Promise<void> {
    checkBind(this.name, options);
    this.#check("bind");
    if (this.#options.rebind) this.#binding.watch();
    await this.#binding.bind(options);
  }

  /**
   * Detaches the gadget from its controller; the host sees it leave. Ends
   * changes that wait.
   */
  unbind(): void {
    this.#check("unbind");
    this.#binding.unbind();
  }

  /** Detaches the gadget and attaches it again: the host enumerates it anew. */
  async rebind(options: BindOptions = {}): Promise<void> {
    checkBind(this.name, options);
    this.#check("bind");
    if (this.#options.rebind) this.#binding.watch();
    await this.#binding.rebind(options);
  }

  /**
   * Makes the gadget what `definition` says, by as few changes as possible.
   * What is already so is not written. It is detached and attached again only
   * if something has changed that needs it.
   *
   * Functions that this process serves must be the same objects as before;
   * other functions may come, go and change. Whatever fails, what was changed
   * goes back to what it was: a value that the kernel refuses, a mount, the
   * bind afterwards, or the wait for a function of another process.
   *
   * One change is made at a time: a second call begins when the first is over.
   * {@linkcode unbind} ends one that waits for a function of another process.
   *
   * @returns What was changed.
   * @throws {DefinitionError} With everything that is wrong with the definition.
   * @throws {TypeError} If a function of this process is not the same.
   * @throws {AggregateError} If it could not be put back either.
   */
  async apply(
    definition: GadgetDefinition,
    options: GadgetApplyOptions = {},
  ): Promise<AppliedChanges> {
    checkApply(this.name, options);
    this.#check("change");
    checkGadget(definition, this.name);
    return await this.#queue.run(() => {
      this.#check("change");
      checkOwnFunctions(this.#definition, definition);
      const gadget = {
        name: this.name,
        writer: this.#writer(),
        binding: this.#binding,
        options: this.#options,
        definition: this.#definition,
        shown: this.#shown,
        adopt: (
          definition: GadgetDefinition,
          mountPoints: Map<string, string>,
        ) => {
          this.#definition = definition;
          this.#mountPoints = mountPoints;
        },
      };
      return changeGadget(gadget, definition, options);
    }, options.signal);
  }

  /**
   * Detaches the gadget from its host and removes it: functions, mounts, and
   * its directory in configfs. Does not wait for the host. A second call
   * returns the same promise; after a failure it goes on where that was.
   *
   * @throws {Error} What the kernel reports, such as EMFILE. Until another
   * call succeeds, the gadget is removed when the process ends.
   */
  stop(): Promise<void> {
    return this.#stopping.run(() => this.#stop());
  }

  /** Stops the gadget; see {@linkcode stop}. One that is persistent stays. */
  [Symbol.asyncDispose](): Promise<void> {
    if (!this.#options.persistent) return this.stop();
    this.#binding.unwatch();
    return Promise.resolve();
  }

  /** Leaves an adopted gadget where it was before. */
  #giveUp(): void {
    this.#binding.unwatch();
    const udc = this.#adoptedUdc;
    if (udc !== undefined) this.#writer().setUdcBack(udc);
  }

  async #stop(): Promise<void> {
    // First: with the host gone, all that is pending ends.
    this.#binding.end();
    await Promise.all(this.#all().map((each) => each.close()));
    removeGadget(this.name);
    await this.#forget();
  }

  #stopNow(): void {
    this.#stopping.skip();
    try {
      this.#binding.end();
    } finally {
      // This may give back the descriptors that were lacking.
      for (const each of this.#all()) each.closeNow();
      removeGadget(this.name);
    }
  }

  #check(action: string): void {
    if (!this.#stopping.begun) return;
    throw errorOf(
      Errno.EBADF,
      `Cannot ${action} gadget "${this.name}": it is stopped`,
      { syscall: "write" },
    );
  }

  #writer(): TreeWriter {
    return new TreeWriter(this.#root);
  }

  #subject(): BindingSubject {
    return {
      name: this.name,
      writer: this.#writer(),
      definition: this.#definition,
      mountPoints: this.#mountPoints,
      functions: this.functions as Readonly<Record<string, FunctionFs>>,
    };
  }

  #all(): FunctionFs[] {
    return Object.values(this.functions);
  }
}
