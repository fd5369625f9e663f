/**
 * A USB function over a FunctionFS mount.
 *
 * @module
 */
import { O_NONBLOCK, O_RDWR } from "../../ffi/abi.ts";
import type { AioContext } from "../../ffi/aio.ts";
import { isSystemError } from "../../ffi/errno.ts";
import { close, ioctl, open } from "../../ffi/file.ts";
import {
  type CompiledEndpoint,
  compileFunction,
  type EndpointsOf,
  type KernelVersion,
  type UsbFunction,
} from "../descriptors/mod.ts";
import { FUNCTIONFS_INTERFACE_REVMAP } from "./abi.ts";
import { recordBlocks } from "./block_record.ts";
import { sharedAio } from "./aio.ts";
import type { ControlEndpoint, EventNotice } from "./control_endpoint.ts";
import { handshake, openControlFile } from "./control_file.ts";
import { openEventCounter } from "./event_counter.ts";
import { EndpointPair } from "./endpoint_pair.ts";
import { InEndpoint } from "./in_endpoint.ts";
import {
  type FunctionEvent,
  type FunctionState,
  Lifecycle,
} from "./lifecycle.ts";
import { OutEndpoint } from "./out_endpoint.ts";
import { runningKernel } from "./running_kernel.ts";
import { serveControl } from "./serve_control.ts";

/** The object that stands for a declared endpoint. */
export type EndpointObject<D> = D extends { readonly kind: "in" } ? InEndpoint
  : D extends { readonly kind: "out" } ? OutEndpoint
  : D extends { readonly kind: "pair" } ? EndpointPair
  : never;

/** The endpoints of a function under the names of its definition. */
export type EndpointObjects<F extends UsbFunction> = {
  readonly [K in keyof EndpointsOf<F>]: EndpointObject<EndpointsOf<F>[K]>;
};

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
    const { interfaceOffset, kernel = runningKernel() } = options;
    const aio = sharedAio(options.libaio);
    const lifecycle = new Lifecycle(definition.interfaces.length);
    const path = `${mountPoint}/ep0`;
    const fds = [openControlFile(path)];
    let notice: EventNotice | undefined;
    try {
      notice = options.eventfd ? openEventCounter(kernel) : undefined;
      const compiled = compileFunction(definition, {
        interfaceOffset,
        kernel,
        eventfd: notice?.fd,
      });
      handshake(fds[0], path, compiled);
      recordBlocks(mountPoint, compiled);
      const halves = compiled.endpoints.map((endpoint) => {
        const path = `${mountPoint}/${endpoint.file}`;
        // Nonblocking: what is submitted before the host enables the endpoint
        // must come back instead of blocking. Both directions: a halt is I/O
        // in the wrong one.
        const fd = open(path, O_RDWR | O_NONBLOCK, { action: "open endpoint" });
        fds.push(fd);
        const resources = { fd, path, aio, lifecycle, compiled: endpoint };
        return endpoint.half === "in"
          ? new InEndpoint(resources)
          : new OutEndpoint(resources);
      });
      const endpoints = nameEndpoints<F>(compiled.endpoints, halves);
      lifecycle.onEnable(() => halves.forEach((half) => half.onEnable()));
      lifecycle.listen((event) => {
        if (event.type === "disable") {
          halves.forEach((half) => half.onDisable());
        }
      });
      const control = serveControl({
        fd: fds[0],
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

/** Puts the halves together as they were declared. */
function nameEndpoints<F extends UsbFunction>(
  compiled: readonly CompiledEndpoint[],
  halves: readonly (InEndpoint | OutEndpoint)[],
): EndpointObjects<F> {
  const named: Record<string, InEndpoint | OutEndpoint | EndpointPair> = {};
  compiled.forEach(({ name }, index) => {
    const half = halves[index];
    const other = named[name];
    if (other instanceof OutEndpoint && half instanceof InEndpoint) {
      named[name] = new EndpointPair(half, other);
    } else if (other instanceof InEndpoint && half instanceof OutEndpoint) {
      named[name] = new EndpointPair(other, half);
    } else {
      named[name] = half;
    }
  });
  return Object.freeze(named) as EndpointObjects<F>;
}
