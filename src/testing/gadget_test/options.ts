/**
 * How tests with gadgets run.
 *
 * @module
 */
import {
  FLAG,
  isWithin,
  LIST,
  oneOf,
  type Rules,
} from "../../arguments/rules.ts";
import type { GadgetFunction } from "../../definition/gadget.ts";
import type { Gadget } from "../../gadget/gadget.ts";
import { FUNCTION_SPEEDS, type FunctionSpeed } from "../../usb/speed.ts";
import type { TestHost } from "../test_host.ts";

/**
 * What the function of a test receives.
 *
 * @category Testing
 */
export interface GadgetTestContext<F extends readonly GadgetFunction[]> {
  /** The gadget, bound to a controller. It is stopped after the test. */
  readonly gadget: Gadget<F>;
  /** Its host, which has configured it. It is closed after the test. */
  readonly host: TestHost;
}

/**
 * How a test with a gadget runs.
 *
 * @category Testing
 */
export interface GadgetTestOptions {
  /**
   * The speeds to run it at, as a test each.
   * @default {the fastest one that the gadget and the controller have}
   */
  readonly speeds?: readonly FunctionSpeed[];
  /**
   * The kernels to run it on, as a test each, in a VM: "7.3", "6.12", "6.1".
   * A test that runs on this machine has this machine's kernel.
   * @default {["7.3"]}
   */
  readonly kernels?: readonly string[];
  /**
   * Kernel modules that a VM needs for the test besides dummy_hcd and usbmon,
   * such as "usb-storage". They are loaded before it.
   */
  readonly modules?: readonly string[];
  /**
   * Milliseconds from the start of the gadget to the end of the test.
   * @default {120000}
   */
  readonly timeout?: number;
  /**
   * What to do where there is neither a controller nor a VM: fail with the
   * reason, or ignore the test.
   * @default {"fail"}
   */
  readonly ifUnavailable?: "fail" | "ignore";
  /** As in `Deno.test`. */
  readonly only?: boolean;
  /** As in `Deno.test`. */
  readonly ignore?: boolean;
  /** As in `Deno.test`. */
  readonly sanitizeOps?: boolean;
  /** As in `Deno.test`. */
  readonly sanitizeResources?: boolean;
  /** As in `Deno.test`. */
  readonly sanitizeExit?: boolean;
}

/** The sanitizers, as `Deno.test` has them; those that were not given are left out. */
export type Sanitizers = Pick<
  GadgetTestOptions,
  "sanitizeOps" | "sanitizeResources" | "sanitizeExit"
>;

/** From the start of the gadget to the end of a test. */
export const DEFAULT_TIMEOUT_MS = 120_000;

/** Timers have no longer time. */
const LONGEST_MS = 2 ** 31 - 1;

/** The rules of {@linkcode GadgetTestOptions}. */
export const GADGET_TEST_OPTIONS: Rules<GadgetTestOptions> = {
  speeds: {
    expected: `an array of ${FUNCTION_SPEEDS.join(", ")}, and not empty`,
    accepts: (value) =>
      isFullList(value) &&
      value.every((each) => FUNCTION_SPEEDS.some((speed) => speed === each)),
  },
  kernels: {
    expected: "an array of kernel series such as 7.3, and not empty",
    accepts: (value) =>
      isFullList(value) && value.every((each) => /^\d+\.\d+$/.test(`${each}`)),
  },
  modules: {
    expected: "an array of names of kernel modules",
    accepts: (value) =>
      LIST.accepts(value) &&
      (value as unknown[]).every((each) => /^[\w-]+$/.test(`${each}`)),
  },
  timeout: {
    expected: `a whole number of milliseconds from 1 to ${LONGEST_MS}`,
    accepts: (value) => isWithin(value, 1, LONGEST_MS),
  },
  ifUnavailable: oneOf("fail", "ignore"),
  only: FLAG,
  ignore: FLAG,
  sanitizeOps: FLAG,
  sanitizeResources: FLAG,
  sanitizeExit: FLAG,
};

/** The sanitizers among options. */
export function sanitizersOf(options: GadgetTestOptions): Sanitizers {
  const { sanitizeOps, sanitizeResources, sanitizeExit } = options;
  const all = { sanitizeOps, sanitizeResources, sanitizeExit };
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== undefined),
  );
}

function isFullList(value: unknown): value is unknown[] {
  return LIST.accepts(value) && (value as unknown[]).length > 0;
}
