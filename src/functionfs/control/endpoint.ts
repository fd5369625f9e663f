/**
 * Endpoint 0 of a function: its events, and its control requests in turn.
 *
 * After a SETUP event is read, the next read or write of `ep0` is the answer,
 * and no event can be read before it. Any new event cancels the request
 * (`__ffs_event_add()` in `f_fs.c`). The file is ready all the time meanwhile,
 * so only an edge reveals the new event.
 *
 * An answer waits in the kernel until the host has finished the request, even
 * with O_NONBLOCK. It runs on a thread of Deno's pool, where errno is lost: a
 * failed answer means that the host has given up.
 *
 * When the handler of a request starts, code that awaits the answer to the
 * previous request has run: the host reads back what it has written. If that is
 * code of the program, events are read in a later turn of the event loop. Code
 * that awaits data of the host has run as well: see `earlier_data.ts`.
 *
 * @module
 */
import { POLLIN } from "../../../ffi/abi.ts";
import { EdgeDetector } from "../../../ffi/epoll.ts";
import { Errno, systemError } from "../../../ffi/errno.ts";
import { type Watch, watch } from "../../../ffi/reactor.ts";
import {
  FUNCTIONFS_EVENT_SIZE,
  FUNCTIONFS_MAX_EVENTS,
  FUNCTIONFS_SETUP,
} from "../../compile/functionfs_abi.ts";
import { ControlBurst } from "./burst.ts";
import type { EarlierData } from "./earlier_data.ts";
import { ControlFile } from "./file.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { Setup, type SetupAnswers, type SetupReports } from "./setup.ts";

/** Reports that the kernel has queued an event. */
export interface EventNotice {
  /** Readable after an event. */
  readonly fd: number;
  /** Returns whether an event was queued since the last call. */
  take(): boolean;
  close(): void;
}

/** What a control endpoint is made from. */
export interface ControlEndpointOptions {
  /** `ep0` of a registered function, nonblocking. */
  readonly fd: number;
  readonly path: string;
  readonly lifecycle: Lifecycle;
  /** What must be with the program before a request. */
  readonly earlier: Pick<EarlierData, "collect" | "afterwards">;
  /** By default, the edges of `ep0` itself. */
  readonly notice?: EventNotice;
  /** Answers a request. */
  readonly onSetup: (setup: Setup) => void;
  readonly reports: SetupReports;
  /** Gets the reason why no more events can be read. */
  readonly onFailure: (error: Error) => void;
}

/**
 * An event arrived while an answer is in the kernel: the host has left or moved
 * on. Most controllers have ended the answer by then; otherwise it is
 * interrupted after this many milliseconds.
 */
const OVERDUE_MS = 100;
/** A thread may be about to enter the kernel when it is interrupted. */
const INTERRUPT_AGAIN_MS = 5;

/** The open `ep0` file of a function. */
export class ControlEndpoint implements SetupAnswers {
  readonly #file: ControlFile;
  readonly #notice: EventNotice;
  readonly #options: ControlEndpointOptions;
  readonly #events = new Uint8Array(
    FUNCTIONFS_EVENT_SIZE * FUNCTIONFS_MAX_EVENTS,
  );
  readonly #watch: Watch;
  readonly #burst: ControlBurst;
  /** The request that was read and not answered. */
  #current: Setup | undefined;
  /** Its answer, while in the kernel. */
  #answering: Promise<number> | undefined;
  /** Whether code that awaits the last request is about to run. */
  #settling = false;
  /** Whether a notified event could not be read yet. */
  #unread = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #filesClosed = false;
  #interruptFailed = false;

  /** Begins to handle events. Keeps the process alive until {@linkcode close}. */
  constructor(options: ControlEndpointOptions) {
    this.#options = options;
    this.#notice = options.notice ?? new EdgeDetector(options.fd);
    try {
      this.#file = new ControlFile(options.fd, options.path);
    } catch (error) {
      this.#notice.close();
      throw error;
    }
    this.#watch = watch(this.#notice.fd, POLLIN, () => this.#onNotice());
    this.#burst = new ControlBurst(this.#notice.fd, this.#watch);
  }

  /** Whether the kernel has events to read now, and not only a request. */
  get hasUnread(): boolean {
    return !this.#closed && this.#current === undefined &&
      this.#answering === undefined && this.#file.hasEvents();
  }

  /**
   * Continues where another process has stopped: stalls a request that it has
   * read and not answered, and handles pending events.
   */
  takeOver(): void {
    // This process has no request before it reads an event.
    if (this.#closed || this.#current !== undefined) return;
    this.#file.abandon();
    this.#notice.take();
    this.#readEvents();
  }

  /**
   * Stops handling events and closes the file. A request that waits for its
   * answer is stalled.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#burst.end();
    await this.#watch.stop();
    if (this.#answering !== undefined) {
      // The kernel may wait for a host that has left unnoticed.
      this.#interrupt();
      await this.#answering;
    } else if (this.#current !== undefined) {
      this.#withdraw(this.#current);
    }
    this.closeNow();
  }

  /** Closes the file at once, when the process is about to end. */
  closeNow(): void {
    this.#closed = true;
    if (this.#filesClosed) return;
    this.#filesClosed = true;
    this.#burst.end();
    this.#notice.close();
    this.#file.close();
  }

  send(setup: Setup, data: Uint8Array): Promise<number> {
    return this.#answer(setup, () => this.#file.send(data, this.#maySucceed));
  }

  take(setup: Setup, buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    return this.#answer(setup, () => this.#file.take(buffer, this.#maySucceed));
  }

  refuse(setup: Setup): void {
    if (setup !== this.#current) return;
    if (this.#file.stall(setup.direction)) setup.cancel();
    this.#settle();
  }

  #answer(setup: Setup, run: () => Promise<number>): Promise<number> {
    if (setup !== this.#current || this.#closed) return Promise.resolve(-1);
    return this.#answering = this.#complete(setup, run);
  }

  async #complete(setup: Setup, run: () => Promise<number>): Promise<number> {
    // Read now: a handler may return before the answer that it gave is over.
    const { handled } = setup;
    const count = await run();
    // Whatever the reason, the kernel must not keep waiting for an answer.
    if (count < 0 && this.#file.waits()) this.#file.stall(setup.direction);
    this.#answering = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (handled) this.#goOn();
    else this.#settle();
    return count;
  }

  /** After a failure: whether a signal was the cause, and the request waits. */
  readonly #maySucceed = (): boolean =>
    !this.#closed && !this.#unread && this.#file.waits();

  /**
   * Makes the answer return from the kernel. Retries if that fails for lack of
   * file descriptors.
   */
  #interrupt(): void {
    clearTimeout(this.#timer);
    try {
      this.#file.interrupt();
    } catch (error) {
      if (!this.#interruptFailed) this.#options.lifecycle.events.report(error);
      this.#interruptFailed = true;
    }
    this.#timer = setTimeout(() => this.#interrupt(), INTERRUPT_AGAIN_MS);
  }

  /**
   * The request is over, and code of the program awaits it. Continues in a turn
   * of the event loop after this turn's microtasks.
   */
  #settle(): void {
    this.#current = undefined;
    this.#settling = true;
    setImmediate(() => this.#goOn());
  }

  /** The request is over. Reads later events. */
  #goOn(): void {
    this.#current = undefined;
    this.#settling = false;
    if (this.#closed) return;
    if (!this.#unread && !this.#burst.waitForNext()) return;
    this.#unread = false;
    this.#notice.take();
    this.#readEvents();
  }

  #onNotice(): void {
    if (!this.#notice.take()) return;
    if (this.#answering !== undefined) {
      this.#unread = true;
      this.#timer ??= setTimeout(() => this.#interrupt(), OVERDUE_MS);
    } else if (this.#settling) {
      this.#unread = true;
    } else if (this.#current === undefined) {
      this.#readEvents();
    } else if (this.#isOver(this.#current)) {
      this.#unread = true;
      this.#withdraw(this.#current);
    }
  }

  /**
   * After a notice: whether the event came after the request, and so cancelled
   * it, or just before.
   */
  #isOver(setup: Setup): boolean {
    return !wantsData(setup) || this.#file.wasCancelled();
  }

  /** Takes the request back from the kernel, and cancels it for its handler. */
  #withdraw(setup: Setup): void {
    this.#file.stall(setup.direction);
    setup.cancel();
    this.#settle();
  }

  #readEvents(): void {
    const length = this.#file.readEvents(this.#events);
    if (length >= 0) return this.#handle(length);
    // The next event may arrive at any time: the reactor has to watch again.
    if (length === -Errno.EAGAIN) {
      this.#options.lifecycle.apply([]);
      return this.#burst.end();
    }
    this.#watch.stop();
    this.#options.onFailure(systemError(-length, {
      action: "read events",
      syscall: "read",
      path: this.#options.path,
    }));
  }

  #handle(length: number): void {
    const { lifecycle, reports, earlier } = this.#options;
    const types: number[] = [];
    let setup: Setup | undefined;
    for (let at = 0; at < length; at += FUNCTIONFS_EVENT_SIZE) {
      const type = this.#events[at + 8];
      if (type !== FUNCTIONFS_SETUP) types.push(type);
      else setup = new Setup(this.#events.subarray(at), this, reports);
    }
    if (setup !== undefined) {
      this.#current = setup;
      // An event may have arrived between a notice and the read. Its own notice
      // would look like that of an event after the request.
      if (!wantsData(setup)) this.#unread = this.#notice.take();
    }
    earlier.collect();
    lifecycle.apply(types);
    if (setup === undefined) return this.#burst.end();
    lifecycle.use();
    setup.session = lifecycle.session;
    earlier.afterwards(() => this.#dispatch(setup));
  }

  #dispatch(setup: Setup): void {
    // The host may have given up, or the function been closed.
    if (setup !== this.#current || this.#closed) return;
    this.#options.onSetup(setup);
    // Any event can cancel a request that is not answered yet.
    if (this.#answering !== undefined) this.#burst.onAnswer();
    else this.#burst.end();
  }
}

/** Whether the host wants data. If so, the kernel can report a cancellation. */
function wantsData({ direction, length }: Setup): boolean {
  return direction === "in" && length > 0;
}
