/**
 * The kernel versions that changed what FunctionFS accepts.
 *
 * @module
 */

/**
 * The first two numbers of a kernel's version.
 *
 * @category Inspect
 */
export interface KernelVersion {
  /** The 7 of 7.3. */
  readonly major: number;
  /** The 3 of 7.3. */
  readonly minor: number;
}

/** Features and the versions that introduced them. */
export const KERNEL_FEATURES = {
  /** Microsoft OS feature descriptors with `bcdVersion` 0x0100. Older kernels require 0x0001. */
  osDescriptorVersion: { major: 6, minor: 4 },
  /** 32 interfaces in a configuration. Older kernels have 16. */
  manyInterfaces: { major: 6, minor: 12 },
  /** SET_INTERFACE with alternate settings other than 0. */
  alternateSettings: { major: 6, minor: 8 },
  /** DFU functional descriptors. */
  dfu: { major: 6, minor: 12 },
  /** `FUNCTIONFS_RW_PROXY_EPS` and `FUNCTIONFS_ENDPOINT_ENABLE_ZLP`. */
  rwProxy: { major: 7, minor: 3 },
  /** usbip-vudc survives the end of a function. Seen in 6.1, 6.12 and 7.3 only. */
  usbIp: { major: 7, minor: 3 },
} as const satisfies Record<string, KernelVersion>;

/** Whether a kernel is at least the version that introduced a feature. An unknown kernel counts as the newest. */
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
 * Parses a kernel's release, such as `"6.12.57+deb13-amd64"`. Returns `undefined` if it does not begin with two
 * numbers.
 *
 * @category Inspect
 */
export function parseKernelRelease(
  release: string,
): KernelVersion | undefined {
  const match = /^(\d+)\.(\d+)/.exec(release);
  if (match === null) return undefined;
  return { major: Number(match[1]), minor: Number(match[2]) };
}
