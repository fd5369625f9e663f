/**
 * Traces a function: its control requests, transfers and events.
 *
 * Without a trace, none of this exists: requests go straight to their queues.
 *
 * @module
 */
import type { ControlOutcome, SetupRequest } from "../../usb/control.ts";
import type { SetupPacket } from "../../usb/setup_packet.ts";
import type { FunctionEvent } from "../events.ts";
import type { InterceptedEndpoint } from "../transfer/interception.ts";
import type {
  KernelRequest,
  RequestOwner,
  RequestPort,
} from "../transfer/request.ts";
import type { TraceRecord } from "./record.ts";

/** Makes the port where an endpoint's reads and writes queue their requests. */
type MakePort = (endpoint: InterceptedEndpoint) => RequestPort;

const NO_DATA = new Uint8Array(0);

/** The trace of one function. */
export class Tracer {
  readonly #name: string;
  readonly #report: (record: TraceRecord) => void;
  readonly #begun = new WeakMap<SetupPacket, number>();

  /** @param report Gets the records. What it throws is printed, and ignored. */
  constructor(name: string, report: (record: TraceRecord) => void) {
    this.#name = name;
    this.#report = (record) => {
      try {
        report(record);
      } catch (error) {
        console.error(`The trace of function "${name}" failed:`, error);
      }
    };
  }

  /** Something has happened to the function. */
  event({ type: event }: FunctionEvent): void {
    if (event === "error" || event === "dropped") return;
    this.#report({
      type: "event",
      function: this.#name,
      time: performance.now(),
      event,
    });
  }

  /** A handler is about to get a control request. */
  begin(setup: SetupRequest): void {
    this.#begun.set(setup, performance.now());
  }

  /** A control request is over. */
  outcome(
    setup: SetupRequest,
    outcome: ControlOutcome,
    data: Uint8Array = NO_DATA,
  ): void {
    const now = performance.now();
    const time = this.#begun.get(setup) ?? now;
    const {
      direction,
      type,
      recipient,
      requestType,
      request,
      value,
      index,
      length,
    } = setup;
    this.#report({
      type: "control",
      function: this.#name,
      time,
      duration: now - time,
      setup: {
        direction,
        type,
        recipient,
        requestType,
        request,
        value,
        index,
        length,
      },
      outcome,
      data,
    });
  }

  /** Traces the requests of endpoints, on their way to `next` or their queues. */
  transfers(next: MakePort | undefined): MakePort {
    return (endpoint) => {
      const port = next?.(endpoint) ?? endpoint.queue;
      const { name, direction } = endpoint;
      return new TracedPort(port, (request, result, time) => {
        this.#report({
          type: "transfer",
          function: this.#name,
          time,
          duration: performance.now() - time,
          endpoint: name,
          direction,
          requested: request.wanted,
          data: request.memory.subarray(0, Math.max(result, 0)),
          ...(result < 0 ? { errno: -result } : {}),
        });
      });
    };
  }
}

/** Gets a request that the kernel has completed, and when it got it. */
type OnEnd = (request: KernelRequest, result: number, time: number) => void;

/** Passes requests on, with their owners wrapped. */
class TracedPort implements RequestPort {
  readonly #port: RequestPort;
  readonly #onEnd: OnEnd;
  /** Of each owner, what stands for it while it has requests. */
  readonly #owners = new WeakMap<RequestOwner, RequestOwner>();

  constructor(port: RequestPort, onEnd: OnEnd) {
    this.#port = port;
    this.#onEnd = onEnd;
  }

  get nextConnection(): number {
    return this.#port.nextConnection;
  }

  take(
    owner: RequestOwner,
    memory: Uint8Array<ArrayBuffer>,
    length?: number,
  ): KernelRequest {
    let traced = this.#owners.get(owner);
    if (traced === undefined) {
      this.#owners.set(owner, traced = new TracedOwner(owner, this.#onEnd));
    }
    return this.#port.take(traced, memory, length);
  }

  give(request: KernelRequest): void {
    this.#port.give(request);
  }

  push(request: KernelRequest): void {
    this.#port.push(request);
  }

  pushBehind(request: KernelRequest, before: KernelRequest): void {
    this.#port.pushBehind(request, before);
  }

  wake(): void {
    this.#port.wake();
  }

  cancel(request: KernelRequest): void {
    this.#port.cancel(request);
  }
}

/** Stands for an owner, and reports its requests. */
class TracedOwner implements RequestOwner {
  readonly #owner: RequestOwner;
  readonly #onEnd: OnEnd;
  readonly #begun = new WeakMap<KernelRequest, number>();
  readonly more: RequestOwner["more"];

  constructor(owner: RequestOwner, onEnd: OnEnd) {
    this.#owner = owner;
    this.#onEnd = onEnd;
    this.more = owner.more && ((rest) => owner.more!(rest));
  }

  get size(): number | undefined {
    return this.#owner.size;
  }

  prepare(request: KernelRequest): boolean {
    this.#begun.set(request, performance.now());
    return this.#owner.prepare(request);
  }

  resumes(request: KernelRequest): boolean {
    return this.#owner.resumes(request);
  }

  onEnd(request: KernelRequest, result: number | Error): void {
    const time = this.#begun.get(request);
    this.#begun.delete(request);
    // First: the owner may use the request again at once.
    if (time !== undefined && typeof result === "number") {
      this.#onEnd(request, result, time);
    }
    this.#owner.onEnd(request, result);
  }
}
