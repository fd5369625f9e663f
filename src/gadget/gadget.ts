/**
 * A USB device presented by this machine.
 *
 * @module
 */
import { Errno, errorOf } from "../../ffi/errno.ts";
import { checkGadget } from "../check/gadget/gadget.ts";
import type { GadgetDefinition, GadgetFunction } from "../definition/gadget.ts";
import type { FunctionFs } from "../functionfs/function_fs.ts";
import { Once } from "../functionfs/once.ts";
import { wakeHostOf } from "../functionfs/wake_host.ts";
import { removeAtExit } from "../state/exit.ts";
import {
  cleanUp,
  type CleanUpOptions,
  removeGadget,
} from "../state/recovery.ts";
import { Binding } from "./binding.ts";
import {
  type BuiltGadget,
  checkPersistent,
  type CreatedGadget,
  createGadget,
  type LiveGadget,
} from "./create.ts";
import { changeGadget } from "./change_gadget.ts";
import { ChangeQueue } from "./change_queue.ts";
import { type GadgetChange, TreeWriter } from "./configfs/writer.ts";
import { nextName } from "./directory.ts";
import { type KernelHandles, kernelHandles } from "./kernel/handle.ts";
import {
  type AppliedChanges,
  type BindOptions,
  checkApply,
  checkBind,
  checkStart,
  type GadgetApplyOptions,
  type GadgetOptions,
} from "./options.ts";
import { readUdc, type Udc } from "./udc/udc.ts";

/**
 * The functions of a gadget that its process serves, under their names.
 *
 * @internal
 */
export type GadgetFunctions<F extends readonly GadgetFunction[]> = {
  readonly [
    K in Exclude<F[number], { readonly kind: string }> as K["name"]
  ]: FunctionFs<K>;
};

/**
 * A USB device presented by this machine, until the object is stopped.
 *
 * @priority 9
 * @category Gadget
 */
export class Gadget<
  const F extends readonly GadgetFunction[] = readonly GadgetFunction[],
> implements AsyncDisposable {
  /** The name of its directory in configfs. */
  readonly name: string;
  /** Its functions that this process serves, under their names. */
  readonly functions: GadgetFunctions<F>;
  /**
   * What its start has changed in configfs: nothing if a persistent gadget
   * already existed with this definition.
   */
  readonly changes: readonly GadgetChange[];
  readonly #options: GadgetOptions;
  readonly #gadget: LiveGadget;
  readonly #shown: BuiltGadget["shown"];
  readonly #queue = new ChangeQueue();
  readonly #binding: Binding;
  /** The controller that it was bound to when it was adopted. */
  readonly #adoptedUdc: string | undefined;
  readonly #forget: () => Promise<void> | void;
  readonly #stopping = new Once();

  private constructor(
    { gadget, built }: CreatedGadget,
    options: GadgetOptions,
  ) {
    this.name = gadget.name;
    this.#gadget = gadget;
    this.#options = options;
    this.functions = gadget.functions as GadgetFunctions<F>;
    this.changes = built.changes;
    this.#adoptedUdc = built.udc || undefined;
    this.#shown = built.shown;
    this.#binding = new Binding(
      gadget,
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
   * connected host sees it; this does not wait for the host. It does wait until
   * functions of other processes have their descriptors.
   *
   * Needs root, to make the gadget in configfs and to mount FunctionFS. A failure
   * leaves nothing behind; a persistent gadget that existed before stays,
   * attached if it was. The gadget is removed when it is stopped or disposed of,
   * and when the process ends by `Deno.exit`, by an uncaught error, or by a
   * signal that the program does not listen to, such as SIGINT, SIGTERM, SIGHUP
   * or SIGQUIT. If the program listens to a signal (`Deno.addSignalListener`),
   * the gadget stays until the program stops it or ends. The next start removes
   * what a killed process leaves behind; see {@linkcode Gadget.cleanUp}.
   *
   * @throws {DefinitionError} With everything that is wrong with the definition.
   * @throws {Deno.errors.NotFound} If the kernel has no gadget support, or the
   * controller does not exist.
   * @throws {Deno.errors.AlreadyExists} If the name is taken.
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
    checkGadget(definition, options.name ?? nextName());
    if (options.persistent) checkPersistent(definition, options);
    const created = await createGadget(definition, options);
    const gadget = new Gadget<F>(created, options);
    await created.handOver();
    try {
      const { udc, signal, bind = true } = options;
      if (bind) await gadget.bind({ udc, signal });
      return gadget;
    } catch (error) {
      if (created.adopted) gadget.#giveUp();
      else await gadget.stop();
      throw error;
    }
  }

  /**
   * Removes the gadgets of this package whose processes or Workers have ended
   * without removing them, as by SIGKILL or a crash: their directories in
   * configfs, mounts and mount points. Gadgets of other programs and of running
   * processes are not touched. {@linkcode Gadget.start} does this first.
   *
   * @returns The names of the gadgets that were removed.
   * @throws {Deno.errors.TimedOut} If another process keeps the lock for cleaning
   * up for half a minute.
   */
  static cleanUp(options: CleanUpOptions = {}): Promise<string[]> {
    return cleanUp(options);
  }

  /** The definition that it was made from, or changed to. */
  get definition(): GadgetDefinition<F> {
    return this.#gadget.definition as GadgetDefinition<F>;
  }

  /**
   * The USB device controller that it is bound to or was bound to last, with
   * its present state.
   *
   * @throws {Deno.errors.NotFound} If it was never bound, or the controller no
   * longer exists.
   */
  get udc(): Udc {
    const udc = this.#binding.udc ?? this.#adoptedUdc;
    if (udc === undefined) {
      throw errorOf(
        Errno.ENOENT,
        `Cannot read the UDC of gadget "${this.name}": it was never bound to one`,
        { syscall: "read" },
      );
    }
    return readUdc(udc);
  }

  /** Whether it is bound to an existing controller. */
  get bound(): boolean {
    return !this.#stopping.begun && this.#binding.bound;
  }

  /**
   * Its functions that the kernel serves, under their names: which network
   * interfaces, terminals, device files and sound cards are theirs.
   *
   * @example The network interface of a function
   * ```ts ignore
   * await using gadget = await Gadget.start({
   *   ...ids,
   *   functions: [kernelFunction("ncm", { host_addr: "02:00:00:00:00:02" })],
   * });
   * gadget.kernel.ncm.ifname; // "usb0"
   * ```
   */
  get kernel(): KernelHandles<F> {
    const udc = () => this.bound ? this.udc.name : "";
    return kernelHandles(this.#gadget, udc) as KernelHandles<F>;
  }

  /** Where FunctionFS is mounted, by the names of functions. */
  get mountPoints(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#gadget.mountPoints);
  }

  /**
   * Attaches the gadget to a controller. Waits for functions of other processes
   * and for pending changes. Does nothing if it is attached to that controller.
   * If it is attached to another one, it stays there if the new controller is not
   * free, and returns there if the new one refuses it.
   *
   * @throws {Deno.errors.Busy} As {@linkcode Gadget.start}.
   * @throws {Deno.errors.Interrupted} If {@linkcode unbind} is called while it
   * waits.
   */
  async bind(options: BindOptions = {}): Promise<void> {
    this.#prepareBind(options);
    await this.#binding.bind(options);
  }

  /** Detaches the gadget from its controller, and ends pending changes. */
  unbind(): void {
    this.#check("unbind");
    this.#binding.unbind();
  }

  /** Detaches the gadget and attaches it again, so that the host enumerates it anew. */
  async rebind(options: BindOptions = {}): Promise<void> {
    this.#prepareBind(options);
    await this.#binding.rebind(options);
  }

  /**
   * Wakes a host that has suspended the bus. The kernel ignores it if the bus is not
   * suspended. The host resumes it if the current configuration announces
   * `remoteWakeup` (see {@linkcode ConfigurationDefinition}), and the host has
   * allowed the device to wake it; otherwise the kernel ignores the call.
   *
   * Writes to `srp` of the device controller, which takes root.
   *
   * @throws {Deno.errors.NotFound} If the gadget is not bound to a controller.
   * @throws {Deno.errors.PermissionDenied} Without the right to do it.
   */
  wakeHost(): void {
    const action = `wake the host of gadget "${this.name}"`;
    if (!this.bound) {
      throw errorOf(
        Errno.ENOENT,
        `Cannot ${action}: it is not bound to a controller`,
        { syscall: "open" },
      );
    }
    wakeHostOf(this.udc.name, action);
  }

  /**
   * Changes the gadget to what `definition` says, by as few changes as possible.
   * Equal values are not written. It is detached and attached again only if a
   * change needs that.
   *
   * Functions that this process serves must be the same objects as before;
   * other functions may come, go and change. A failure undoes the changes: that
   * of a value that the kernel refuses, of a mount, of the bind afterwards, or of
   * the wait for a function of another process.
   *
   * One change is made at a time: a second call begins when the first is over.
   * {@linkcode unbind} ends a call that waits for a function of another process.
   *
   * @throws {DefinitionError} With everything that is wrong with the definition.
   * @throws {TypeError} If a function of this process is not the same.
   * @throws {AggregateError} If the changes could not be undone either.
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
      return changeGadget(this.#gadget, definition, options, {
        binding: this.#binding,
        options: this.#options,
        shown: this.#shown,
      });
    }, options.signal);
  }

  /**
   * Detaches the gadget from its host and removes it: functions, mounts, and
   * its directory in configfs. Does not wait for the host. A second call
   * returns the same promise; after a failure it continues.
   *
   * @throws {Error} What the kernel reports, such as EMFILE. Until another
   * call succeeds, the gadget is removed when the process ends.
   */
  stop(): Promise<void> {
    return this.#stopping.run(async () => {
      // First: without the host, all that is pending ends.
      this.#binding.end();
      await Promise.all(this.#all().map((each) => each.close()));
      removeGadget(this.name);
      await this.#forget();
    });
  }

  /** Stops the gadget, unless it is persistent; see {@linkcode stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    if (!this.#options.persistent) return this.stop();
    this.#binding.unwatch();
    return Promise.resolve();
  }

  /** Leaves an adopted gadget on the controller that it had. */
  #giveUp(): void {
    this.#binding.unwatch();
    if (this.#adoptedUdc === undefined) return;
    new TreeWriter(this.#gadget.root).setUdcBack(this.#adoptedUdc);
  }

  #stopNow(): void {
    this.#stopping.skip();
    try {
      this.#binding.end();
    } finally {
      // This may free the file descriptors that were lacking.
      for (const each of this.#all()) each.closeNow();
      removeGadget(this.name);
    }
  }

  #prepareBind(options: BindOptions): void {
    checkBind(this.name, options);
    this.#check("bind");
    if (this.#options.rebind) this.#binding.watch();
  }

  #check(action: string): void {
    if (!this.#stopping.begun) return;
    throw errorOf(
      Errno.EBADF,
      `Cannot ${action} gadget "${this.name}": it is stopped`,
      { syscall: "write" },
    );
  }

  #all(): FunctionFs[] {
    return Object.values(this.#gadget.functions);
  }
}
