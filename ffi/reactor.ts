/**
 * One parked `poll()` for the whole process.
 *
 * Deno runs a nonblocking FFI call on one of 32 pool threads, which also serve
 * files and cryptography. A thread for each endpoint would use them up, so all
 * file descriptors wait in one call, together with an eventfd that ends the
 * wait when the set changes.
 *
 * While something is watched, the process stays alive. When nothing is watched
 * any more the call returns, and a program that has nothing else to do ends.
 *
 * @module
 */
import { EFD_CLOEXEC, EFD_NONBLOCK, POLLIN, POLLNVAL } from "./abi.ts";
import { check } from "./errno.ts";
import { libc } from "./libc.ts";

/** Called with the poll bits that are set. Must take away what set them. */
export type ReadyHandler = (events: number) => void;

/** A file descriptor that the reactor watches. */
export interface Watch {
  /**
   * Stops watching. The handler is not called any more at once; when the
   * promise resolves, the kernel does not look at the descriptor any more
   * either, and it may be closed.
   */
  stop(): Promise<void>;
  /**
   * Leaves the descriptor out of the waits that begin from now on; one that has
   * begun still looks at it. Costs nothing in a handler: no wait has begun.
   */
  pause(): void;
  /** Ends a pause. What the descriptor was ready for meanwhile is told now. */
  resume(): void;
}

interface WatchEntry {
  readonly fd: number;
  readonly events: number;
  readonly handler: ReadyHandler;
  stopped: boolean;
  paused: boolean;
}

const POLLFD_SIZE = 8; // int fd, short events, short revents

class Reactor {
  #entries: WatchEntry[] = [];
  #changed = true;
  #running = false;
  #wakeFd = -1;
  #wakeSent = false;
  /** While a poll is in flight: resolves when it has returned. */
  #parked: Promise<void> | undefined;

  watch(fd: number, events: number, handler: ReadyHandler): Watch {
    // Here, where a failure has a caller.
    this.#openWakeFd();
    const entry = { fd, events, handler, stopped: false, paused: false };
    // A new array: the loop may be walking through the old one.
    this.#entries = [...this.#entries, entry];
    this.#changed = true;
    if (this.#parked !== undefined) this.#wake();
    if (!this.#running) this.#run();
    return {
      stop: () => this.#stop(entry),
      pause: () => {
        this.#changed ||= !entry.paused;
        entry.paused = true;
      },
      resume: () => this.#resume(entry),
    };
  }

  async #stop(entry: WatchEntry): Promise<void> {
    if (!entry.stopped) {
      entry.stopped = true;
      this.#entries = this.#entries.filter((other) => other !== entry);
      this.#changed = true;
    }
    if (this.#parked !== undefined) {
      this.#wake();
      await this.#parked;
    }
  }

  #resume(entry: WatchEntry): void {
    if (!entry.paused) return;
    entry.paused = false;
    this.#changed = true;
    if (this.#parked !== undefined) this.#wake();
  }

  /** Ends the poll that is in flight. */
  #wake(): void {
    if (this.#wakeSent) return;
    this.#wakeSent = true;
    libc().write(this.#wakeFd, ONE, 8n);
  }

  #openWakeFd(): void {
    if (this.#wakeFd >= 0) return;
    // Stays open for the life of the process.
    this.#wakeFd = check(libc().eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), {
      action: "make eventfd",
      syscall: "eventfd",
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    const { poll, read } = libc();
    let watched: WatchEntry[] = [];
    let fds = new DataView(new ArrayBuffer(0));
    while (this.#entries.length > 0) {
      if (this.#changed) {
        this.#changed = false;
        watched = this.#entries;
        fds = this.#pollSet(watched);
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#parked = promise;
      // -1 means that a signal came: nothing is ready, and the bits are not set.
      const count = await poll(fds, BigInt(watched.length + 1), -1);
      this.#parked = undefined;
      resolve();
      if (this.#wakeSent) {
        this.#wakeSent = false;
        read(this.#wakeFd, DISCARD, 8n);
      }
      if (count > 0) this.#dispatch(watched, fds);
    }
    this.#running = false;
  }

  #pollSet(watched: WatchEntry[]): DataView<ArrayBuffer> {
    const fds = new DataView(
      new ArrayBuffer(POLLFD_SIZE * (watched.length + 1)),
    );
    fds.setInt32(0, this.#wakeFd, true);
    fds.setInt16(4, POLLIN, true);
    watched.forEach((entry, index) => {
      const at = POLLFD_SIZE * (index + 1);
      // poll() ignores negative descriptors.
      fds.setInt32(at, entry.paused ? -1 : entry.fd, true);
      fds.setInt16(at + 4, entry.events, true);
    });
    return fds;
  }

  #dispatch(watched: WatchEntry[], fds: DataView<ArrayBuffer>): void {
    for (let index = 0; index < watched.length; index++) {
      const events = fds.getInt16(POLLFD_SIZE * (index + 1) + 6, true);
      const entry = watched[index];
      if (events === 0 || entry.stopped) continue;
      // Somebody closed the descriptor: without this the loop would spin.
      if (events & POLLNVAL) this.#stop(entry);
      try {
        entry.handler(events);
      } catch (error) {
        reportError(error);
      }
    }
  }
}

const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);
const DISCARD = new Uint8Array(8);

const reactor = new Reactor();

/**
 * Calls `handler` whenever one of the poll bits `events` is set on `fd`, until
 * the watch is stopped.
 *
 * @param fd The descriptor. Stop the watch before it is closed.
 * @param events POLLIN, POLLOUT or both. POLLERR and POLLHUP are always told.
 * @param handler Runs on the event loop; what it throws is reported as an
 * uncaught error and does not stop the watch.
 */
export function watch(
  fd: number,
  events: number,
  handler: ReadyHandler,
): Watch {
  return reactor.watch(fd, events, handler);
}
