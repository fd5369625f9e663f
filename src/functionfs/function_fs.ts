/**
 * A USB function over a FunctionFS mount.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { close, ioctl } from "../../ffi/file.ts";
import {
  CALLBACK,
  checkArgument,
  checkInteger,
  checkOptions,
  FLAG,
  NUMBER,
  OBJECT,
  type Rules,
  TEXT,
} from "../arguments/rules.ts";
import { FUNCTIONFS_INTERFACE_REVMAP } from "../compile/functionfs_abi.ts";
import type { UsbFunction } from "../definition/function.ts";
import type { DmabufSupport } from "./dmabuf/support.ts";
import type { EndpointObjects } from "./endpoint/objects.ts";
import { checkSignal } from "./transfer/options.ts";
import type { EndpointOptions } from "./transfer/options.ts";
import type { FunctionEvent } from "./events.ts";
import { InheritedFiles } from "./inherited_files.ts";
import type { FunctionState } from "./lifecycle.ts";
import { Once } from "./once.ts";
import { serveSessions, type Session, sessionsOf } from "./sessions.ts";
import {
  type FunctionFsOptions,
  type FunctionParts,
  type InheritOptions,
  openFunction,
} from "./open_function.ts";
import { layoutOf } from "../check/usb_function.ts";
import { wakeHost } from "./wake_host.ts";

/**
 * A function of a USB device, served by this process.
 *
 * @priority 5
 * @category Gadget
 */
export class FunctionFs<F extends UsbFunction = UsbFunction>
  implements AsyncDisposable {
  /** The definition from which the function was made. */
  readonly definition: F;
  /** The directory where its FunctionFS is mounted. */
  readonly mountPoint: string;
  /** Its endpoints, by their names in the definition. */
  readonly endpoints: EndpointObjects<F>;
  readonly #parts: FunctionParts<F>;
  readonly #closing = new Once();
  #filesClosed = false;

  private constructor(
    definition: F,
    mountPoint: string,
    options: FunctionFsOptions,
    inherited?: InheritedFiles,
  ) {
    const parts = openFunction<F>(definition, mountPoint, {
      ...options,
      inherited,
      onEnd: () => this.#closeInBackground(),
    });
    this.definition = definition;
    this.mountPoint = mountPoint;
    this.endpoints = parts.endpointsOf();
    this.#parts = parts;
    // usbFunction() has checked its type.
    const serve = definition.serve as
      | ((session: Session<F>) => unknown)
      | undefined;
    if (serve === undefined) return;
    serveSessions(this.sessions(), serve, this.#report);
  }

  /**
   * Opens a function on a mounted FunctionFS instance that is not in use:
   * writes its descriptors and strings, and opens its endpoints. The gadget can
   * then be bound to a UDC.
   *
   * `Gadget.start` does this for its functions. Use it for mounts made by
   * g_ffs, another process or an init script.
   *
   * @param mountPoint Where the instance is mounted, such as `/dev/ffs-mtp`.
   * @throws {TypeError} If an argument is of another type.
   * @throws {Error} If the mount does not exist, is in use (EBUSY), or its
   * kernel refuses the descriptors.
   */
  static open<F extends UsbFunction>(
    definition: F,
    mountPoint: string,
    options: FunctionFsOptions = {},
  ): FunctionFs<F> {
    check("open function", definition, mountPoint, options);
    return new FunctionFs(definition, mountPoint, options);
  }

  /**
   * Serves a function that another process has registered, with open files that
   * this process has inherited from it: systemd does this for a socket unit
   * with `ListenUSBFunction=`. While that process holds the files, the function
   * stays in its gadget even if this process ends and starts again: the host
   * does not notice, and waits (NAK) meanwhile.
   *
   * A moment later, the function's state matches the host's. A control request
   * that an earlier process left unanswered is stalled. {@linkcode close} does
   * not end the function while others have it open.
   *
   * @param definition What the descriptors were written from, with the same
   * `interfaceOffset` and for the same kernel: see {@linkcode compileFunction}.
   * @param mountPoint Where the instance is mounted. This process opens `ep0`
   * there once more, and needs the permission to do so.
   * @throws {Deno.errors.NotFound} If the files are not among the open ones of
   * this process.
   */
  static inherit<F extends UsbFunction>(
    definition: F,
    mountPoint: string,
    options: InheritOptions = {},
  ): FunctionFs<F> {
    check("inherit function", definition, mountPoint, options);
    const files = new InheritedFiles(mountPoint);
    const self = new FunctionFs(definition, mountPoint, options, files);
    // The handlers of pending requests can use the function.
    queueMicrotask(() => {
      try {
        self.#takeOver();
      } catch (error) {
        self.#parts.lifecycle.events.report(error);
      }
    });
    return self;
  }

  /** The name of the function. */
  get name(): F["name"] {
    return this.definition.name;
  }

  /** Whether the function is bound to a UDC, and configured by a host. */
  get state(): FunctionState {
    return this.#parts.lifecycle.state;
  }

  /** Whether the host has suspended the bus. */
  get suspended(): boolean {
    return this.#parts.lifecycle.suspended;
  }

  /**
   * The function's events, for `for await`. Every iteration gets all events
   * from its start on, and ends when the function is closed. Up to 1000 events
   * wait for an iteration; beyond that the oldest are dropped, and a
   * {@linkcode DroppedEvent} replaces them. An iteration of a closed function
   * gets the errors that no other iteration has received.
   *
   * @throws {Deno.errors.BadResource} By an iteration, if the function is
   * closed and no such errors exist.
   */
  get events(): AsyncIterable<FunctionEvent> {
    const { events } = this.#parts.lifecycle;
    return { [Symbol.asyncIterator]: () => events[Symbol.asyncIterator]() };
  }

  /**
   * The function's sessions, for `for await`: the current one, and each one
   * that begins later. A session that begins and ends while an earlier one is
   * still being processed is left out. Ends when the function is closed.
   *
   * @example A device that answers each request with the same bytes
   * ```ts ignore
   * for await (const { endpoints: { link } } of gadget.functions.echo.sessions()) {
   *   try {
   *     for await (const request of link.transfers()) await link.write(request);
   *   } catch (error) {
   *     if (!(error instanceof SessionEndedError)) throw error;
   *   }
   * }
   * ```
   */
  sessions(): AsyncIterableIterator<Session<F>, undefined> {
    const { lifecycle, endpointsOf } = this.#parts;
    const report = this.#report;
    return sessionsOf(lifecycle, endpointsOf, {
      report,
      wakeHost: () => {
        try {
          this.wakeHost();
        } catch (error) {
          report(error);
        }
      },
    });
  }

  /**
   * Wakes a host that has suspended the bus. Does nothing if the bus is not
   * suspended. The host resumes it if the current configuration announces
   * `remoteWakeup` (see {@linkcode ConfigurationDefinition}), and the host has
   * allowed the device to wake it; otherwise the kernel ignores the call. The
   * event `"resume"` shows that it has worked.
   *
   * Writes to `srp` of the device controller, which takes root.
   *
   * @throws {Deno.errors.NotFound} If no gadget in configfs has the function,
   * as with g_ffs.
   * @throws {Deno.errors.PermissionDenied} Without the right to do it.
   */
  wakeHost(): void {
    if (this.suspended) wakeHost(this.name, this.mountPoint);
  }

  /**
   * Waits until the host has configured the device.
   *
   * @throws {Deno.errors.BadResource} If the function is or gets closed.
   */
  async enabled(options: EndpointOptions = {}): Promise<void> {
    checkSignal("wait for the host", options);
    await this.#parts.lifecycle.enabled(options.signal);
  }

  /**
   * Returns the interface of the definition that has a given number on the bus
   * (FUNCTIONFS_INTERFACE_REVMAP): the kernel renumbers the interfaces of a
   * function that is not the first one of its gadget.
   *
   * @param interfaceNumber `bInterfaceNumber`, as the host sees it.
   * @returns The index of the interface in the definition, from 0.
   * @throws {Error} EDOM if the function has no such interface, ENODEV while no
   * configuration is selected.
   */
  interfaceRevmap(interfaceNumber: number): number {
    const action = `look up interface of function "${this.name}"`;
    checkInteger(action, "the number", interfaceNumber, 0xff);
    const [ep0] = this.#parts.fds;
    return ioctl(ep0, FUNCTIONFS_INTERFACE_REVMAP, interfaceNumber, {
      action: `look up interface ${interfaceNumber}`,
      path: `${this.mountPoint}/ep0`,
    });
  }

  /**
   * Returns whether endpoints can {@linkcode Endpoint.attach | attach} DMABUFs.
   * Waits until the function is bound to a device controller.
   *
   * @throws {TypeError} If the function has no endpoints.
   * @throws {Deno.errors.BadResource} If the function is or gets closed.
   */
  async dmabufSupport(options: EndpointOptions = {}): Promise<DmabufSupport> {
    checkSignal("find out whether DMABUFs can be transferred", options);
    const [endpoint] = this.#parts.numbered;
    if (endpoint === undefined) {
      throw new TypeError(
        `Cannot transfer DMABUFs: function "${this.name}" has no endpoints`,
      );
    }
    return await endpoint.dmabufSupport(options.signal);
  }

  /**
   * Ends all transfers and closes the files; the kernel then detaches the
   * gadget from its UDC. Does not wait for the host. A second call returns the
   * same promise; after a failure it tries again.
   */
  close(): Promise<void> {
    return this.#closing.run(() => this.#close());
  }

  /** Closes the function; see {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @ignore Closes the files at once, when the process is about to end. */
  closeNow(): void {
    if (this.#filesClosed) return;
    this.#filesClosed = true;
    this.#closing.skip();
    this.#parts.lifecycle.close();
    this.#parts.control.closeNow();
    this.#parts.fds.slice(1).forEach(close);
  }

  /** Reports an error of work that no caller awaits. */
  readonly #report = (error: unknown): void => {
    if (this.#parts.lifecycle.events.report(error)) return;
    console.error(`Function "${this.name}" failed to serve:`, error);
  };

  /** The kernel reports no more events. */
  #closeInBackground(): void {
    this.close().catch((error) => this.#parts.lifecycle.events.report(error));
  }

  /** Determines what happened before this process had the files. */
  #takeOver(): void {
    if (this.#closing.begun) return;
    this.#parts.control.takeOver();
    // The process that read the ENABLE may be gone.
    if (this.state !== "enabled" && this.#isConfigured()) {
      this.#parts.lifecycle.enable();
    }
  }

  /** Asks the kernel whether a host has enabled the function. */
  #isConfigured(): boolean {
    try {
      this.interfaceRevmap(0);
      return true;
    } catch (error) {
      // EDOM: it has other interfaces, so it is configured.
      return isSystemError(error, "EDOM");
    }
  }

  async #close(): Promise<void> {
    this.#parts.lifecycle.close();
    // A closed descriptor number may be reused: nothing in the kernel may still
    // use it.
    await Promise.all(this.#parts.numbered.map((each) => each.close()));
    await this.#parts.control.close();
    if (this.#filesClosed) return;
    this.#filesClosed = true;
    this.#parts.fds.slice(1).forEach(close);
    await this.#parts.aio.release();
  }
}

const OPTIONS: Rules<FunctionFsOptions> = {
  interfaceOffset: NUMBER,
  libaio: TEXT,
  kernel: {
    expected: "{ major, minor }",
    accepts: (value) =>
      OBJECT.accepts(value) &&
      ["major", "minor"].every((key) =>
        Number.isInteger((value as Record<string, unknown>)[key])
      ),
  },
  eventfd: FLAG,
  trace: CALLBACK,
};

function check(
  action: string,
  definition: UsbFunction,
  mountPoint: string,
  options: FunctionFsOptions,
): void {
  checkArgument(action, "the definition", definition, OBJECT);
  layoutOf(definition); // Throws unless it is valid.
  checkArgument(action, "the mount point", mountPoint, TEXT);
  checkOptions(action, options, OPTIONS);
}
