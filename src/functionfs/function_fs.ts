/**
 * A USB function over a FunctionFS mount.
 *
 * @module
 */
import { O_NONBLOCK, O_RDWR } from "../../ffi/abi.ts";
import type { AioContext } from "../../ffi/aio.ts";
import { isSystemError } from "../../ffi/errno.ts";
import { close, ioctl, open } from "../../ffi/file.ts";
import type { KernelVersion, UsbFunction } from "../descriptors/mod.ts";
import { FUNCTIONFS_INTERFACE_REVMAP } from "./abi.ts";
import { sharedAio } from "./aio.ts";
import type { ControlEndpoint, EventNotice } from "./control_endpoint.ts";
import type { DmabufSupport } from "./dmabuf_support.ts";
import { openEventCounter } from "./event_counter.ts";
import { type EndpointObjects, nameEndpoints } from "./endpoint_objects.ts";
import { InEndpoint } from "./in_endpoint.ts";
import { InheritedFiles } from "./inherited_files.ts";
import {
  type FunctionEvent,
  type FunctionState,
  Lifecycle,
} from "./lifecycle.ts";
import { OutEndpoint } from "./out_endpoint.ts";
import { registerFunction } from "./register.ts";
import { runningKernel } from "./running_kernel.ts";
import { serveControl } from "./serve_control.ts";

/** How to open a function. */
export interface FunctionFsOptions {
  /**
   * Interfaces of other functions before this one in its configuration.
   * @default {0}
   */
  readonly interfaceOffset?: number;
  /**
   * The AIO library to use: a file or soname, or `"syscall"` for none. By
   * default the installed libaio, or system calls where there is none.
   */
  readonly libaio?: string;
  /**
   * The kernel to write descriptors for: Linux before 6.4 wants another
   * version of Microsoft OS descriptors, and before 6.12 it refuses DFU. To be
   * given for a kernel whose release does not tell what it can do.
   * @default {the running one}
   */
  readonly kernel?: KernelVersion;
  /**
   * Let the kernel count events on an eventfd (FUNCTIONFS_EVENTFD), in place
   * of watching the control file with epoll. Makes no difference to a program.
   *
   * Off by default: kernels before 5.16 lose count of who uses the eventfd,
   * and can crash when the function is closed. They are refused.
   * @default {false}
   */
  readonly eventfd?: boolean;
}

/** How to take over a function; see {@linkcode FunctionFsOptions}. */
export type InheritOptions = Omit<FunctionFsOptions, "eventfd">;

/** A function of a USB device, served by this process. */
export class FunctionFs<F extends UsbFunction = UsbFunction>
  implements AsyncDisposable {
  /** The definition that the function was made from. */
  readonly definition: F;
  /** The directory where its FunctionFS is mounted. */
  readonly mountPoint: string;
  /** Its endpoints, under the names of the definition. */
  readonly endpoints: EndpointObjects<F>;
  readonly #lifecycle: Lifecycle;
  readonly #control: ControlEndpoint;
  readonly #aio: AioContext;
  readonly #halves: (InEndpoint | OutEndpoint)[];
  readonly #fds: number[];
  #closed: Promise<void> | undefined;

  private constructor(parts: {
    definition: F;
    mountPoint: string;
    endpoints: EndpointObjects<F>;
    lifecycle: Lifecycle;
    control: ControlEndpoint;
    aio: AioContext;
    halves: (InEndpoint | OutEndpoint)[];
    fds: number[];
  }) {
    this.definition = parts.definition;
    this.mountPoint = parts.mountPoint;
    this.endpoints = parts.endpoints;
    this.#lifecycle = parts.lifecycle;
    this.#control = parts.control;
    this.#aio = parts.aio;
    this.#halves = parts.halves;
    this.#fds = parts.fds;
  }

  /**
   * Opens a function on a mounted FunctionFS instance that nobody has open:
   * writes its descriptors and strings, and opens its endpoints. The gadget
   * can be bound to a UDC after that.
   *
   * `Gadget.start` does this for its functions. It is for mounts that somebody
   * else has made: g_ffs, another process, an init script.
   *
   * @param definition What {@linkcode usbFunction} has made.
   * @param mountPoint Where the instance is mounted, such as `/dev/ffs-mtp`.
   * @throws {Error} If the mount is not there, is in use (EBUSY), or its
   * kernel refuses the descriptors.
   */
  static open<F extends UsbFunction>(
    definition: F,
    mountPoint: string,
    options: FunctionFsOptions = {},
  ): FunctionFs<F> {
    return FunctionFs.#serve(definition, mountPoint, options);
  }

  /**
   * Serves a function whose descriptors another process has written and whose
   * files it has opened and passed on, as systemd does for a socket unit with
   * `ListenUSBFunction=`. Whoever holds the files keeps the function in its
   * gadget while this process ends and begins: the host does not notice, and
   * waits (NAK) meanwhile.
   *
   * A moment later the function has the state that the host has given it. A
   * control request that the process before has left unanswered is stalled.
   * {@linkcode close} does not end the function as long as others have it open.
   *
   * @param definition What the descriptors were written from, with the same
   * `interfaceOffset` and for the same kernel: see {@linkcode compileFunction}.
   * @param mountPoint Where the instance is mounted. `ep0` there is opened once
   * more, so this process must have the right to.
   * @throws {Deno.errors.NotFound} If the files are not among the open ones of
   * this process.
   */
  static inherit<F extends UsbFunction>(
    definition: F,
    mountPoint: string,
    options: InheritOptions = {},
  ): FunctionFs<F> {
    const files = new InheritedFiles(mountPoint);
    const self = FunctionFs.#serve(definition, mountPoint, options, files);
    // Handlers that run for what has waited can use the function.
    queueMicrotask(() => self.#takeOver());
    return self;
  }

  static #serve<F extends UsbFunction>(
    definition: F,
    mountPoint: string,
    options: FunctionFsOptions,
    inherited?: InheritedFiles,
  ): FunctionFs<F> {
    const { interfaceOffset, kernel = runningKernel() } = options;
    const aio = sharedAio(options.libaio);
    const lifecycle = new Lifecycle(definition.interfaces.length);
    const path = `${mountPoint}/ep0`;
    const fds: number[] = [];
    const keep = (fd: number) => fds[fds.push(fd) - 1];
    // Nonblocking: what is submitted before the host enables the endpoint must
    // come back instead of blocking. Both directions: a halt is I/O in the
    // wrong one.
    const openEndpoint = (path: string) =>
      keep(
        inherited?.take(path) ??
          open(path, O_RDWR | O_NONBLOCK, { action: "open endpoint" }),
      );
    let notice: EventNotice | undefined;
    try {
      notice = options.eventfd ? openEventCounter(kernel) : undefined;
      const { fd, compiled, noProxies } = registerFunction(
        definition,
        path,
        { interfaceOffset, kernel, eventfd: notice?.fd },
        inherited,
      );
      keep(fd);
      const proxies = new Map(compiled.proxies.map(({ name, file }) => {
        const path = `${mountPoint}/${file}`;
        return [name, { path, fd: openEndpoint(path) }];
      }));
      const halves = compiled.endpoints.map((endpoint) => {
        const path = `${mountPoint}/${endpoint.file}`;
        const fd = openEndpoint(path);
        const transferFd = proxies.get(endpoint.name)?.fd ?? fd;
        const compiled = endpoint;
        const files = { fd, transferFd, path };
        const resources = { ...files, aio, lifecycle, compiled };
        return endpoint.half === "in"
          ? new InEndpoint(resources)
          : new OutEndpoint(resources);
      });
      const endpoints = nameEndpoints<F>(
        compiled.endpoints,
        halves,
        (name) => proxies.get(name) ?? { missing: noProxies },
      );
      lifecycle.onEnable(() => halves.forEach((half) => half.onEnable()));
      lifecycle.listen((event) => {
        if (event.type === "disable") {
          halves.forEach((half) => half.onDisable());
        }
      });
      const control = serveControl({
        fd,
        path,
        definition,
        lifecycle,
        notice,
        endpoints: halves,
        onEnd: () => self.close(),
      });
      aio.retain();
      const self = new FunctionFs<F>({
        definition,
        mountPoint,
        endpoints,
        lifecycle,
        control,
        aio,
        halves,
        fds,
      });
      return self;
    } catch (error) {
      fds.forEach(close);
      notice?.close();
      if (isSystemError(error, "ESRCH")) {
        throw new Deno.errors.Busy(
          `Cannot open function "${definition.name}": another process serves it: ${mountPoint}`,
        );
      }
      throw error;
    }
  }

  /** The name of the function. */
  get name(): F["name"] {
    return this.definition.name;
  }

  /** Where the function is in its life. */
  get state(): FunctionState {
    return this.#lifecycle.state;
  }

  /** Whether the host has suspended the bus. */
  get suspended(): boolean {
    return this.#lifecycle.suspended;
  }

  /**
   * What happens to the function, for `for await`. Every iteration gets all
   * events from its start on, however slowly it takes them, and ends when the
   * function is closed.
   */
  get events(): AsyncIterable<FunctionEvent> {
    return this.#lifecycle.events;
  }

  /**
   * Resolves when the host has configured the device, at once if it has.
   *
   * @throws {Deno.errors.BadResource} If the function is or gets closed.
   */
  enabled(options: { signal?: AbortSignal } = {}): Promise<void> {
    return this.#lifecycle.enabled(options);
  }

  /**
   * Tells which interface of the definition has a number that the host uses
   * (FUNCTIONFS_INTERFACE_REVMAP): the kernel renumbers the interfaces of a
   * function that is not the first one of its gadget.
   *
   * @param interfaceNumber `bInterfaceNumber`, as the host sees it.
   * @returns The interface's place in the definition, from 0.
   * @throws {Error} EDOM if the function has no such interface, ENODEV while
   * no configuration is selected.
   */
  interfaceRevmap(interfaceNumber: number): number {
    return ioctl(this.#fds[0], FUNCTIONFS_INTERFACE_REVMAP, interfaceNumber, {
      action: `look up interface ${interfaceNumber}`,
      path: `${this.mountPoint}/ep0`,
    });
  }

  /**
   * Tells whether endpoints can {@linkcode Endpoint.attach | attach} DMABUFs:
   * when the function is bound to a device controller, at once if it is.
   *
   * @throws {TypeError} If the function has no endpoints.
   * @throws {Deno.errors.BadResource} If the function is or gets closed.
   */
  async dmabufSupport(
    options: { signal?: AbortSignal } = {},
  ): Promise<DmabufSupport> {
    const [endpoint] = this.#halves;
    if (endpoint === undefined) {
      throw new TypeError(
        `Cannot transfer DMABUFs: function "${this.name}" has no endpoints`,
      );
    }
    return await endpoint.dmabufSupport(options);
  }

  /**
   * Ends all transfers and closes the files; the kernel then detaches the
   * gadget from its UDC. Does not wait for the host. A second call returns the
   * same promise.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** Closes the function; see {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @ignore Closes the files at once, when the process is about to end. */
  closeNow(): void {
    if (this.#closed !== undefined) return;
    this.#closed = Promise.resolve();
    this.#lifecycle.close();
    this.#control.closeNow();
    this.#fds.slice(1).forEach(close);
  }

  /** Finds out what has happened before this process had the files. */
  #takeOver(): void {
    if (this.#closed !== undefined) return;
    this.#control.takeOver();
    // Who has read the ENABLE may be gone.
    if (this.state !== "enabled" && this.#isConfigured()) {
      this.#lifecycle.enable();
    }
  }

  /** Asks the kernel whether a host has enabled the function. */
  #isConfigured(): boolean {
    try {
      this.interfaceRevmap(0);
      return true;
    } catch (error) {
      // EDOM: it has other interfaces, so it has some.
      return isSystemError(error, "EDOM");
    }
  }

  async #close(): Promise<void> {
    this.#lifecycle.close();
    // A closed descriptor number may be used again: nothing in the kernel may
    // still work with it.
    await Promise.all(this.#halves.map((half) => half.close()));
    await this.#control.close();
    this.#fds.slice(1).forEach(close);
    await this.#aio.release();
  }
}
