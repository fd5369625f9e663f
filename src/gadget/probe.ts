/**
 * Finds out what this kernel's FunctionFS can, by a gadget that no host sees.
 *
 * @module
 */
import { O_NONBLOCK, O_RDWR } from "../../ffi/abi.ts";
import { isSystemError } from "../../ffi/errno.ts";
import { close, ioctl, open, write } from "../../ffi/file.ts";
import { compileFunction } from "../check/compile_function.ts";
import { usbFunction } from "../check/usb_function.ts";
import { bulkPair } from "../definition/endpoint_builders.ts";
import { FUNCTIONFS_ENDPOINT_ENABLE_ZLP } from "../functionfs/abi.ts";
import { externalFunction } from "../definition/kernel_function.ts";
import { acquireFree, buildGadget } from "./gadget_parts.ts";
import { removeGadget } from "../state/recovery.ts";
import { gadgetsDirectory } from "./remedies.ts";

/** `_IOW('g', 131, int)`, since Linux 6.9. */
const FUNCTIONFS_DMABUF_ATTACH = 0x40046783;

/** What FunctionFS can, beyond what it always could. */
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
 * removes it. Leaves other gadgets alone, also those that are left behind.
 * Needs root.
 */
export function probeFunctionFs(): FunctionFsFeatures {
  const rwProxy = probeWith(true, () => true);
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
  return {
    rwProxy: rwProxy ?? false,
    zlp: others?.zlp ?? false,
    dmabuf: others?.dmabuf ?? false,
  };
}

/** All in one turn: nothing can end the process halfway but SIGKILL. */
function probeWith<T>(
  rwProxy: boolean,
  look: (mounted: string) => T,
): T | undefined {
  const directory = gadgetsDirectory();
  const name = acquireFree(directory);
  try {
    const functions = [externalFunction("probe")];
    const { mountPoints } = buildGadget(
      { vendorId: 0, productId: 0, functions },
      `${directory}/${name}`,
      {},
    );
    const mounted = mountPoints.get("probe")!;
    return withFunction(mounted, rwProxy, () => look(mounted));
  } finally {
    removeGadget(name);
  }
}

/** Calls `look` while the probe's function is there, if the kernel takes it. */
function withFunction<T>(
  mounted: string,
  rwProxy: boolean,
  look: () => T,
): T | undefined {
  const { descriptors, strings } = compileFunction(probe, { rwProxy });
  const ep0 = open(`${mounted}/ep0`, O_RDWR | O_NONBLOCK);
  try {
    write(ep0, descriptors);
    write(ep0, strings);
    return look();
  } catch (error) {
    // A flag that the kernel does not know.
    if (isSystemError(error, "ENOSYS")) return undefined;
    throw error;
  } finally {
    close(ep0);
  }
}

/** A request that is known fails because of its argument, or takes it. */
function knows(fd: number, request: number): boolean {
  try {
    ioctl(fd, request, new Uint8Array(new Int32Array([-1]).buffer));
    return true;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    // What is not known waits for a host first.
    return error.code !== "ENOTTY" && error.code !== "EAGAIN";
  }
}
