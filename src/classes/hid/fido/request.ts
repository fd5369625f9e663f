/**
 * A request that a handler works on.
 *
 * @module
 */
import { checkArgument, oneOf } from "../../../arguments/rules.ts";

/** What a security key does while a program of the host waits (CTAP 2.1, 11.2.9.1.7). */
const STATUS = { "processing": 1, "user presence": 2 } as const;

const STATUS_RULE = oneOf(...Object.keys(STATUS));

/**
 * A request of a program on the host, as the handlers of a {@linkcode CtapHid} see
 * it.
 *
 * @category Requests
 */
export interface CtapRequest {
  /** The channel, which stands for one program on the host. */
  readonly channel: number;
  /**
   * Aborted when the host no longer waits: it has cancelled the request
   * (CTAPHID_CANCEL, for CBOR requests), has restarted the channel, or is gone. The
   * reason is a `DOMException` named `"AbortError"`.
   */
  readonly signal: AbortSignal;
  /**
   * Sets what the host hears while it waits: that the key is busy, which is the
   * default, or that the user must touch it. Hosts show the latter. Without effect
   * on U2F requests, which have no keep-alives, and after the end of the request.
   *
   * @throws {TypeError} If it is another value.
   */
  setStatus(status: "processing" | "user presence"): void;
}

/** How a request says that it is still being processed. */
export interface KeepAlive {
  readonly intervalMs: number;
  /** Sends a status. */
  send(status: number): void;
}

/** A request, from its last packet to the last packet of its response. */
export class RunningRequest {
  readonly channel: number;
  readonly command: number;
  /** For the handler. */
  readonly view: CtapRequest;
  readonly #controller = new AbortController();
  readonly #keepAlive: KeepAlive | undefined;
  #status: number = STATUS["processing"];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAnswered = false;
  #isCancelled = false;

  /** @param keepAlive Without it, the host hears nothing until the response. */
  constructor(channel: number, command: number, keepAlive?: KeepAlive) {
    this.channel = channel;
    this.command = command;
    this.#keepAlive = keepAlive;
    this.view = {
      channel,
      signal: this.#controller.signal,
      setStatus: (status) => this.#setStatus(status),
    };
    this.#schedule();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the host has cancelled it, and still expects a response. */
  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** Cancels it for the host, unless the response is there. */
  cancel(): void {
    if (this.#isAnswered || this.#isCancelled) return;
    this.#isCancelled = true;
    this.#controller.abort(abortError("The host has cancelled the request"));
  }

  /** Aborts it: its response will not be sent. */
  abort(reason: string): void {
    this.answered();
    this.#controller.abort(abortError(reason));
  }

  /** Ends the keep-alives. */
  answered(): void {
    this.#isAnswered = true;
    clearTimeout(this.#timer);
  }

  /** Whether an error of the handler is the consequence of its signal. */
  isAbort(error: unknown): boolean {
    if (!this.signal.aborted) return false;
    return error === this.signal.reason ||
      error instanceof Error && error.name === "AbortError";
  }

  #setStatus(status: keyof typeof STATUS): void {
    checkArgument("set status", "the status", status, STATUS_RULE);
    if (this.#isAnswered || STATUS[status] === this.#status) return;
    this.#status = STATUS[status];
    this.#sendStatus();
  }

  #sendStatus(): void {
    this.#keepAlive?.send(this.#status);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#keepAlive === undefined) return;
    clearTimeout(this.#timer);
    const { intervalMs } = this.#keepAlive;
    this.#timer = setTimeout(() => this.#sendStatus(), intervalMs);
  }
}

function abortError(message: string): DOMException {
  return new DOMException(message, "AbortError");
}
