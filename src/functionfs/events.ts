/**
 * Events of a function, for listeners inside this package and for the program's
 * iterations.
 *
 * @module
 */
import { Errno, errorOf } from "../../ffi/errno.ts";
import type { SetupRequest } from "../usb/control.ts";
import { Fifo } from "./transfer/fifo.ts";

/**
 * A change in the life of a function.
 * @category Events
 */
export interface LifeEvent {
  /**
   * - `"bind"`: the function belongs to a UDC; the device is attached.
   * - `"enable"`: the host has configured the device; endpoints work. In a
   *   function with several interfaces, a setting of an interface that the host
   *   selects before it transfers anything counts as part of the configuration:
   *   the kernel reports both alike.
   * - `"disable"`: endpoints have stopped working: the host has reset or
   *   deconfigured the device, or it was detached. If the host has selected a
   *   setting of an interface, `"enable"` follows at once.
   * - `"unbind"`: the function no longer belongs to a UDC.
   * - `"suspend"`, `"resume"`: the host has stopped or started the bus. Pending
   *   transfers stay pending.
   */
  readonly type:
    | "bind"
    | "unbind"
    | "enable"
    | "disable"
    | "suspend"
    | "resume";
}

/**
 * An error in work that no caller awaits.
 * @category Events
 */
export interface FunctionErrorEvent {
  /** Discriminates the events. */
  readonly type: "error";
  /**
   * What a control handler has thrown, if the function has no `onError`; or why
   * the kernel reports no more events, after which the function is closed.
   * Printed with `console.error` if no iteration gets the event.
   */
  readonly error: unknown;
  /** The handler's request. It was stalled, unless it was already answered. */
  readonly setup?: SetupRequest;
}

/**
 * Replaces events that an iteration did not take in time: when more than 1000
 * wait, the oldest are dropped. No later event is missing; `state` of the
 * function is up to date.
 * @category Events
 */
export interface DroppedEvent {
  /** Discriminates the events. */
  readonly type: "dropped";
  /** How many events were dropped. */
  readonly count: number;
}

/**
 * What happens to a function.
 * @category Events
 */
export type FunctionEvent = LifeEvent | FunctionErrorEvent | DroppedEvent;

/** The most events kept for an iteration that does not take them. */
const MAX_WAITING_EVENTS = 1000;
/** The most errors kept for the first iteration. */
const MAX_UNSEEN_ERRORS = 100;

interface Listener {
  readonly onEvent: (event: FunctionEvent) => void;
  readonly onClose: () => void;
}

/** Passes on the events of one function until it is closed. */
export class FunctionEvents implements AsyncIterable<FunctionEvent> {
  #closed = false;
  /** Errors that no iteration has received. */
  readonly #errors: FunctionErrorEvent[] = [];
  readonly #iterations = new Set<EventIteration>();
  readonly #listeners = new Set<Listener>();

  emit(event: FunctionEvent): void {
    for (const { onEvent } of [...this.#listeners]) onEvent(event);
  }

  /**
   * Reports an error. Without an iteration it is kept for the next one.
   *
   * @returns Whether an iteration got it.
   */
  report(error: unknown, setup?: SetupRequest): boolean {
    const event: FunctionErrorEvent = setup === undefined
      ? { type: "error", error }
      : { type: "error", error, setup };
    const isSeen = this.#iterations.size > 0;
    if (isSeen) this.emit(event);
    else if (this.#errors.length < MAX_UNSEEN_ERRORS) this.#errors.push(event);
    return isSeen;
  }

  /** Calls `onEvent` for each event until the returned function is called. */
  listen(
    onEvent: Listener["onEvent"],
    onClose: Listener["onClose"] = () => {},
  ): () => void {
    if (this.#closed) {
      onClose();
      return () => {};
    }
    const listener = { onEvent, onClose };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** See `FunctionFs.events`. */
  [Symbol.asyncIterator](): AsyncIterator<FunctionEvent, undefined> {
    if (this.#closed && this.#errors.length === 0) {
      const message = "Cannot wait for events: the function is closed";
      throw errorOf(Errno.EBADF, message, { syscall: "read" });
    }
    const iteration: EventIteration = new EventIteration(() => {
      this.#iterations.delete(iteration);
      stop();
    });
    for (const error of this.#errors.splice(0)) iteration.push(error);
    this.#iterations.add(iteration);
    let stop = () => {};
    stop = this.listen(
      (event) => iteration.push(event),
      () => iteration.end(),
    );
    return iteration;
  }

  /** Ends all iterations. */
  close(): void {
    this.#closed = true;
    for (const { onClose } of [...this.#listeners]) onClose();
    this.#listeners.clear();
  }
}

type EventResult = IteratorResult<FunctionEvent, undefined>;

/** One `for await` over the events; keeps the latest ones not taken. */
class EventIteration implements AsyncIterator<FunctionEvent, undefined> {
  readonly #waiting = new Fifo<FunctionEvent>();
  readonly #takers: ((result: EventResult) => void)[] = [];
  readonly #onEnd: () => void;
  #dropped = 0;
  #ended = false;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  push(value: FunctionEvent): void {
    const take = this.#takers.shift();
    if (take !== undefined) return take({ done: false, value });
    this.#waiting.push(value);
    if (this.#waiting.length <= MAX_WAITING_EVENTS) return;
    this.#waiting.shift();
    this.#dropped++;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
    for (const take of this.#takers.splice(0)) take(END);
  }

  next(): Promise<EventResult> {
    const value = this.#shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#ended) return Promise.resolve(END);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  return(): Promise<EventResult> {
    this.#waiting.splice(0);
    this.#dropped = 0;
    this.end();
    return Promise.resolve(END);
  }

  #shift(): FunctionEvent | undefined {
    if (this.#dropped === 0) return this.#waiting.shift();
    const count = this.#dropped;
    this.#dropped = 0;
    return { type: "dropped", count };
  }
}

const END = { done: true, value: undefined } as const;
