/**
 * Binds a gadget to a UDC, and keeps it bound.
 *
 * @module
 */
import {
  Errno,
  errorOf,
  isSystemError,
  type SystemErrorFields,
} from "../../ffi/errno.ts";
import { exists } from "../../ffi/file.ts";
import { bindError, busyUdc, noFreeController } from "./bind_failure.ts";
import type { ChangeQueue } from "./change_queue.ts";
import { KernelLog } from "../remedies/kernel_log.ts";
import { warnOfLandingPage } from "./udc/landing_page.ts";
import { type BindingSubject, unreadyFunctions } from "./readiness.ts";
import { relinkFunctions } from "./configfs/relink.ts";
import { unbindTree } from "./configfs/remove.ts";
import { listUdcs, readUdcDriver } from "./udc/udc.ts";
import { udcOwner } from "./udc/owner.ts";
import { checkVirtualAddresses } from "./udc/capabilities.ts";

const POLL_MS = 20;
/** How often a gadget is looked after that is to be bound again. */
const WATCH_MS = 100;
/** After a bind that failed, the next looks are further and further apart. */
const LONGEST_WATCH_MS = 5_000;

/** How to bind a gadget. */
export interface BindOptions {
  /**
   * The USB device controller to use.
   * @default {the one it had, or else the first one that is free}
   */
  readonly udc?: string;
  /**
   * Whether to wait until the functions of other processes are ready.
   * Otherwise the kernel refuses a gadget with one that is not.
   * @default {true}
   */
  readonly wait?: boolean;
  /**
   * Ends the wait for functions of other processes, and for other changes of
   * the gadget; the promise rejects with the signal's reason.
   */
  readonly signal?: AbortSignal;
}

/** The tie between a gadget and a UDC. */
export class Binding {
  readonly #subject: () => BindingSubject;
  readonly #changes: ChangeQueue;
  readonly #firstUdc: string | undefined;
  #udc: string | undefined;
  /** Whether it should be bound: not after `unbind()`. */
  #wanted = false;
  #unbinds = 0;
  #ended = false;
  #watch: ReturnType<typeof setTimeout> | undefined;
  readonly #onError: (error: unknown) => void;
  /** The last error that was reported, until a look succeeds. */
  #reported: string | undefined;

  /**
   * @param subject Gets what is bound as it is now.
   * @param changes The changes of the gadget.
   * @param firstUdc The controller to bind to at first, the first one that is
   * free by default.
   * @param onError Gets what goes wrong in the background; see
   * `GadgetOptions.onError`.
   */
  constructor(
    subject: () => BindingSubject,
    changes: ChangeQueue,
    firstUdc?: string,
    onError: (error: unknown) => void = print,
  ) {
    this.#subject = subject;
    this.#changes = changes;
    this.#firstUdc = firstUdc;
    this.#onError = onError;
  }

  /** How often it was unbound: ends the binds that wait. */
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
    const { name, writer } = this.#subject();
    if (!exists(writer.root)) return false;
    const { udc } = writer;
    return udc !== "" && readUdcDriver(udc) === name;
  }

  /**
   * Waits until all functions have descriptors, and binds when no other change
   * of the gadget is under way.
   *
   * @param unbinds How often it had been unbound when this was asked for.
   */
  async bind(options: BindOptions, unbinds = this.#unbinds): Promise<void> {
    const { udc, wait = true, signal } = options;
    for (let bound = false; !bound;) {
      await this.ready(options, unbinds);
      bound = await this.#changes.run(() => {
        this.#check(unbinds);
        // What was changed in the meantime may have to be waited for.
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
    const { name } = this.#subject();
    if (this.#ended) {
      throw errorOf(
        Errno.EBADF,
        `Cannot bind gadget "${name}": it is stopped`,
        {
          syscall: "write",
        },
      );
    }
    if (unbinds !== this.#unbinds) {
      throw errorOf(
        Errno.EINTR,
        `Cannot bind gadget "${name}": unbind() was called meanwhile`,
        { syscall: "write" },
      );
    }
  }

  /** Binds at once. */
  bindNow(udc = this.#udc ?? this.#firstUdc): void {
    const { name, writer } = this.#subject();
    const actual = writer.udc;
    if (this.bound && (udc === undefined || udc === actual)) {
      this.#bound(actual);
      return;
    }
    if (actual !== "") return this.#move(actual, udc ?? actual);
    if (udc !== undefined) return this.#bindTo(udc);
    const free = listUdcs().filter(({ driver }) => driver === "");
    if (free.length === 0) throw noFreeController(name, writer, listUdcs());
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

  /** Binds to another controller; to the one before if that fails. */
  #move(from: string, to: string): void {
    const { writer } = this.#subject();
    // What can be seen beforehand need not cost the host its device.
    if (readUdcDriver(to) !== "") throw this.#error(busyUdc(writer, to), to);
    unbindTree(writer);
    try {
      this.#bindTo(to);
    } catch (error) {
      writer.setUdcBack(from);
      throw error;
    }
  }

  /** Unbinds, for good. */
  unbind(): void {
    this.#wanted = false;
    this.#unbinds++;
    this.#detach();
  }

  #detach(): void {
    const { writer } = this.#subject();
    if (exists(writer.root)) unbindTree(writer);
  }

  /** Unbinds, and ends everything that goes on. */
  end(): void {
    this.#ended = true;
    this.unwatch();
    this.unbind();
  }

  /** Binds again whenever the kernel has unbound it and its functions are ready. */
  watch(interval = WATCH_MS): void {
    this.#watch ??= setTimeout(() => {
      const failed = !this.#look();
      // Unless it was ended by what was called meanwhile.
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

  /**
   * Returns false if it has failed. There is no caller who could be told: an
   * error is reported, once as long as it stays the same.
   */
  #look(): boolean {
    try {
      if (this.#wanted && !this.bound && !this.#isWaiting()) this.bindNow();
      this.#reported = undefined;
      return true;
    } catch (error) {
      // The controller is taken, or gone, for now.
      const passing = error instanceof Deno.errors.Busy ||
        error instanceof Deno.errors.NotFound;
      if (!passing) this.#report(error);
      return false;
    }
  }

  #report(error: unknown): void {
    const text = String(error);
    if (text === this.#reported) return;
    this.#reported = text;
    this.#onError(error);
  }

  #bindTo(udc: string): void {
    const subject = this.#subject();
    const { writer } = subject;
    if (readUdcDriver(udc) === undefined) {
      throw this.#error(busyUdc(writer, udc), udc);
    }
    checkVirtualAddresses(subject.definition, udc);
    using log = new KernelLog();
    try {
      writer.setUdc(udc);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const kernelLog = log.lines();
      relinkFunctions(writer);
      throw this.#error(error, udc, kernelLog);
    }
    this.#bound(udc);
  }

  #error(
    error: Error & SystemErrorFields,
    udc: string,
    kernelLog: readonly string[] = [],
  ): Error {
    const subject = this.#subject();
    const { name, definition } = subject;
    const unready = unreadyFunctions(subject);
    return bindError(error, { name, definition, udc, kernelLog, unready });
  }

  #bound(udc: string): void {
    this.#udc = udc;
    this.#wanted = true;
    const { name, definition } = this.#subject();
    warnOfLandingPage(name, definition, udc);
  }

  /** Whether another process must make its function ready first. */
  #isWaiting(): boolean {
    return unreadyFunctions(this.#subject()).some(({ closed }) => !closed);
  }
}

function print(error: unknown): void {
  console.error(error);
}
