/**
 * One parked `poll()` for the whole process.
 *
 * Deno runs a nonblocking FFI call on one of 32 pool threads, which also serve
 * files and cryptography. One thread per endpoint would use them up, so a
 * single call waits for all file descriptors, and for an eventfd that ends the
 * wait when the set changes.
 *
 * Watching a file keeps the process alive. When the last watch has stopped, the
 * call returns, and a program with nothing else to do ends.
 *
 * @module
 */
import { POLLIN, POLLNVAL } from "./abi.ts";
import { EventCounter } from "./eventfd.ts";
import { libc } from "./libc.ts";
import { allocate, free, viewOf } from "./native_memory.ts";

/** Called with the pending events. Must handle them, or it is called again. */
export type ReadyHandler = (events: number) => void;

/** A file descriptor that the reactor watches. */
export interface Watch {
  /**
   * Stops watching. The handler is no longer called. When the promise resolves,
   * the kernel no longer polls the descriptor, and it may be closed.
   */
  stop(): Promise<void>;
  /**
   * Leaves the descriptor out of later waits, but not out of the current one.
   * Free in a handler, where no wait is in progress.
   */
  pause(): void;
  /** Ends a pause. The handler is called for events that arrived meanwhile. */
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

/**
 * An array of `struct pollfd` outside of V8: the isolate can end while a thread
 * waits in `poll()`, which writes into the array when it returns.
 */
class PollSet {
  #capacity = 0;
  #address = 0n;
  #view = new DataView(new ArrayBuffer(0));
  #length = 0;

  /** Empties it, for up to `capacity` descriptors. No poll may be in flight. */
  clear(capacity: number): void {
    this.#length = 0;
    if (capacity <= this.#capacity) return;
    this.free();
    this.#capacity = Math.max(8, 2 * capacity);
    this.#address = allocate(POLLFD_SIZE * this.#capacity);
    this.#view = viewOf(this.#address, POLLFD_SIZE * this.#capacity);
  }

  /** Adds a descriptor; the wait ignores a negative one. */
  add(fd: number, events: number): void {
    const at = POLLFD_SIZE * this.#length++;
    this.#view.setInt32(at, fd, true);
    this.#view.setInt16(at + 4, events, true);
    this.#view.setInt16(at + 6, 0, true);
  }

  /** Waits on another thread. -1 if a signal came. */
  poll(): Promise<number> {
    return libc().poll(this.#address, BigInt(this.#length), -1);
  }

  /** The events of the last poll. */
  ready(index: number): number {
    return this.#view.getInt16(POLLFD_SIZE * index + 6, true);
  }

  /** Frees its memory. */
  free(): void {
    if (this.#capacity === 0) return;
    this.#capacity = 0;
    this.#view = new DataView(new ArrayBuffer(0));
    free(this.#address);
  }
}

class Reactor {
  #entries: WatchEntry[] = [];
  #changed = true;
  #running = false;
  #wakeUp: EventCounter | undefined;
  #wakeSent = false;
  /** While a poll is in flight: resolves when it has returned. */
  #parked: Promise<void> | undefined;

  watch(fd: number, events: number, handler: ReadyHandler): Watch {
    const entry = { fd, events, handler, stopped: false, paused: false };
    // Here, where a caller sees a failure.
    if (!this.#running) this.#wakeUp = new EventCounter();
    // A new array: the loop may be iterating over the old one.
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
    this.#wakeUp!.add();
  }

  async #run(): Promise<void> {
    const wakeUp = this.#wakeUp!;
    this.#running = true;
    this.#changed = true;
    const pollSet = new PollSet();
    let watched: WatchEntry[] = [];
    while (this.#entries.length > 0) {
      if (this.#changed) {
        this.#changed = false;
        watched = this.#entries;
        this.#fill(pollSet, wakeUp, watched);
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#parked = promise;
      // -1 means that a signal arrived: nothing is ready.
      const count = await pollSet.poll();
      this.#parked = undefined;
      resolve();
      if (this.#wakeSent) {
        this.#wakeSent = false;
        wakeUp.take();
      }
      if (count > 0) this.#dispatch(watched, pollSet);
    }
    this.#running = false;
    pollSet.free();
    wakeUp.close();
  }

  #fill(pollSet: PollSet, wakeUp: EventCounter, watched: WatchEntry[]): void {
    pollSet.clear(1 + watched.length);
    pollSet.add(wakeUp.fd, POLLIN);
    for (const { fd, paused, events } of watched) {
      pollSet.add(paused ? -1 : fd, events);
    }
  }

  #dispatch(watched: WatchEntry[], pollSet: PollSet): void {
    for (let index = 0; index < watched.length; index++) {
      const events = pollSet.ready(1 + index);
      const entry = watched[index];
      if (events === 0 || entry.stopped) continue;
      // The descriptor has been closed. Without this the loop would spin.
      if (events & POLLNVAL) this.#stop(entry);
      try {
        entry.handler(events);
      } catch (error) {
        reportError(error);
      }
    }
  }
}

const reactor = new Reactor();

/**
 * Calls `handler` whenever `fd` is ready for one of `events`, until the watch
 * is stopped.
 *
 * @param fd The descriptor. Stop the watch before closing it.
 * @param events POLLIN, POLLOUT or both. POLLERR and POLLHUP always count.
 * @param handler Runs on the event loop. What it throws is reported as an
 * uncaught error and does not stop the watch.
 */
export function watch(
  fd: number,
  events: number,
  handler: ReadyHandler,
): Watch {
  return reactor.watch(fd, events, handler);
}
