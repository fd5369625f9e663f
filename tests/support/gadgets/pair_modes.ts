/**
 * The two implementations of a pair, for tests that apply to both.
 *
 * @module
 */
import {
  KERNEL_FEATURES,
  kernelHas,
} from "../../../src/compile/kernel_version.ts";
import { testKernel } from "../run/kernel_version.ts";

/** An implementation of a pair on this kernel. */
export interface PairMode {
  /** Its name in tests. */
  readonly name: "native" | "emulated";
  /** The option in the function's definition. */
  readonly rwProxy: "auto" | false;
}

/** Whether this kernel has a file for both directions. */
export const kernelHasProxies: boolean = kernelHas(
  testKernel(),
  KERNEL_FEATURES.rwProxy,
);

/**
 * The implementations on this kernel: over one file, and over two. An older kernel
 * has only the second, although the definition allows both.
 */
export const pairModes: readonly PairMode[] = kernelHasProxies
  ? [
    { name: "native", rwProxy: "auto" },
    { name: "emulated", rwProxy: false },
  ]
  : [{ name: "emulated", rwProxy: "auto" }];
