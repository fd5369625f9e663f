/**
 * The eventfd that the kernel increments with each completion, and a switch
 * that decides whether this wakes the parked poll.
 *
 * @module
 */
import { POLLIN } from "../abi.ts";
import { Epoll } from "../epoll.ts";
import { EventCounter } from "../eventfd.ts";

/**
 * An eventfd inside an epoll instance. It can be switched on and off without
 * waking the poll that watches the instance.
 */
export class CompletionSignal {
  readonly #counter = new EventCounter();
  readonly #epoll = new Epoll(this.#counter.fd);
  #armed = false;

  /** The eventfd, for the kernel to increment. */
  get counterFd(): number {
    return this.#counter.fd;
  }

  /** Ready for POLLIN while the signal is armed and something has completed. */
  get watchFd(): number {
    return this.#epoll.fd;
  }

  /** Resets the counter. */
  clear(): void {
    this.#counter.take();
  }

  /**
   * From now on, a completion makes {@linkcode watchFd} ready. Earlier ones do
   * not: look for them after this call.
   */
  arm(): void {
    if (this.#armed) return;
    this.clear();
    this.#armed = true;
    this.#epoll.add(POLLIN);
  }

  /** Completions no longer make {@linkcode watchFd} ready. */
  disarm(): void {
    if (!this.#armed) return;
    this.#armed = false;
    this.#epoll.remove();
  }

  /** Closes both files. */
  close(): void {
    this.#epoll.close();
    this.#counter.close();
  }
}
