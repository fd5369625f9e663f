/**
 * An epoll instance on one file. It is a file itself: ready for POLLIN while
 * the other file is ready for certain events.
 *
 * @module
 */
import {
  architectureNumbers,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLLET,
  EPOLLWRNORM,
} from "./abi.ts";
import { check } from "./errno.ts";
import { close } from "./file.ts";
import { ERRNO, libc } from "./libc.ts";

/** An epoll instance on one file. */
export class Epoll {
  /** Watch it for POLLIN. */
  readonly fd: number;
  readonly #file: number;
  /** struct epoll_event: u32 events, u64 data */
  readonly #event = new DataView(
    new ArrayBuffer(architectureNumbers().EPOLL_EVENT_SIZE),
  );

  /** @param events The events to wait for; undefined: none yet. */
  constructor(fileDescriptor: number, events?: number) {
    this.fd = check(libc().epoll_create1(EPOLL_CLOEXEC), ERRNO[0], {
      action: "make epoll instance",
      syscall: "epoll_create1",
    });
    this.#file = fileDescriptor;
    try {
      if (events !== undefined) this.add(events);
    } catch (error) {
      close(this.fd);
      throw error;
    }
  }

  /** Waits for events, also while {@linkcode fd} is being polled. */
  add(events: number): void {
    this.#control(EPOLL_CTL_ADD, events);
  }

  /**
   * Waits for none, until {@linkcode add}. The kernel then calls nothing when an
   * event arrives, as it does for an instance that waits for others.
   */
  remove(): void {
    this.#control(EPOLL_CTL_DEL, 0);
  }

  /** Whether an event has arrived since the last call. Does not wait. */
  take(): boolean {
    return libc().epoll_wait(this.fd, this.#event, 1, 0) > 0;
  }

  /** Closes the instance. */
  close(): void {
    close(this.fd);
  }

  #control(operation: number, events: number): void {
    this.#event.setUint32(0, events >>> 0, true);
    check(
      libc().epoll_ctl(this.fd, operation, this.#file, this.#event),
      ERRNO[0],
      {
        action: "watch file",
        syscall: "epoll_ctl",
      },
    );
  }
}

/**
 * Detects every wake-up of a file's waiters, even if the file is always ready.
 *
 * It waits for POLLWRNORM, so it is for files that always report that, as `ep0`
 * of FunctionFS does: only then is every wake-up an edge. Any other event
 * depends on the state of the file when the wake-up is handled. A nonblocking
 * `ep0` cannot be read while another thread has it locked: the edge is lost.
 */
export class EdgeDetector extends Epoll {
  /** The initial state is one edge. */
  constructor(fileDescriptor: number) {
    super(fileDescriptor, EPOLLWRNORM | EPOLLET);
  }
}
