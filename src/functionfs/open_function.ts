/**
 * Opens the files of a function, and puts together what serves them.
 *
 * @module
 */
import { O_NONBLOCK, O_RDWR } from "../../ffi/abi.ts";
import { Errno, isSystemError, systemError } from "../../ffi/errno.ts";
import { close, open } from "../../ffi/file.ts";
import type { UsbFunction } from "../definition/function.ts";
import { type AioHold, holdAio } from "./aio.ts";
import { recordBlocks } from "../state/block_record.ts";
import type { ControlEndpoint, EventNotice } from "./control/endpoint.ts";
import { type EndpointObjects, nameEndpoints } from "./endpoint/objects.ts";
import { openEventCounter } from "./event_counter.ts";
import type { FunctionFsOptions } from "./function_options.ts";
import { InEndpoint } from "./endpoint/in_endpoint.ts";
import type { InheritedFiles } from "./inherited_files.ts";
import { Lifecycle } from "./lifecycle.ts";
import { explainOpen } from "./open_hint.ts";
import { OutEndpoint } from "./endpoint/out_endpoint.ts";
import { registerFunction } from "./register.ts";
import { runningKernel } from "./running_kernel.ts";
import { serveControl } from "./control/serve.ts";

/** What a function is made of. */
export interface FunctionParts<F extends UsbFunction> {
  readonly endpoints: EndpointObjects<F>;
  readonly lifecycle: Lifecycle;
  readonly control: ControlEndpoint;
  readonly aio: AioHold;
  /** The endpoints, in the order of their numbers. */
  readonly halves: readonly (InEndpoint | OutEndpoint)[];
  /** The open files: `ep0`, which `control` closes, and then all others. */
  readonly fds: readonly number[];
}

/** How to put it together. */
export interface OpenFunctionOptions extends FunctionFsOptions {
  /** The files, where another process has registered the function. */
  readonly inherited?: InheritedFiles;
  /** Is called when the kernel will not tell anything any more. */
  readonly onEnd: () => void;
}

/** Registers a function at the kernel, and begins to serve it. */
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
  // Nonblocking: what is submitted before the host enables the endpoint must
  // come back instead of blocking. Both directions: a halt is I/O in the
  // wrong one.
  const openEndpoint = (path: string) =>
    keep(
      inherited?.take(path) ??
        open(path, O_RDWR | O_NONBLOCK, { action: "open endpoint" }),
    );
  let notice: EventNotice | undefined;
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
    const halves = compiled.endpoints.map((endpoint) => {
      const path = `${mountPoint}/${endpoint.file}`;
      const fd = openEndpoint(path);
      const transferFd = proxies.get(endpoint.name)?.fd ?? fd;
      const files = { fd, transferFd, path };
      const resources = {
        ...files,
        aio: context,
        lifecycle,
        compiled: endpoint,
      };
      return endpoint.direction === "in"
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
      onEnd: options.onEnd,
    });
    return { endpoints, lifecycle, control, aio, halves, fds };
  } catch (error) {
    aio?.giveUp();
    fds.forEach(close);
    notice?.close();
    // No request waits that a write could answer: it has its descriptors.
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
