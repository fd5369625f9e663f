/**
 * Faults of transfers to the host.
 *
 * @module
 */
import type { InterceptedEndpoint } from "../../functionfs/transfer/interception.ts";
import type {
  KernelRequest,
  RequestOwner,
} from "../../functionfs/transfer/request.ts";
import type { FaultRule } from "./plan.ts";
import { FaultPort } from "./port.ts";

/** What an IN endpoint needs from the plan. */
export interface InFaults {
  /** Returns the rule whose fault a transfer gets, if any. */
  next(size: number): FaultRule | undefined;
  /** Takes the device off the bus for a time. */
  disconnect(ms: number): void;
}

/** The way of an IN endpoint's requests. */
export class InFaultPort extends FaultPort {
  readonly #faults: InFaults;
  readonly #transfers = new WeakMap<RequestOwner, InTransfer>();

  constructor(endpoint: InterceptedEndpoint, faults: InFaults) {
    super(endpoint);
    this.#faults = faults;
  }

  protected override wrap(owner: RequestOwner): RequestOwner {
    const known = this.#transfers.get(owner);
    if (known !== undefined) return known;
    const transfer = new InTransfer(owner, this, this.#faults);
    this.#transfers.set(owner, transfer);
    return transfer;
  }
}

/** One write. */
class InTransfer implements RequestOwner {
  readonly #write: RequestOwner;
  readonly #port: FaultPort;
  readonly #faults: InFaults;
  /** Its turn has come. */
  #begun = false;
  #delayed = false;
  /** Bytes that may still go to the host. */
  #left = Infinity;
  /** Whether the endpoint is halted behind them. */
  #stalls = false;
  /** The request that was left out or cut, and its length. */
  #cut:
    | { readonly request: KernelRequest; readonly length: number }
    | undefined;

  constructor(write: RequestOwner, port: FaultPort, faults: InFaults) {
    this.#write = write;
    this.#port = port;
    this.#faults = faults;
  }

  more(rest: KernelRequest): KernelRequest | undefined {
    if (!this.#port.free) return undefined;
    if (!this.#begun) {
      this.#begun = true;
      if (!this.#begin()) return undefined;
    }
    this.#delayed = false;
    return this.#port.release(rest) ?? this.#write.more?.(rest);
  }

  prepare(request: KernelRequest): boolean {
    this.#mend(request); // a reset may have ended it before
    const { length } = request;
    if (this.#left <= 0) {
      this.#cut = { request, length };
      this.#endEarly();
      return false;
    }
    const needed = this.#write.prepare(request);
    if (needed && length > this.#left) {
      this.#cut = { request, length };
      request.length = this.#left;
    }
    return needed;
  }

  resumes(request: KernelRequest): boolean {
    return this.#write.resumes(request);
  }

  onEnd(request: KernelRequest, result: number | Error): void {
    if (this.#delayed) this.#port.hurry();
    const isCut = this.#mend(request);
    const done = typeof result === "number" && result >= 0;
    if (done) {
      this.#left -= result;
      if (this.#left <= 0) this.#endEarly();
    }
    this.#write.onEnd(request, done && isCut ? request.length : result);
  }

  /** Gives a request its length back; returns whether it was left out or cut. */
  #mend(request: KernelRequest): boolean {
    if (this.#cut?.request !== request) return false;
    request.length = this.#cut.length;
    this.#cut = undefined;
    return true;
  }

  /** Decides about the transfer; returns whether it may go on at once. */
  #begin(): boolean {
    const rule = this.#faults.next(this.#write.size ?? 0);
    switch (rule?.fault) {
      case "delay":
        this.#delayed = true;
        this.#port.delay(rule.ms!);
        return false;
      case "disconnect":
        this.#faults.disconnect(rule.ms!);
        return false;
      case "drop":
      case "shorten":
      case "stall":
        this.#left = rule.bytes ?? 0;
        this.#stalls = rule.fault === "stall";
    }
    return true;
  }

  /** All bytes that may go to the host have gone. */
  #endEarly(): void {
    if (!this.#stalls) return;
    this.#stalls = false;
    this.#port.halt();
  }
}
