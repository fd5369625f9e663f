/**
 * Binds a gadget to a UDC, and keeps it bound.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { exists, list, readTextFile } from "../../ffi/file.ts";
import { bindError, udcOwner } from "./bind_failure.ts";
import {
  functionDirectory,
  type GadgetDefinition,
  isKernelFunction,
  isOwnFunction,
} from "./gadget_definition.ts";
import { KernelLog } from "./kernel_log.ts";
import { relinkFunctions } from "./tree_apply.ts";
import { unbindTree } from "./tree_remove.ts";
import type { TreeWriter } from "./tree_writer.ts";
import { chooseUdcs, listUdcs, readUdc } from "./udc.ts";
import { checkVirtualAddresses } from "./virtual_addresses.ts";

const POLL_MS = 20;
/** How often a gadget is looked after that is to be bound again. */
const WATCH_MS = 100;

/** How to bind a gadget. */
export interface BindOptions {
  /**
   * The USB device controller to use.
   * @default {the one it had, or else the first one that is free}
   */
  readonly udc?: string;
  /** Ends the wait for functions of other processes. */
  readonly signal?: AbortSignal;
}

/** What is bound. */
export interface BindingSubject {
  readonly name: string;
  readonly writer: TreeWriter;
  readonly definition: GadgetDefinition;
  /** Where each function of FunctionFS is mounted. */
  readonly mountPoints: ReadonlyMap<string, string>;
}

/** The tie between a gadget and a UDC. */
export class Binding {
  readonly #subject: () => BindingSubject;
  #udc: string | undefined;
  /** Whether it should be bound: not after `unbind()`. */
  #wanted = false;
  #watch: ReturnType<typeof setInterval> | undefined;

  /** @param subject Gets what is bound as it is now. */
  constructor(subject: () => BindingSubject) {
    this.#subject = subject;
  }

  /** The controller that it is or was bound to last. */
  get udc(): string | undefined {
    return this.#udc;
  }

  /** Whether it is bound now. */
  get bound(): boolean {
    const { writer } = this.#subject();
    return exists(writer.root) && writer.udc !== "";
  }

  /** Waits until all functions have descriptors, and binds. */
  async bind({ udc, signal }: BindOptions = {}): Promise<void> {
    while (this.#notReady().length > 0) {
      signal?.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    this.bindNow(udc);
  }

  /** Binds at once. */
  bindNow(udc = this.#udc): void {
    const { writer } = this.#subject();
    const actual = writer.udc;
    if (actual !== "" && (udc === undefined || udc === actual)) {
      this.#udc = actual;
      this.#wanted = true;
      return;
    }
    if (actual !== "") this.unbind();
    const candidates = chooseUdcs(listUdcs(), udc);
    for (const [index, { name }] of candidates.entries()) {
      try {
        this.#bindTo(name);
        this.#udc = name;
        this.#wanted = true;
        return;
      } catch (error) {
        // Another process was faster: there may be more controllers.
        const more = index + 1 < candidates.length;
        if (!more || udcOwner(name) === undefined) throw error;
      }
    }
  }

  /** Unbinds, for good. */
  unbind(): void {
    this.#wanted = false;
    const { writer } = this.#subject();
    if (exists(writer.root)) unbindTree(writer);
  }

  /** Binds again whenever the kernel has unbound it and its functions are ready. */
  watch(): void {
    this.#watch ??= setInterval(() => this.#look(), WATCH_MS);
  }

  /** Ends {@linkcode watch}. */
  unwatch(): void {
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  #look(): void {
    if (!this.#wanted || this.bound || this.#notReady().length > 0) return;
    try {
      this.bindNow();
    } catch (error) {
      // The next look tries again.
      const passing = error instanceof Deno.errors.Busy ||
        error instanceof Deno.errors.NotFound;
      if (!passing) throw error;
    }
  }

  #bindTo(udc: string): void {
    const { name, writer, definition } = this.#subject();
    checkVirtualAddresses(definition, readUdc(udc));
    using log = new KernelLog();
    try {
      writer.setUdc(udc);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const kernelLog = log.lines();
      relinkFunctions(writer);
      throw bindError(error, {
        root: writer.root,
        name,
        definition,
        udc,
        kernelLog,
        notReady: this.#notReady(),
      });
    }
  }

  /** The names of the functions without descriptors. */
  #notReady(): string[] {
    const { name, writer, definition, mountPoints } = this.#subject();
    return definition.functions.filter((each) => {
      if (isKernelFunction(each)) return false;
      const directory = functionDirectory(name, each);
      const ready = `${writer.root}/functions/${directory}/ready`;
      if (exists(ready)) return readTextFile(ready) === "0";
      // Before Linux 6.9: files of endpoints appear when it is.
      if (isOwnFunction(each)) return false;
      const mounted = mountPoints.get(each.name);
      return mounted !== undefined && list(mounted).length < 2;
    }).map((each) => each.name);
  }
}
