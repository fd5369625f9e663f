/**
 * The two ways in which a pair can work, for tests that say the same of both.
 *
 * @module
 */
import {
  KERNEL_FEATURES,
  kernelHas,
} from "../../../src/compile/kernel_version.ts";
import { testKernel } from "../run/kernel_version.ts";

/** A way in which a pair works on this kernel. */
export interface PairMode {
  /** For the names of tests. */
  readonly name: "native" | "emulated";
  /** For the definition of the function. */
  readonly rwProxy: "auto" | false;
}

/** Whether this kernel has files for both directions. */
export const kernelHasProxies: boolean = kernelHas(
  testKernel(),
  KERNEL_FEATURES.rwProxy,
);

/**
 * The ways that there are here: over one file, and as on a kernel that has no
 * such file. An older kernel is asked for one all the same.
 */
export const pairModes: readonly PairMode[] = kernelHasProxies
  ? [
    { name: "native", rwProxy: "auto" },
    { name: "emulated", rwProxy: false },
  ]
  : [{ name: "emulated", rwProxy: "auto" }];
