/**
 * What differs between kernels.
 *
 * @module
 */

/** A kernel version, as far as it matters here. */
export interface KernelVersion {
  /** The 7 of 7.3. */
  readonly major: number;
  /** The 3 of 7.3. */
  readonly minor: number;
}

/** The versions that changed what FunctionFS accepts. */
export const KERNEL_FEATURES = {
  /** Microsoft OS feature descriptors with `bcdVersion` 0x0100; before it had to be 0x0001. */
  osDescriptorVersion: { major: 6, minor: 4 },
  /** 32 interfaces in a configuration; before it was 16. */
  manyInterfaces: { major: 6, minor: 12 },
  /** SET_INTERFACE with alternate settings other than 0. */
  alternateSettings: { major: 6, minor: 8 },
  /** DFU functional descriptors. */
  dfu: { major: 6, minor: 12 },
  /** Two endpoint files of one name are refused; before, the second one hides the first. */
  uniqueFiles: { major: 6, minor: 19 },
  /** `FUNCTIONFS_RW_PROXY_EPS` and `FUNCTIONFS_ENDPOINT_ENABLE_ZLP`. */
  rwProxy: { major: 7, minor: 3 },
} as const satisfies Record<string, KernelVersion>;

/**
 * Whether a kernel has a feature.
 *
 * @param kernel The kernel. When it is not known, it counts as one that has everything.
 * @param feature The version that has it first.
 * @returns True from that version on.
 */
export function kernelHas(
  kernel: KernelVersion | undefined,
  feature: KernelVersion,
): boolean {
  if (kernel === undefined) return true;
  return kernel.major !== feature.major
    ? kernel.major > feature.major
    : kernel.minor >= feature.minor;
}

/**
 * Reads a kernel's release, as `uname -r` and `/proc/sys/kernel/osrelease` give it.
 *
 * @param release The release, such as `"6.12.57+deb13-amd64"`.
 * @returns The version, or undefined for one that does not begin with two numbers.
 *
 * @example Usage
 * ```ts
 * import { parseKernelRelease } from "@usb/gadget/inspect";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseKernelRelease("6.12.57+deb13-amd64"), {
 *   major: 6,
 *   minor: 12,
 * });
 * assertEquals(parseKernelRelease("mainline"), undefined);
 * ```
 */
export function parseKernelRelease(
  release: string,
): KernelVersion | undefined {
  const match = /^(\d+)\.(\d+)/.exec(release);
  if (match === null) return undefined;
  return { major: Number(match[1]), minor: Number(match[2]) };
}
