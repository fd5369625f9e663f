/**
 * Finds out what this kernel's FunctionFS can do, by a gadget that is not bound.
 *
 * @module
 */
import { O_NONBLOCK, O_RDWR } from "../../ffi/abi.ts";
import { isSystemError } from "../../ffi/errno.ts";
import { close, ioctl, open, write } from "../../ffi/file.ts";
import { compileFunction } from "../check/compile_function.ts";
import {
  FUNCTIONFS_DMABUF_ATTACH,
  FUNCTIONFS_ENDPOINT_ENABLE_ZLP,
} from "../compile/functionfs_abi.ts";
import { usbFunction } from "../functionfs/usb_function.ts";
import { bulkPair } from "../definition/endpoint_builders.ts";
import { externalFunction } from "../definition/kernel_function.ts";
import { buildGadget } from "../gadget/create.ts";
import { removeGadget } from "../state/recovery.ts";
import { gadgetsDirectory } from "../gadget/configfs/directory.ts";
import { makeUnnamedDirectory } from "../gadget/directory.ts";

/** What FunctionFS can do in some kernels. */
export interface FunctionFsFeatures {
  /** `epN_rw` files (FUNCTIONFS_RW_PROXY_EPS), Linux 7.3. */
  readonly rwProxy: boolean;
  /** Automatic zero-length packets (FUNCTIONFS_ENDPOINT_ENABLE_ZLP), Linux 7.3. */
  readonly zlp: boolean;
  /** DMABUF transfers (FUNCTIONFS_DMABUF_ATTACH), Linux 6.9. */
  readonly dmabuf: boolean;
}

const probe = usbFunction({
  name: "probe",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});

/**
 * Probes the features of FunctionFS: makes a gadget, without binding it, and
 * removes it. Does not touch other gadgets. Needs root.
 */
export function probeFunctionFs(): FunctionFsFeatures {
  const rwProxy = probeWith(true, () => true) ?? false;
  const others = probeWith(false, (mounted) => {
    const fd = open(`${mounted}/ep1`, O_RDWR | O_NONBLOCK);
    try {
      return {
        zlp: knows(fd, FUNCTIONFS_ENDPOINT_ENABLE_ZLP),
        dmabuf: knows(fd, FUNCTIONFS_DMABUF_ATTACH),
      };
    } finally {
      close(fd);
    }
  });
  return { zlp: false, dmabuf: false, ...others, rwProxy };
}

/**
 * Calls `look` with the mount of the probe, if the kernel accepts that function.
 * All in one turn, so that only SIGKILL can leave the gadget behind.
 */
function probeWith<T>(
  rwProxy: boolean,
  look: (mounted: string) => T,
): T | undefined {
  const directory = gadgetsDirectory();
  const name = makeUnnamedDirectory(directory);
  try {
    const functions = [externalFunction("probe")];
    const { mountPoints } = buildGadget(
      { vendorId: 0, productId: 0, functions },
      `${directory}/${name}`,
      {},
    );
    const mounted = mountPoints.get("probe")!;
    const { descriptors, strings } = compileFunction(probe, { rwProxy });
    const ep0 = open(`${mounted}/ep0`, O_RDWR | O_NONBLOCK);
    try {
      write(ep0, descriptors);
      write(ep0, strings);
      return look(mounted);
    } catch (error) {
      // The kernel does not know a flag.
      if (isSystemError(error, "ENOSYS")) return undefined;
      throw error;
    } finally {
      close(ep0);
    }
  } finally {
    removeGadget(name);
  }
}

/** Whether the kernel knows a request, which may still refuse its argument. */
function knows(fd: number, request: number): boolean {
  try {
    ioctl(fd, request, new Uint8Array(new Int32Array([-1]).buffer));
    return true;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    // Unknown requests wait for a host first.
    return error.code !== "ENOTTY" && error.code !== "EAGAIN";
  }
}
