/**
 * Fault plans: which faults are injected, and when. Plain data.
 *
 * @module
 */

/**
 * A fault.
 *
 * - `"delay"`: the transfer begins `ms` milliseconds later. The host waits
 *   (NAK).
 * - `"stall"`: the endpoint is halted, and the host sees a STALL. On IN, after
 *   `bytes` of the transfer, the rest of which is lost. On OUT, before the
 *   transfer: what the host sends once it has cleared the halt arrives.
 * - `"shorten"`: only the first `bytes` of the transfer arrive.
 * - `"drop"`: the transfer does not arrive.
 * - `"disconnect"`: the device leaves the bus, and comes back after `ms`
 *   milliseconds. On OUT, with what the host has sent, which does not arrive.
 *
 * The program does not notice that its data was lost: its writes succeed, and
 * its reads return what is left. It sees a disconnect as the end of a session.
 *
 * @category Faults
 */
export type FaultKind = "delay" | "stall" | "shorten" | "drop" | "disconnect";

/**
 * When to inject one fault, and where. A rule counts the transfers that it
 * applies to, from 1, and over all sessions, since the function was opened. It
 * has one of `at`, `every` and `probability`.
 *
 * A transfer to the host is one write: a call, or a chunk of a stream. From the
 * host, it is what one read receives; one packet with `readExactly`, and in a
 * stream without a `transferSize`.
 *
 * @category Faults
 */
export interface FaultRule {
  /** Name of the endpoint or pair; 0 for control requests. */
  readonly endpoint: string | 0;
  /**
   * The direction, seen from the host. Required for a pair. For control
   * requests, the direction of their data; both by default.
   */
  readonly direction?: "in" | "out";
  /**
   * What to inject. Control requests have `"delay"` and `"stall"`, isochronous
   * endpoints have no `"stall"`.
   */
  readonly fault: FaultKind;
  /** Milliseconds of a `"delay"` or `"disconnect"`: required there. */
  readonly ms?: number;
  /**
   * Bytes that arrive, of a transfer to `"shorten"`: required there; or before a
   * `"stall"` on IN, by default 0. The host sees a shorter transfer at once only
   * if `bytes` is not a multiple of the packet size: otherwise it waits for
   * more, and takes the next transfer for the rest.
   */
  readonly bytes?: number;
  /** The transfer, or all of them, such as 3 or `[3, 7]`. */
  readonly at?: number | readonly number[];
  /** Every so many transfers: the 10th, the 20th and so on. */
  readonly every?: number;
  /** Each transfer with this probability, 0 to 1. The seed of the plan decides. */
  readonly probability?: number;
  /** How many times at most; without it, there is no limit. */
  readonly times?: number;
  /**
   * The fewest bytes of a transfer that counts. Not where a fault comes before
   * the data: `"delay"` and `"stall"` on OUT, and control requests.
   */
  readonly minSize?: number;
  /** The most bytes of a transfer that counts; see {@linkcode minSize}. */
  readonly maxSize?: number;
  /** `bRequest` of the control requests that count; all by default. */
  readonly request?: number;
}

/**
 * Faults as plain data, which can be kept as JSON.
 *
 * @category Faults
 */
export interface FaultPlan {
  /**
   * What the rules with a `probability` are drawn from, 0 to 4294967295: the
   * same seed gives the same transfers. By default a new one, see
   * {@linkcode FaultRecord.seed}.
   */
  readonly seed?: number;
  /** The rules. Of those that apply to a transfer, the first one is injected. */
  readonly rules: readonly FaultRule[];
}

/**
 * A fault that was injected.
 *
 * @category Faults
 */
export interface InjectedFault {
  /** Index of the rule in the plan. */
  readonly rule: number;
  /** The transfer, as the rule counts them. */
  readonly transfer: number;
  /** The endpoint of the rule. */
  readonly endpoint: string | 0;
  /** The direction of the transfer. */
  readonly direction: "in" | "out";
  /** What was injected. */
  readonly fault: FaultKind;
}

/**
 * What was injected into a function. Plain data.
 *
 * @category Faults
 */
export interface FaultRecord {
  /** The seed of the plan, or the one that was chosen. It repeats the run. */
  readonly seed: number;
  /** The faults in their order, since the function was last opened. */
  readonly faults: readonly InjectedFault[];
}
