/**
 * Faults of a disk: which ones, where and how often. Plain data.
 *
 * @module
 */
import {
  checkArgument,
  checkOptions,
  isWithin,
  LIST,
  NUMBER,
  oneOf,
  type Rules,
} from "../../../arguments/rules.ts";
import { isSenseName, type SenseName } from "../scsi/sense.ts";

/**
 * What a disk does.
 *
 * @category Block devices
 */
export type DiskOperation = "read" | "write" | "flush" | "discard";

/**
 * A fault of a disk.
 *
 * - `"error"`: the operation fails at the block. The blocks before it are read or
 *   written.
 * - `"delay"`: the operation begins `ms` milliseconds later.
 * - `"hang"`: the operation does not begin until the rule is removed.
 *
 * @category Block devices
 */
export type DiskFaultKind = "error" | "delay" | "hang";

/**
 * One fault of a disk, and where it is.
 *
 * @category Block devices
 */
export interface DiskFaultRule {
  /** The operation; any of them by default. */
  readonly operation?: DiskOperation;
  /** The first block; all blocks by default. With a block, `flush` has no fault. */
  readonly lba?: number;
  /** How many blocks; one by default. */
  readonly count?: number;
  /** What happens. By default `"error"`. */
  readonly fault?: DiskFaultKind;
  /**
   * What an `"error"` reports. By default "unrecovered read error" for a read, and
   * "write error" for everything else.
   */
  readonly sense?: SenseName;
  /** Milliseconds of a `"delay"`: required there. */
  readonly ms?: number;
  /** How many times at most; without it, there is no limit. */
  readonly times?: number;
}

/**
 * Faults of a disk as plain data, which can be kept as JSON.
 *
 * @category Block devices
 */
export interface DiskFaultPlan {
  /**
   * The rules. Of those that apply to an operation, all delays are injected, and
   * then the error with the first block.
   */
  readonly rules: readonly DiskFaultRule[];
}

/**
 * A fault that was injected.
 *
 * @category Block devices
 */
export interface InjectedDiskFault {
  /** The rule. */
  readonly rule: DiskFaultRule;
  /** The operation. */
  readonly operation: DiskOperation;
  /** What was injected. */
  readonly fault: DiskFaultKind;
  /** The first block of the operation that has the fault; none for `flush`. */
  readonly lba?: number;
}

const FIELDS: Rules<DiskFaultRule> = {
  operation: oneOf("read", "write", "flush", "discard"),
  lba: NUMBER,
  count: NUMBER,
  fault: oneOf("error", "delay", "hang"),
  sense: { expected: "the name of a sense", accepts: isSenseName },
  ms: NUMBER,
  times: NUMBER,
};
/** The longest time of a timer. */
const MAX_DELAY = 0x7fff_ffff;
const RANGES = {
  lba: [0, Number.MAX_SAFE_INTEGER],
  count: [1, Number.MAX_SAFE_INTEGER],
  ms: [0, MAX_DELAY],
  times: [1, Number.MAX_SAFE_INTEGER],
} as const;

/**
 * Checks rules.
 *
 * @throws {TypeError} If something is of another type, unknown or missing.
 * @throws {RangeError} If a number is out of range.
 */
export function checkRules(rules: readonly DiskFaultRule[]): void {
  checkArgument("inject faults", "the rules", rules, LIST);
  rules.forEach((rule, index) => checkRule(`use rules[${index}]`, rule));
}

function checkRule(action: string, rule: DiskFaultRule): void {
  const delay = rule?.fault === "delay";
  checkOptions(action, rule, FIELDS, delay ? ["ms"] : []);
  for (const [name, [least, greatest]] of Object.entries(RANGES)) {
    const value = rule[name as keyof typeof RANGES];
    if (value === undefined || isWithin(value, least, greatest)) continue;
    throw new RangeError(
      `Cannot ${action}: "${name}" must be an integer from ${least} to ${greatest}, is ${value}`,
    );
  }
  const unused = rule.ms !== undefined && !delay
    ? '"ms" is for a "delay"'
    : rule.sense !== undefined && (rule.fault ?? "error") !== "error"
    ? '"sense" is for an "error"'
    : rule.count !== undefined && rule.lba === undefined
    ? '"count" needs "lba"'
    : rule.lba !== undefined && rule.operation === "flush"
    ? '"flush" has no "lba"'
    : undefined;
  if (unused !== undefined) throw new TypeError(`Cannot ${action}: ${unused}`);
}
