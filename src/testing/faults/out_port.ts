/**
 * Faults of transfers from the host.
 *
 * @module
 */
import { Errno } from "../../../ffi/errno.ts";
import type { InterceptedEndpoint } from "../../functionfs/transfer/interception.ts";
import type {
  KernelRequest,
  RequestOwner,
} from "../../functionfs/transfer/request.ts";
import type { FaultRule } from "./plan.ts";
import { FaultPort } from "./port.ts";

/** What an OUT endpoint needs from the plan. */
export interface OutFaults {
  /** Returns the rule whose fault comes before the next transfer, if any. */
  before(): FaultRule | undefined;
  /** Returns the rule whose fault a transfer gets that has come, if any. */
  after(size: number): FaultRule | undefined;
  /** Takes the device off the bus for a time. */
  disconnect(ms: number): void;
}

/** The way of an OUT endpoint's requests. All of them have one owner. */
export class OutFaultPort extends FaultPort implements RequestOwner {
  readonly #faults: OutFaults;
  #reads!: RequestOwner;
  /** Whether what comes before the next transfer was decided. */
  #begun = false;
  /** The request that waits for the end of a delay. */
  #delayed: KernelRequest | undefined;

  constructor(endpoint: InterceptedEndpoint, faults: OutFaults) {
    super(endpoint);
    this.#faults = faults;
  }

  protected override wrap(owner: RequestOwner): RequestOwner {
    this.#reads = owner;
    return this;
  }

  more(rest: KernelRequest): KernelRequest | undefined {
    if (!this.free) return undefined;
    if (!this.#begun) {
      this.#begun = true;
      const rule = this.#faults.before();
      if (rule?.fault === "delay") {
        this.#delayed = rest;
        this.delay(rule.ms!);
        return undefined;
      }
      if (rule?.fault === "stall") {
        this.halt();
        return undefined;
      }
    }
    this.#delayed = undefined;
    return this.release(rest);
  }

  prepare(request: KernelRequest): boolean {
    return this.#reads.prepare(request);
  }

  resumes(request: KernelRequest): boolean {
    return this.#reads.resumes(request);
  }

  onEnd(request: KernelRequest, result: number | Error): void {
    if (request === this.#delayed) {
      this.#delayed = undefined;
      this.hurry();
    }
    if (typeof result !== "number" || result < 0) {
      return this.#reads.onEnd(request, result);
    }
    this.#begun = false;
    const rule = this.#faults.after(result);
    if (rule?.fault === "disconnect") this.#faults.disconnect(rule.ms!);
    if (rule?.fault === "shorten") {
      this.#reads.onEnd(request, Math.min(result, rule.bytes!));
    } else if (rule === undefined) {
      this.#reads.onEnd(request, result);
    } else if (request.cancelled) {
      const code = request.discarded ? Errno.ECONNRESET : Errno.ECANCELED;
      this.#reads.onEnd(request, -code);
    } else if (!this.#reads.resumes(request)) {
      this.#reads.onEnd(request, -Errno.ESHUTDOWN);
    } else {
      this.again(request);
    }
  }
}
