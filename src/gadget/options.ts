/**
 * How gadgets are started and changed, and what the types of options are where
 * TypeScript does not check them.
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
import {
  checkMountOptions,
  type FunctionMountOptions,
} from "../functionfs/mount.ts";
import type { FunctionFsOptions } from "../functionfs/open_function.ts";
import type { GadgetChange } from "./configfs/writer.ts";

/**
 * How to start a gadget.
 *
 * @category Gadget
 */
export interface GadgetOptions {
  /**
   * The name of its directory in configfs.
   * @default {`usb-gadget.PID.N`}
   */
  readonly name?: string;
  /**
   * The USB device controller to use.
   * @default {the first one that is free}
   */
  readonly udc?: string;
  /** Which libaio to use; see `libaio` of {@linkcode FunctionFsOptions}. */
  readonly libaio?: string;
  /**
   * Whether the kernel counts events on an eventfd; see `eventfd` of
   * {@linkcode FunctionFsOptions}.
   * @default {false}
   */
  readonly eventfd?: boolean;
  /** How to mount functions of FunctionFS, by the names of the functions. */
  readonly mounts?: Readonly<Record<string, FunctionMountOptions>>;
  /**
   * Whether to bind the gadget to its controller. Otherwise it waits for
   * `bind()`.
   * @default {true}
   */
  readonly bind?: boolean;
  /**
   * Whether to bind the gadget again after the kernel has unbound it, because a
   * process has closed its function. This happens when all functions are ready.
   * @default {false}
   */
  readonly rebind?: boolean;
  /**
   * Receives errors of background work: of binding the gadget again, see
   * {@linkcode rebind}, which is then retried. A controller that is taken or gone
   * for the moment is no error. A repeated error is reported once.
   * @default {prints to standard error}
   */
  readonly onError?: (error: unknown) => void;
  /**
   * Whether the gadget stays when its process ends, until it is stopped. The next
   * start finds it by its name and changes only what differs. Such a gadget cannot
   * have functions that this process serves.
   * @default {false}
   */
  readonly persistent?: boolean;
  /** Ends the wait for functions of other processes. */
  readonly signal?: AbortSignal;
  /**
   * Receives a record of each control request, each transfer and each event of
   * the functions that this process serves; see `trace` of
   * {@linkcode FunctionFsOptions}.
   * @default {nothing is recorded, which costs nothing}
   */
  readonly trace?: FunctionFsOptions["trace"];
}

/**
 * How to bind a gadget.
 *
 * @category Gadget
 */
export interface BindOptions {
  /**
   * The USB device controller to use.
   * @default {the previous one, or else the first one that is free}
   */
  readonly udc?: string;
  /**
   * Whether to wait until the functions of other processes are ready.
   * Otherwise the kernel refuses a gadget with an unready function.
   * @default {true}
   */
  readonly wait?: boolean;
  /**
   * Ends the wait for functions of other processes, and for other changes of
   * the gadget; the promise rejects with the signal's reason.
   */
  readonly signal?: AbortSignal;
}

/**
 * How to change a gadget.
 *
 * @category Gadget
 */
export interface GadgetApplyOptions extends Omit<BindOptions, "udc"> {
  /**
   * Whether to bind the gadget anew for changes that the kernel makes at once
   * but a host sees only when it enumerates the device.
   * @default {true}
   */
  readonly rebind?: boolean;
}

/**
 * What `Gadget.apply()` has done.
 *
 * @category Gadget
 */
export interface AppliedChanges {
  /** All changes in configfs, in order. */
  readonly changes: readonly GadgetChange[];
  /** Whether the gadget was bound anew, so that the host enumerates it again. */
  readonly rebound: boolean;
}

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
  trace: CALLBACK,
};
const BIND: Rules<BindOptions> = { udc: TEXT, wait: FLAG, signal: SIGNAL };
const APPLY: Rules<GadgetApplyOptions> = {
  wait: FLAG,
  rebind: FLAG,
  signal: SIGNAL,
};

/** Checks the types of options of `Gadget.start()`. */
export function checkStart(options: GadgetOptions): void {
  checkOptions("start gadget", options, START);
  for (const each of Object.values(options.mounts ?? {})) {
    checkMountOptions(each);
  }
}

/** Checks the types of options of `Gadget.bind()`. */
export function checkBind(name: string, options: BindOptions): void {
  checkOptions(`bind gadget "${name}"`, options, BIND);
}

/** Checks the types of options of `Gadget.apply()`. */
export function checkApply(name: string, options: GadgetApplyOptions): void {
  checkOptions(`change gadget "${name}"`, options, APPLY);
}
