/**
 * A control request that is being answered.
 *
 * @module
 */
import { Errno, systemError } from "../../../ffi/errno.ts";
import { checkBytes, viewOf } from "../../arguments/bytes.ts";
import type {
  ControlErrorHandler,
  ControlOutcome,
  SetupRequest,
} from "../../usb/control.ts";
import { decodeSetup, type SetupPacket } from "../../usb/setup_packet.ts";
import type { SessionLife } from "../session.ts";

/**
 * Carries answers to the kernel. Each request is answered once. Returns the
 * number of bytes of data, or a negative number if the host has given up.
 */
export interface SetupAnswers {
  /** Answers an IN request. Copies the data before it returns. */
  send(setup: Setup, data: Uint8Array): Promise<number>;
  /** Takes the data of an OUT request, if any, and acknowledges it. */
  take(setup: Setup, buffer: Uint8Array<ArrayBuffer>): Promise<number>;
  refuse(setup: Setup): void;
}

/** Why a request is stalled, unless the handler stalls it itself. */
export interface StallCause {
  /** Whether no handler has answered it. */
  readonly unhandled?: boolean;
  /** What its handler has thrown. */
  readonly error?: unknown;
}

/** Where the fate of a request is reported. */
export interface SetupReports {
  /** Gets its outcome, and its data if it was answered. Never throws. */
  readonly onOutcome?: (
    setup: SetupRequest,
    outcome: ControlOutcome,
    data?: Uint8Array,
  ) => void;
  /** Gets what a callback has thrown. Never throws. */
  readonly onError?: ControlErrorHandler;
}

/** The signal's reason for a cancelled request. */
function cancelledError(direction: SetupPacket["direction"]): Error {
  return systemError(Errno.EIDRM, {
    action: "answer control request",
    syscall: direction === "in" ? "write" : "read",
    hint: "the host no longer waits for the answer",
  });
}

const NOTHING = new Uint8Array(0);

/** One SETUP event, until it is answered or cancelled. */
export class Setup implements SetupRequest {
  declare readonly direction: SetupPacket["direction"];
  declare readonly type: SetupPacket["type"];
  declare readonly recipient: SetupPacket["recipient"];
  declare readonly requestType: number;
  declare readonly request: number;
  declare readonly value: number;
  declare readonly index: number;
  declare readonly length: number;
  stalled = false;
  /** Whether its handler has returned: no code of the program waits for it. */
  handled = false;
  /** The connection that it belongs to. Set before a handler gets the request. */
  session: SessionLife | undefined;
  readonly #answers: SetupAnswers;
  readonly #reports: SetupReports;
  #controller: AbortController | undefined;
  #answered = false;
  #cancelled = false;

  /** Decodes the first 8 bytes of a FunctionFS event. */
  constructor(
    event: Uint8Array,
    answers: SetupAnswers,
    reports: SetupReports = {},
  ) {
    Object.assign(this, decodeSetup(event));
    this.#answers = answers;
    this.#reports = reports;
  }

  /** Made on first access: most requests are answered at once. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cancelled) {
        this.#controller.abort(cancelledError(this.direction));
      }
    }
    return this.#controller.signal;
  }

  get settled(): boolean {
    return this.#answered || this.#cancelled;
  }

  receive(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#answer(() => {
      if (this.direction === "out") return this.#receive();
      throw new TypeError(
        "Cannot receive data of a control request: it is an IN request",
      );
    });
  }

  reply(data: Uint8Array): Promise<number> {
    return this.#answer(() => {
      if (this.direction === "out") {
        throw new TypeError(
          "Cannot reply to a control request with data: it is an OUT request",
        );
      }
      checkBytes("reply to a control request", "the data", data);
      return this.#send(viewOf(data, this.length));
    });
  }

  acknowledge(): Promise<void> {
    return this.#answer(() => {
      const answer = this.direction === "out"
        ? this.#receive()
        : this.#send(NOTHING);
      return answer.then(() => {});
    });
  }

  stall(): void {
    this.refuse();
  }

  onSessionEnd(callback: () => void): void {
    this.session?.onEnd(() =>
      guard(callback, (error) => this.#reports.onError?.(error, this))
    );
  }

  /** Stalls it, for a reason. */
  refuse({ unhandled = false, ...thrown }: StallCause = {}): void {
    this.#begin();
    this.stalled = true;
    this.#answers.refuse(this);
    // The host may have given up before.
    if (this.#cancelled) return;
    this.#reports.onOutcome?.(this, { type: "stalled", unhandled, ...thrown });
  }

  /** The host has given up. */
  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#controller?.abort(cancelledError(this.direction));
    this.#reports.onOutcome?.(this, { type: "cancelled" });
  }

  /**
   * Begins an answer. A handler need not await it: the program must not end
   * when the host has given up. A mistake by the caller rejects anyway.
   */
  #answer<T>(begin: () => Promise<T>): Promise<T> {
    try {
      const answer = begin();
      answer.catch(() => {});
      return answer;
    } catch (error) {
      const rejected = Promise.reject(error);
      if (this.#cancelled) rejected.catch(() => {});
      return rejected;
    }
  }

  #send(data: Uint8Array): Promise<number> {
    this.#begin();
    return this.#answers.send(this, data)
      .then((count) => this.#finish(count, data));
  }

  #receive(): Promise<Uint8Array<ArrayBuffer>> {
    this.#begin();
    const buffer = new Uint8Array(this.length);
    return this.#answers.take(this, buffer)
      .then((count) => buffer.subarray(0, this.#finish(count, buffer)));
  }

  #begin(): void {
    if (this.#cancelled) throw this.signal.reason;
    if (this.#answered) {
      throw new TypeError("Cannot answer a control request twice");
    }
    this.#answered = true;
  }

  #finish(count: number, data: Uint8Array): number {
    if (count < 0) {
      this.cancel();
      throw this.signal.reason;
    }
    this.#reports.onOutcome?.(
      this,
      { type: "answered", length: count },
      data.subarray(0, count),
    );
    return count;
  }
}

/**
 * Runs code of the program that nothing awaits.
 *
 * @param onError Gets what it throws or rejects with.
 */
export function guard(
  run: () => unknown,
  onError: (error: unknown) => void,
): void {
  try {
    const result = run();
    if (result instanceof Promise) result.catch(onError);
  } catch (error) {
    onError(error);
  }
}
