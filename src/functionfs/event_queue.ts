/**
 * Events that a reader has not taken yet.
 *
 * @module
 */
import { Fifo } from "./transfer/fifo.ts";

/** A limited number of events, the latest ones. */
export class EventQueue<E extends object> {
  readonly #events = new Fifo<E>();
  readonly #limit: number;
  readonly #gap: (count: number) => E;
  #dropped = 0;

  /**
   * @param limit How many events are kept. With more, the oldest are dropped.
   * @param gap Makes the event that stands for as many that were dropped.
   */
  constructor(limit: number, gap: (count: number) => E) {
    this.#limit = limit;
    this.#gap = gap;
  }

  /** Adds an event. */
  push(event: E): void {
    this.#events.push(event);
    if (this.#events.length <= this.#limit) return;
    this.#events.shift();
    this.#dropped++;
  }

  /** Takes the oldest event, or the one that stands for those before it. */
  shift(): E | undefined {
    if (this.#dropped === 0) return this.#events.shift();
    const gap = this.#gap(this.#dropped);
    this.#dropped = 0;
    return gap;
  }

  /** Drops all events. */
  clear(): void {
    this.#events.splice(0);
    this.#dropped = 0;
  }
}
