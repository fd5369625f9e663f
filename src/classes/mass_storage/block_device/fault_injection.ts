/**
 * Puts the faults of rules into the operations of a disk.
 *
 * @module
 */
import { SenseError } from "../scsi/sense.ts";
import {
  checkRules,
  type DiskFaultRule,
  type DiskOperation,
  type InjectedDiskFault,
} from "./fault_rules.ts";

/** An operation, and its blocks; a flush has none. */
export interface Call {
  readonly operation: DiskOperation;
  readonly lba?: number;
  readonly count?: number;
}

/** The rules, how often each was used, and what was injected. */
export class FaultInjection {
  readonly injected: InjectedDiskFault[] = [];
  #rules: readonly DiskFaultRule[] = [];
  readonly #uses = new WeakMap<DiskFaultRule, number>();
  /** Calls that hang, each by a rule. */
  readonly #hanging = new Set<{ rule: DiskFaultRule; resume: () => void }>();

  constructor(rules: readonly DiskFaultRule[]) {
    this.rules = rules;
  }

  get rules(): readonly DiskFaultRule[] {
    return this.#rules;
  }

  set rules(rules: readonly DiskFaultRule[]) {
    checkRules(rules);
    this.#rules = Object.freeze([...rules]);
    for (const call of this.#hanging) {
      if (this.#rules.includes(call.rule)) continue;
      this.#hanging.delete(call);
      call.resume();
    }
  }

  /**
   * Does a call, with the faults that it gets.
   *
   * @param work Does so many blocks of it, from the first one on.
   */
  around(
    call: Call,
    work: (count: number) => void | Promise<void>,
  ): void | Promise<void> {
    const waits = this.#matching(call).filter(([{ fault }]) =>
      fault === "delay" || fault === "hang"
    );
    if (waits.length === 0) return this.#do(call, work);
    return this.#wait(call, waits).then(() => this.#do(call, work));
  }

  async #wait(
    call: Call,
    waits: readonly [DiskFaultRule, number][],
  ): Promise<void> {
    for (const [rule, block] of waits) {
      this.#record(rule, call, block);
      await new Promise<void>((resume) => {
        if (rule.fault === "delay") setTimeout(resume, rule.ms);
        else if (!this.#rules.includes(rule)) resume();
        else this.#hanging.add({ rule, resume });
      });
    }
  }

  #do(
    call: Call,
    work: (count: number) => void | Promise<void>,
  ): void | Promise<void> {
    const { operation, lba = 0, count = 0 } = call;
    const [error] = this.#matching(call)
      .filter(([{ fault = "error" }]) => fault === "error")
      .toSorted(([, a], [, b]) => a - b);
    if (error === undefined) return work(count);
    const [rule, block] = error;
    this.#record(rule, call, block);
    const {
      sense = operation === "read" ? "unrecovered read error" : "write error",
    } = rule;
    const failure = new SenseError(
      sense,
      operation === "flush" ? {} : { lba: block },
    );
    const done = block > lba ? work(block - lba) : undefined;
    if (done === undefined) throw failure;
    return done.then(() => Promise.reject(failure));
  }

  /** The rules that apply to a call, each with its first block there. */
  #matching(call: Call): [DiskFaultRule, number][] {
    return this.#rules
      .filter((rule) => (this.#uses.get(rule) ?? 0) < (rule.times ?? Infinity))
      .map((rule): [DiskFaultRule, number] => [rule, firstBlock(rule, call)])
      .filter(([, block]) => block >= 0);
  }

  #record(rule: DiskFaultRule, { operation }: Call, block: number): void {
    this.#uses.set(rule, (this.#uses.get(rule) ?? 0) + 1);
    const { fault = "error" } = rule;
    this.injected.push({
      rule,
      operation,
      fault,
      ...operation === "flush" ? {} : { lba: block },
    });
  }
}

/** The first block of a call that a rule is for; 0 for a flush, -1 if there is none. */
function firstBlock(rule: DiskFaultRule, call: Call): number {
  const { operation, lba = 0, count = 0 } = call;
  if ((rule.operation ?? operation) !== operation) return -1;
  if (rule.lba === undefined) return lba;
  const first = Math.max(rule.lba, lba);
  const end = Math.min(rule.lba + (rule.count ?? 1), lba + count);
  return first < end ? first : -1;
}
