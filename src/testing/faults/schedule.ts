/**
 * When the rule of a fault plan applies.
 *
 * @module
 */
import type { FaultRule } from "./plan.ts";

/** A transfer or control request, before or after it. */
export interface Candidate {
  readonly direction: "in" | "out";
  /** Its bytes, `Infinity` if they are not known. */
  readonly size?: number;
  /** `bRequest` of a control request. */
  readonly request?: number;
}

/** Counts the transfers of one rule. */
export class Schedule {
  readonly rule: FaultRule;
  readonly #seed: number;
  /** Transfers so far. */
  count = 0;
  #injected = 0;

  /** @param seed That of the plan and of the rule's place in it. */
  constructor(rule: FaultRule, seed: number) {
    this.rule = rule;
    this.#seed = seed;
  }

  /** Counts a transfer, if it is one of the rule's; returns whether it is hit. */
  next({ direction, size = 0, request }: Candidate): boolean {
    const { rule } = this;
    if ((rule.direction ?? direction) !== direction) return false;
    if ((rule.request ?? request) !== request) return false;
    const { minSize = 0, maxSize = Infinity } = rule;
    if (size < minSize || size > maxSize) return false;
    this.count++;
    // There is nothing to cut off.
    if (rule.fault === "shorten" && size <= rule.bytes!) return false;
    return this.#injected < (rule.times ?? Infinity) && this.#hits();
  }

  /** The last transfer was hit, and its fault is the one that is injected. */
  use(): void {
    this.#injected++;
  }

  #hits(): boolean {
    const { at, every, probability } = this.rule;
    const { count } = this;
    if (at !== undefined) return [at].flat().includes(count);
    if (every !== undefined) return count % every === 0;
    return chance(this.#seed, count) < probability!;
  }
}

/**
 * A number from 0 to below 1 for each index of a seed. It depends on nothing
 * else, so that other endpoints and the time make no difference.
 */
export function chance(seed: number, index: number): number {
  return mix(mix(seed) + index) / 2 ** 32;
}

/** The seed of a rule. */
export function seedOf(seed: number, rule: number): number {
  return mix(seed + Math.imul(rule + 1, GOLDEN));
}

/** 2**32 divided by the golden ratio. */
const GOLDEN = 0x9e3779b9;

/** Mixes 32 bits: the finalizer of MurmurHash3. */
function mix(value: number): number {
  let bits = (value + GOLDEN) >>> 0;
  bits = Math.imul(bits ^ bits >>> 16, 0x85ebca6b);
  bits = Math.imul(bits ^ bits >>> 13, 0xc2b2ae35);
  return (bits ^ bits >>> 16) >>> 0;
}
