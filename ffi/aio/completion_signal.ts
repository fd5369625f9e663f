/**
 * The eventfd that the kernel increments with each completion, and a switch that
 * decides whether that wakes the parked poll.
 *
 * @module
 */
import {
  architectureNumbers,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  POLLIN,
} from "../abi.ts";
import { check } from "../errno.ts";
import { EventCounter } from "../eventfd.ts";
import { close } from "../file.ts";
import { libc } from "../libc.ts";

/**
 * An eventfd inside an epoll instance, so that it can be switched on and off
 * without waking the poll that watches the instance.
 */
export class CompletionSignal {
  readonly #counter = new EventCounter();
  readonly #epoll: number;
  readonly #event: Uint8Array<ArrayBuffer>;
  #armed = false;

  /** Starts disarmed. */
  constructor() {
    const { epoll_create1 } = libc();
    // struct epoll_event: u32 events, u64 data
    this.#event = new Uint8Array(architectureNumbers().EPOLL_EVENT_SIZE);
    this.#epoll = check(epoll_create1(EPOLL_CLOEXEC), {
      action: "make epoll instance",
      syscall: "epoll_create1",
    });
    this.#control(EPOLL_CTL_ADD, 0);
  }

  /** The eventfd, for the kernel to increment. */
  get counterFd(): number {
    return this.#counter.fd;
  }

  /** Ready for POLLIN while the signal is armed and something has completed. */
  get watchFd(): number {
    return this.#epoll;
  }

  /** Resets the counter. */
  clear(): void {
    this.#counter.take();
  }

  /**
   * From now on a completion makes {@linkcode watchFd} ready. Earlier ones do
   * not: look for them after this call.
   */
  arm(): void {
    if (this.#armed) return;
    this.clear();
    this.#armed = true;
    this.#control(EPOLL_CTL_MOD, POLLIN);
  }

  /** Completions no longer make {@linkcode watchFd} ready. */
  disarm(): void {
    if (!this.#armed) return;
    this.#armed = false;
    this.#control(EPOLL_CTL_MOD, 0);
  }

  #control(operation: number, events: number): void {
    this.#event[0] = events;
    check(
      libc().epoll_ctl(this.#epoll, operation, this.#counter.fd, this.#event),
      { action: "watch completions", syscall: "epoll_ctl" },
    );
  }

  /** Closes both. */
  close(): void {
    close(this.#epoll);
    this.#counter.close();
  }
}
