/**
 * What the kernel counts up with each completion, and a switch that says
 * whether anybody is woken by it.
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
 * An eventfd inside an epoll instance, so that it can be switched while the
 * parked poll looks at the instance: neither has that poll to be woken, nor
 * does a completion wake it that somebody waits for anyway.
 */
export class CompletionSignal {
  readonly #counter = new EventCounter();
  readonly #epoll: number;
  readonly #event: Uint8Array<ArrayBuffer>;
  #armed = false;

  /** Makes one that is not armed. */
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

  /** The eventfd, for the kernel to count. */
  get counterFd(): number {
    return this.#counter.fd;
  }

  /** Is ready for POLLIN while it is armed and something was counted. */
  get watchFd(): number {
    return this.#epoll;
  }

  /** Whether a completion makes {@linkcode watchFd} ready. */
  get armed(): boolean {
    return this.#armed;
  }

  /** Forgets what was counted. */
  clear(): void {
    this.#counter.take();
  }

  /**
   * From now on a completion wakes who watches. What completed before does
   * not: look for it after this call.
   */
  arm(): void {
    if (this.#armed) return;
    this.clear();
    this.#armed = true;
    this.#control(EPOLL_CTL_MOD, POLLIN);
  }

  /** Completions wake nobody any more. */
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
