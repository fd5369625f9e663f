/**
 * Opens the files of a function, and assembles the parts that serve it.
 *
 * @module
 */
import { O_NONBLOCK, O_RDWR } from "../../ffi/abi.ts";
import { type AioHold, holdAio } from "../../ffi/aio/shared_context.ts";
import { Errno, errorOf, isSystemError, systemError } from "../../ffi/errno.ts";
import { EventCounter } from "../../ffi/eventfd.ts";
import { close, open } from "../../ffi/file.ts";
import { kernelRelease } from "../../ffi/kernel_release.ts";
import {
  kernelHas,
  type KernelVersion,
  parseKernelRelease,
} from "../compile/kernel_version.ts";
import type { UsbFunction } from "../definition/function.ts";
import { recordBlocks } from "../state/descriptors.ts";
import { serveControl } from "./control/dispatch.ts";
import { EarlierData } from "./control/earlier_data.ts";
import type { ControlEndpoint } from "./control/endpoint.ts";
import { InEndpointCore } from "./endpoint/in_core.ts";
import {
  type EndpointObjects,
  endpointOf,
  nameEndpoints,
} from "./endpoint/objects.ts";
import { OutEndpointCore } from "./endpoint/out_core.ts";
import type { InheritedFiles } from "./inherited_files.ts";
import { Lifecycle } from "./lifecycle.ts";
import type { SessionLife } from "./session.ts";
import { explainOpen } from "../remedies/mount.ts";
import { registerFunction } from "./register.ts";
import type { TraceRecord } from "./trace/record.ts";
import { Tracer } from "./trace/tracer.ts";
import { interceptorOf } from "./transfer/interception.ts";

/**
 * How to open a function.
 * @category Gadget
 */
export interface FunctionFsOptions {
  /**
   * Interfaces of other functions before this one in its configuration.
   * @default {0}
   */
  readonly interfaceOffset?: number;
  /**
   * The AIO library to use: a file or soname, or `"syscall"` for none. By
   * default the installed libaio, or system calls if it is missing.
   */
  readonly libaio?: string;
  /**
   * The kernel to write descriptors for; by default the running one. Linux
   * before 6.4 uses another version of Microsoft OS descriptors, and before
   * 6.12 it refuses DFU. Needed for a kernel whose release does not show what
   * it supports.
   */
  readonly kernel?: KernelVersion;
  /**
   * Whether the kernel counts events on an eventfd (FUNCTIONFS_EVENTFD),
   * instead of epoll on the control file. Makes no difference to a program.
   *
   * Off by default: kernels before 5.16 miscount the users of the eventfd, and
   * can crash when the function is closed. They are refused.
   * @default {false}
   */
  readonly eventfd?: boolean;
  /**
   * Receives a record of each control request, each transfer and each event, of
   * which {@linkcode formatTrace} makes a line. Transfers of DMABUFs and of
   * other programs are not in it. What it throws is printed, and ignored. A
   * function that is slow slows the device down.
   * @default {nothing is recorded, which costs nothing}
   */
  readonly trace?: (record: TraceRecord) => void;
}

/**
 * How to take over a function; see {@linkcode FunctionFsOptions}.
 * @category Gadget
 */
export type InheritOptions = Omit<FunctionFsOptions, "eventfd">;

/** The parts of a function. */
export interface FunctionParts<F extends UsbFunction> {
  /** Makes endpoint objects: of one session, or of the function. */
  readonly endpointsOf: (session?: SessionLife) => EndpointObjects<F>;
  readonly lifecycle: Lifecycle;
  readonly control: ControlEndpoint;
  readonly aio: AioHold;
  /** The endpoints, in the order of their numbers. */
  readonly numbered: readonly (InEndpointCore | OutEndpointCore)[];
  /** The open files: `ep0`, which `control` closes, then all others. */
  readonly fds: readonly number[];
}

/** How to put it together. */
export interface OpenFunctionOptions extends FunctionFsOptions {
  /** The files, if another process has registered the function. */
  readonly inherited?: InheritedFiles;
  /** Called when the kernel reports no more events. */
  readonly onEnd: () => void;
}

/** Registers a function with the kernel, and begins to serve it. */
export function openFunction<F extends UsbFunction>(
  definition: F,
  mountPoint: string,
  options: OpenFunctionOptions,
): FunctionParts<F> {
  const { interfaceOffset, kernel = runningKernel(), inherited } = options;
  const lifecycle = new Lifecycle(definition.interfaces.length);
  const path = `${mountPoint}/ep0`;
  const fds: number[] = [];
  const keep = (fd: number) => fds[fds.push(fd) - 1];
  // Nonblocking: requests submitted before the host enables the endpoint must
  // return instead of blocking. Both directions: a halt is I/O in the wrong
  // one.
  const openEndpoint = (path: string) =>
    keep(
      inherited?.take(path) ??
        open(path, O_RDWR | O_NONBLOCK, { action: "open endpoint" }),
    );
  let notice: EventCounter | undefined;
  let aio: AioHold | undefined;
  try {
    notice = options.eventfd ? openEventCounter(kernel) : undefined;
    const { fd, compiled, noProxies } = registerFunction(
      definition,
      path,
      { interfaceOffset, kernel, eventfd: notice?.fd },
      inherited,
    );
    keep(fd);
    aio = holdAio(options.libaio);
    const { context } = aio;
    recordBlocks(mountPoint, compiled);
    const proxies = new Map(compiled.proxies.map(({ name, file }) => {
      const path = `${mountPoint}/${file}`;
      return [name, { path, fd: openEndpoint(path) }];
    }));
    const tracer = options.trace &&
      new Tracer(definition.name, options.trace);
    const interceptor = interceptorOf(definition)
      ?.open({ mountPoint, lifecycle });
    const intercept = tracer?.transfers(interceptor) ?? interceptor;
    const numbered = compiled.endpoints.map((endpoint) => {
      const path = `${mountPoint}/${endpoint.file}`;
      const fd = openEndpoint(path);
      const transferFd = proxies.get(endpoint.name)?.fd ?? fd;
      const files = { fd, transferFd, path };
      const shared = { aio: context, lifecycle, intercept };
      const resources = { ...files, ...shared, compiled: endpoint };
      return endpoint.direction === "in"
        ? new InEndpointCore(resources)
        : new OutEndpointCore(resources);
    });
    const endpointsOf = (session?: SessionLife) => {
      lifecycle.hasSessions ||= session !== undefined;
      return nameEndpoints<F>(
        numbered,
        (name) => proxies.get(name) ?? { missing: noProxies },
        session,
      );
    };
    lifecycle.onApply(() => numbered.forEach((each) => each.queue.onApply()));
    lifecycle.onEnable(() => numbered.forEach((each) => each.onEnable()));
    lifecycle.onDisable((session) =>
      numbered.forEach((each) => each.onDisable(session))
    );
    const { onEnd } = options;
    const earlier = new EarlierData(
      context,
      () => numbered.some(({ isReceiving }) => isReceiving),
    );
    if (tracer) lifecycle.events.listen((event) => tracer.event(event));
    const service = { fd, path, lifecycle, earlier, notice, onEnd, tracer };
    const haltable = numbered.map((core) => endpointOf(core));
    const control = serveControl(definition, haltable, service);
    lifecycle.unread = () => control.hasUnread;
    return { endpointsOf, lifecycle, control, aio, numbered, fds };
  } catch (error) {
    aio?.giveUp();
    fds.forEach(close);
    notice?.close();
    // A write has no request to answer: the function has its descriptors.
    if (isSystemError(error, "ESRCH")) {
      throw systemError(Errno.EBUSY, {
        action: `open function "${definition.name}"`,
        syscall: "write",
        path: mountPoint,
        hint: "a process serves it already: this one or another",
      });
    }
    throw explainOpen(error, mountPoint);
  }
}

/**
 * Returns the version of the running kernel; undefined if unknown, because its
 * release is made up or `/proc` is not mounted.
 */
export function runningKernel(): KernelVersion | undefined {
  try {
    return parseKernelRelease(kernelRelease());
  } catch (error) {
    if (isSystemError(error, "ENOENT", "EACCES")) return undefined;
    throw error;
  }
}

/** Older kernels release the eventfd once too often when an instance resets. */
const EVENTFD_IS_SAFE = { major: 5, minor: 16 };

/** Makes an eventfd for FUNCTIONFS_EVENTFD. */
function openEventCounter(kernel: KernelVersion | undefined): EventCounter {
  if (kernelHas(kernel, EVENTFD_IS_SAFE)) return new EventCounter();
  throw errorOf(
    Errno.EOPNOTSUPP,
    `Cannot count events on an eventfd: Linux ${kernel?.major}.${kernel?.minor} can crash with it, use 5.16 or newer`,
    { syscall: "eventfd" },
  );
}
