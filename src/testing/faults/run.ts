/**
 * One run of a fault plan: from the opening of a function to the next one.
 *
 * @module
 */
import type { FaultRule, InjectedFault } from "./plan.ts";
import { type Candidate, Schedule, seedOf } from "./schedule.ts";

/** Decides which faults are injected, and records them. */
export class FaultRun {
  readonly injected: InjectedFault[] = [];
  readonly #schedules: readonly Schedule[];

  constructor(rules: readonly FaultRule[], seed: number) {
    this.#schedules = rules.map((rule, index) =>
      new Schedule(rule, seedOf(seed, index))
    );
  }

  /**
   * Counts a transfer, and returns the rule whose fault it gets, if any.
   *
   * @param kinds The faults that can be injected at this moment.
   */
  next(
    endpoint: string | 0,
    candidate: Candidate,
    kinds?: ReadonlySet<FaultRule["fault"]>,
  ): FaultRule | undefined {
    const hit =
      this.#schedules.filter(({ rule }) =>
        rule.endpoint === endpoint && (kinds?.has(rule.fault) ?? true)
      ).filter((it) => it.next(candidate))[0];
    if (hit === undefined) return undefined;
    hit.use();
    const { rule, count: transfer } = hit;
    const { direction } = candidate;
    this.injected.push({
      rule: this.#schedules.indexOf(hit),
      transfer,
      endpoint,
      direction,
      fault: rule.fault,
    });
    return rule;
  }
}
