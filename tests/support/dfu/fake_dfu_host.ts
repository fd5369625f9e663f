/**
 * A DFU host without a kernel.
 *
 * @module
 */
import type { ControlHandler, SetupRequest } from "@usb/gadget";
import { type FakeOutcome, fakeSetup } from "@usb/gadget/testing";
import {
  DFU_STATUSES,
  DfuRequest,
  DfuState,
  directionOf,
  nameOf,
} from "../../../src/classes/dfu/codes.ts";

/** The answer to GETSTATUS, by names. */
export interface DfuStatus {
  readonly status: string;
  readonly pollTimeoutMs: number;
  readonly state: string;
}

/** Sends DFU requests to one interface of a function. */
export class FakeDfuHost {
  readonly #control: ControlHandler;
  readonly #session: { readonly signal: AbortSignal } | undefined;
  readonly #index: number;

  constructor(
    { control }: { readonly control: ControlHandler },
    session?: { readonly signal: AbortSignal },
    index = 0,
  ) {
    this.#control = control;
    this.#session = session;
    this.#index = index;
  }

  detach(timeoutMs: number): Promise<FakeOutcome> {
    return this.send(DfuRequest.DETACH, { value: timeoutMs });
  }

  download(...data: number[]): Promise<FakeOutcome> {
    return this.send(DfuRequest.DNLOAD, { data });
  }

  upload(length: number): Promise<FakeOutcome> {
    return this.send(DfuRequest.UPLOAD, { length });
  }

  async status(): Promise<DfuStatus> {
    const outcome = await this.send(DfuRequest.GETSTATUS, { length: 6 });
    const [status, low, middle, high, state, string] = sent(outcome);
    if (string !== 0) throw new Error(`iString is ${string}`);
    return {
      status: DFU_STATUSES[status],
      pollTimeoutMs: low | middle << 8 | high << 16,
      state: nameOf(DfuState, state),
    };
  }

  async state(): Promise<string> {
    const outcome = await this.send(DfuRequest.GETSTATE, { length: 1 });
    return nameOf(DfuState, sent(outcome)[0]);
  }

  clearStatus(): Promise<FakeOutcome> {
    return this.send(DfuRequest.CLRSTATUS);
  }

  abort(): Promise<FakeOutcome> {
    return this.send(DfuRequest.ABORT);
  }

  /** Sends any request, which a host may also give up. */
  send(
    request: DfuRequest,
    { value = 0, length = 0, data = [] as number[], onSetup = ignore } = {},
  ): Promise<FakeOutcome> {
    const direction = directionOf(request);
    const fake = fakeSetup({
      type: "class",
      recipient: "interface",
      request,
      value,
      index: this.#index,
      ...(direction === "in" ? { direction, length } : { direction }),
    }, { data, session: this.#session });
    onSetup({ setup: fake.setup, cancel: () => fake.cancel() });
    return fake.answer(this.#control);
  }
}

type Sent = { readonly setup: SetupRequest; readonly cancel: () => void };

const ignore = (_: Sent) => {};

function sent(outcome: FakeOutcome): readonly number[] {
  if (typeof outcome === "object" && "sent" in outcome) return outcome.sent;
  throw new Error(`No data: ${JSON.stringify(outcome)}`);
}

/** An area that does everything when it is let. */
export class TestArea {
  readonly name = "memory";
  /** What it has done, in order. */
  readonly calls: unknown[] = [];
  readonly signals: AbortSignal[] = [];
  memory = Uint8Array.of(1, 2, 3, 4, 5, 6);
  /** Each call waits for this, and fails as it does. */
  gate: Promise<unknown> | undefined;

  async read(offset: number, length: number, signal: AbortSignal) {
    await this.#enter("read", signal, offset, length);
    return this.memory.subarray(offset, offset + length);
  }

  async write(offset: number, data: Uint8Array, signal: AbortSignal) {
    await this.#enter("write", signal, offset, [...data]);
  }

  async manifest(length: number, signal: AbortSignal) {
    await this.#enter("manifest", signal, length);
  }

  async #enter(name: string, signal: AbortSignal, ...args: unknown[]) {
    this.calls.push([name, ...args]);
    this.signals.push(signal);
    await this.gate;
  }
}
