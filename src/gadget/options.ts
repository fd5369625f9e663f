/**
 * How gadgets are started and changed.
 *
 * @module
 */
import type { BindOptions } from "./binding.ts";
import type { FunctionMountOptions } from "../state/mounts.ts";
import type { GadgetChange } from "./configfs/writer.ts";

/** How to start a gadget. */
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
   * Whether to bind it again whenever the kernel has unbound it, because a
   * process has closed its function, and all functions are ready again.
   * @default {false}
   */
  readonly rebind?: boolean;
  /**
   * Gets the errors of work that goes on in the background: of binding the
   * gadget again, see {@linkcode rebind}, which is then tried again. That the
   * controller is taken or gone for the time being is not among them. An error
   * that repeats is reported once.
   * @default {prints to standard error}
   */
  readonly onError?: (error: unknown) => void;
  /**
   * Whether the gadget stays when its process ends, until it is stopped. If it
   * stays from before, only what differs is changed. It cannot have functions
   * that this process serves, and needs a name.
   * @default {false}
   */
  readonly persistent?: boolean;
  /** Ends the wait for functions of other processes. */
  readonly signal?: AbortSignal;
}

/** How to change a gadget. */
export interface GadgetApplyOptions extends Omit<BindOptions, "udc"> {
  /**
   * Whether to bind the gadget anew for changes that the kernel takes at once
   * but a host reads only when it enumerates the device.
   * @default {true}
   */
  readonly rebind?: boolean;
}

/** What `Gadget.apply()` has done. */
export interface AppliedChanges {
  /** All changes in configfs, in order; none if nothing differs. */
  readonly changes: readonly GadgetChange[];
  /** Whether the gadget was bound anew, so that the host enumerates it again. */
  readonly rebound: boolean;
}
