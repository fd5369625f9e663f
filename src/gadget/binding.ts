/**
 * Binds a gadget to a UDC, and keeps it bound.
 *
 * @module
 */
import { Errno, errorOf, isSystemError } from "../../ffi/errno.ts";
import { exists } from "../../ffi/file.ts";
import { KernelLog } from "../remedies/kernel_log.ts";
import { bindError, noFreeController, udcOwner } from "./bind_failure.ts";
import type { LiveGadget } from "./create.ts";
import type { ChangeQueue } from "./change_queue.ts";
import { relinkFunctions } from "./configfs/links.ts";
import { TreeWriter } from "./configfs/writer.ts";
import type { BindOptions } from "./options.ts";
import { unreadyFunctions } from "./readiness.ts";
import {
  checkUsbIp,
  checkVirtualAddresses,
  warnOfLandingPage,
} from "./udc/capabilities.ts";
import { freeUdcs, listUdcs, readUdcDriver } from "./udc/udc.ts";

const POLL_MS = 20;
/** How often to check a gadget that is to be bound again. */
const WATCH_MS = 100;
/** After each failed bind, the interval doubles up to this one. */
const LONGEST_WATCH_MS = 5_000;

/** The connection between a gadget and a UDC. */
export class Binding {
  readonly #gadget: LiveGadget;
  readonly #changes: ChangeQueue;
  readonly #firstUdc: string | undefined;
  #udc: string | undefined;
  /** Whether it should be bound: not after `unbind()`. */
  #wanted = false;
  #unbinds = 0;
  #ended = false;
  #watch: ReturnType<typeof setTimeout> | undefined;
  readonly #onError: (error: unknown) => void;
  /** The last error that was reported, until a check succeeds. */
  #reported: string | undefined;

  /**
   * @param changes The changes of the gadget.
   * @param firstUdc The controller to bind to at first, by default one that is free.
   * @param onError Receives errors of the background work.
   */
  constructor(
    gadget: LiveGadget,
    changes: ChangeQueue,
    firstUdc?: string,
    onError: (error: unknown) => void = (error) => console.error(error),
  ) {
    this.#gadget = gadget;
    this.#changes = changes;
    this.#firstUdc = firstUdc;
    this.#onError = onError;
  }

  /** How often it was unbound, which ends pending binds. */
  get unbinds(): number {
    return this.#unbinds;
  }

  /** The controller that it is or was bound to last. */
  get udc(): string | undefined {
    return this.#udc;
  }

  /** Whether {@linkcode end} was called. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether it is bound now. configfs keeps the name of a controller that is gone. */
  get bound(): boolean {
    const { name, root } = this.#gadget;
    if (!exists(root)) return false;
    const { udc } = this.#writer();
    return udc !== "" && readUdcDriver(udc) === name;
  }

  /**
   * Waits until all functions have descriptors, and binds when no other change
   * of the gadget is under way.
   *
   * @param unbinds How often it had been unbound at the time of the call.
   */
  async bind(options: BindOptions, unbinds = this.#unbinds): Promise<void> {
    const { udc, wait = true, signal } = options;
    for (let bound = false; !bound;) {
      await this.ready(options, unbinds);
      bound = await this.#changes.run(() => {
        this.#check(unbinds);
        // A change may have added an unready function in the meantime.
        if (wait && this.#isWaiting()) return false;
        this.bindNow(udc);
        return true;
      }, signal);
    }
  }

  /** Unbinds and binds, when no other change of the gadget is under way. */
  async rebind(options: BindOptions): Promise<void> {
    const unbinds = this.#unbinds;
    await this.#changes.run(() => {
      this.#check(unbinds);
      this.#detach();
    }, options.signal);
    await this.bind(options, unbinds);
  }

  /**
   * Waits until all functions have descriptors.
   *
   * @throws {Deno.errors.Interrupted} If {@linkcode unbind} is called.
   * @throws {Deno.errors.BadResource} If {@linkcode end} is called.
   */
  async ready(
    { wait = true, signal }: BindOptions,
    unbinds = this.#unbinds,
  ): Promise<void> {
    while (wait && !this.#ended && this.#isWaiting()) {
      signal?.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      this.#check(unbinds);
    }
    this.#check(unbinds);
  }

  #check(unbinds: number): void {
    const [number, reason] = this.#ended
      ? [Errno.EBADF, "it is stopped"]
      : [Errno.EINTR, "unbind() was called meanwhile"];
    if (!this.#ended && unbinds === this.#unbinds) return;
    throw errorOf(
      number,
      `Cannot bind gadget "${this.#gadget.name}": ${reason}`,
      { syscall: "write" },
    );
  }

  /** Binds at once. */
  bindNow(udc = this.#udc ?? this.#firstUdc): void {
    const actual = this.#writer().udc;
    if (this.bound && (udc === undefined || udc === actual)) {
      this.#noteBound(actual);
      return;
    }
    if (actual !== "") return this.#move(actual, udc ?? actual);
    if (udc !== undefined) return this.#bindTo(udc);
    const free = freeUdcs();
    if (free.length === 0) throw noFreeController(this.#gadget, listUdcs());
    for (const [index, candidate] of free.entries()) {
      try {
        return this.#bindTo(candidate.name);
      } catch (error) {
        // Another process was faster: there may be more controllers.
        const last = index + 1 === free.length;
        if (last || udcOwner(candidate.name) === undefined) throw error;
      }
    }
  }

  /** Binds to another controller, or to the previous one if that fails. */
  #move(from: string, to: string): void {
    // A controller that is visibly not free must not cost the host its device.
    if (readUdcDriver(to) !== "") throw bindError(this.#gadget, to);
    const writer = this.#writer();
    writer.unbind();
    try {
      this.#bindTo(to);
    } catch (error) {
      writer.setUdcBack(from);
      throw error;
    }
  }

  #bindTo(udc: string): void {
    const gadget = this.#gadget;
    if (readUdcDriver(udc) === undefined) throw bindError(gadget, udc);
    checkVirtualAddresses(gadget.definition, udc);
    checkUsbIp(gadget.definition, udc, this.#firstUdc);
    const writer = this.#writer();
    using log = new KernelLog();
    try {
      writer.setUdc(udc);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const kernelLog = log.lines();
      relinkFunctions(writer);
      throw bindError(gadget, udc, error, kernelLog);
    }
    this.#noteBound(udc);
  }

  #noteBound(udc: string): void {
    this.#udc = udc;
    this.#wanted = true;
    const { name, definition } = this.#gadget;
    warnOfLandingPage(name, definition, udc);
  }

  /** Unbinds, until the next bind. */
  unbind(): void {
    this.#wanted = false;
    this.#unbinds++;
    this.#detach();
  }

  /** Unbinds, and ends everything that is pending. */
  end(): void {
    this.#ended = true;
    this.unwatch();
    this.unbind();
  }

  #detach(): void {
    if (exists(this.#gadget.root)) this.#writer().unbind();
  }

  /** Binds again whenever the kernel has unbound the gadget and its functions are ready. */
  watch(interval = WATCH_MS): void {
    this.#watch ??= setTimeout(() => {
      const failed = !this.#bindAgain();
      // Unless a handler has ended it meanwhile.
      if (this.#watch === undefined) return;
      this.#watch = undefined;
      this.watch(failed ? Math.min(2 * interval, LONGEST_WATCH_MS) : WATCH_MS);
    }, interval);
  }

  /** Ends {@linkcode watch}. */
  unwatch(): void {
    clearTimeout(this.#watch);
    this.#watch = undefined;
  }

  /** Returns false if it fails; reports an error once as long as it stays the same. */
  #bindAgain(): boolean {
    try {
      if (this.#wanted && !this.bound && !this.#isWaiting()) this.bindNow();
      this.#reported = undefined;
      return true;
    } catch (error) {
      // The controller is taken, or gone, for now.
      const passing = error instanceof Deno.errors.Busy ||
        error instanceof Deno.errors.NotFound;
      if (!passing && String(error) !== this.#reported) {
        this.#reported = String(error);
        this.#onError(error);
      }
      return false;
    }
  }

  /** Whether a function of another process is not ready. */
  #isWaiting(): boolean {
    return unreadyFunctions(this.#gadget).some(({ closed }) => !closed);
  }

  #writer(): TreeWriter {
    return new TreeWriter(this.#gadget.root);
  }
}
