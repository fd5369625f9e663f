/**
 * Endpoint 0 of a function: the handshake, the events, the control requests.
 *
 * After a SETUP event was read, the next read or write of `ep0` is the answer,
 * and no event can be read before it. Any new event cancels the request
 * (`__ffs_event_add()` in `f_fs.c`); the file is ready all the time meanwhile,
 * so that only an edge shows the new event.
 *
 * An answer waits in the kernel until the host has finished the request, with
 * O_NONBLOCK as well. It runs on a thread of Deno's pool, where errno is lost:
 * a failed answer means that the host does not wait any more.
 *
 * @module
 */
import { POLLIN, POLLOUT } from "../../ffi/abi.ts";
import { EdgeDetector } from "../../ffi/epoll.ts";
import { Errno, lastErrno, systemError } from "../../ffi/errno.ts";
import { close, write } from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import { type Watch, watch } from "../../ffi/reactor.ts";
import { interruptThreads } from "../../ffi/thread.ts";
import {
  FUNCTIONFS_BIND,
  FUNCTIONFS_DISABLE,
  FUNCTIONFS_ENABLE,
  FUNCTIONFS_EVENT_SIZE,
  FUNCTIONFS_MAX_EVENTS,
  FUNCTIONFS_RESUME,
  FUNCTIONFS_SETUP,
  FUNCTIONFS_SUSPEND,
  FUNCTIONFS_UNBIND,
} from "./abi.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { Setup, type SetupAnswers } from "./setup.ts";

/** The open `ep0` file of a function. */
export class ControlEndpoint implements SetupAnswers {
  readonly #fd: number;
  readonly #path: string;
  readonly #lifecycle: Lifecycle;
  readonly #onSetup: (setup: Setup) => void;
  readonly #events = new Uint8Array(
    FUNCTIONFS_EVENT_SIZE * FUNCTIONFS_MAX_EVENTS,
  );
  #edges: EdgeDetector | undefined;
  #watch: Watch | undefined;
  /** The request that was read and not answered. */
  #current: Setup | undefined;
  /** Its answer, while that is with the kernel. */
  #answering: Promise<number> | undefined;
  #closed = false;

  /**
   * Takes over an open `ep0`.
   *
   * @param onSetup Sees to it that a request is answered.
   */
  constructor(
    fd: number,
    path: string,
    lifecycle: Lifecycle,
    onSetup: (setup: Setup) => void,
  ) {
    this.#fd = fd;
    this.#path = path;
    this.#lifecycle = lifecycle;
    this.#onSetup = onSetup;
  }

  /** Tells the kernel what the function is. Its endpoint files appear. */
  handshake(
    descriptors: Uint8Array<ArrayBuffer>,
    strings: Uint8Array<ArrayBuffer>,
  ): void {
    write(this.#fd, descriptors, {
      action: "write descriptors",
      path: this.#path,
    });
    write(this.#fd, strings, { action: "write strings", path: this.#path });
  }

  /** Begins to handle events. Keeps the process alive until {@linkcode close}. */
  listen(): void {
    this.#edges = new EdgeDetector(this.#fd);
    this.#watch = watch(this.#edges.fd, POLLIN, () => this.#onEdge());
  }

  /**
   * Stops handling events and closes the file. A request that waits for its
   * answer is stalled.
   */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#watch?.stop();
    if (this.#answering !== undefined) {
      await this.#interruptAnswer();
    } else if (this.#current !== undefined) {
      this.#withdraw();
    }
    this.#edges?.close();
    close(this.#fd);
  }

  /** Closes the file at once, when the process is about to end. */
  closeNow(): void {
    this.#closed = true;
    close(this.#fd);
  }

  /** {@inheritDoc SetupAnswers.send} */
  send(setup: Setup, data: Uint8Array<ArrayBuffer>): Promise<number> {
    const { write_blocking } = libc();
    return this.#answer(
      setup,
      () => write_blocking(this.#fd, data, BigInt(data.byteLength)),
    );
  }

  /** {@inheritDoc SetupAnswers.take} */
  take(setup: Setup, buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    const { read_blocking } = libc();
    return this.#answer(
      setup,
      () => read_blocking(this.#fd, buffer, BigInt(buffer.byteLength)),
    );
  }

  /** {@inheritDoc SetupAnswers.refuse} */
  refuse(setup: Setup): void {
    if (setup !== this.#current) return;
    this.#current = undefined;
    if (this.#contradict(setup) === Errno.EIDRM) setup.cancel();
    // Not from inside the caller: it may be the handler of the next request.
    queueMicrotask(() => this.#readEvents());
  }

  async #answer(setup: Setup, run: () => Promise<number>): Promise<number> {
    if (setup !== this.#current || this.#closed) return -1;
    this.#answering = run();
    let count = await this.#answering;
    // A signal has interrupted the call; the request is where it was.
    for (let again = 0; again < 3 && this.#retry(count); again++) {
      this.#answering = run();
      count = await this.#answering;
    }
    this.#answering = undefined;
    this.#current = undefined;
    if (count < 0 && this.#unanswered()) this.#contradict(setup);
    this.#readEvents();
    return count;
  }

  #retry(count: number): boolean {
    return count < 0 && !this.#closed && this.#unanswered();
  }

  /** The kernel may wait for a host that has left without a word. */
  async #interruptAnswer(): Promise<void> {
    const timer = setInterval(() => interruptThreads(this.#fd), 5);
    try {
      await this.#answering;
    } finally {
      clearInterval(timer);
    }
  }

  /** Whether the kernel has a request that waits, or was cancelled. */
  #unanswered(): boolean {
    const fds = new DataView(new ArrayBuffer(8)); // struct pollfd
    fds.setInt32(0, this.#fd, true);
    fds.setInt16(4, POLLOUT, true);
    libc().poll_now(fds, 1n, 0);
    return (fds.getInt16(6, true) & POLLOUT) !== 0;
  }

  /**
   * Does I/O in the direction that the request does not have. It never waits:
   * EL2HLT says that the request was stalled, EIDRM that it was cancelled.
   */
  #contradict(setup: Setup): number {
    const { read, write } = libc();
    const result = setup.direction === "in"
      ? read(this.#fd, NOTHING, 0n)
      : write(this.#fd, NOTHING, 0n);
    return result < 0 ? lastErrno() : 0;
  }

  /** Takes the request back that the kernel has, and tells its handler. */
  #withdraw(): void {
    const setup = this.#current!;
    this.#current = undefined;
    this.#contradict(setup);
    setup.cancel();
  }

  #onEdge(): void {
    if (!this.#edges!.take()) return;
    // The end of the answer reads the events.
    if (this.#answering !== undefined) return;
    // An event that came after the request: the kernel has cancelled it.
    if (this.#current !== undefined) this.#withdraw();
    this.#readEvents();
  }

  /** Reads events until there are none, or one is a request. */
  #readEvents(): void {
    const { read } = libc();
    const size = BigInt(this.#events.byteLength);
    while (!this.#closed && this.#current === undefined) {
      // An edge of an event that is about to be read says nothing later.
      this.#edges!.take();
      const length = read(this.#fd, this.#events, size);
      if (length < 0) {
        const errno = lastErrno();
        if (errno === Errno.EAGAIN) return;
        if (errno === Errno.EINTR || errno === Errno.EIDRM) continue;
        throw systemError(errno, {
          action: "read events",
          syscall: "read",
          path: this.#path,
        });
      }
      this.#handle(this.#events.subarray(0, length));
    }
  }

  #handle(events: Uint8Array): void {
    const types: number[] = [];
    let setup: Setup | undefined;
    for (let at = 0; at < events.byteLength; at += FUNCTIONFS_EVENT_SIZE) {
      const type = events[at + 8];
      if (type === FUNCTIONFS_SETUP) {
        setup = new Setup(events.subarray(at), this);
      } else {
        types.push(type);
      }
    }
    types.forEach((type, index) => {
      // Device controllers announce a disconnect by a suspend.
      const leaves = types.slice(index + 1).some((later) =>
        later === FUNCTIONFS_UNBIND || later === FUNCTIONFS_DISABLE
      );
      if (type !== FUNCTIONFS_SUSPEND || !leaves) this.#changeLevel(type);
    });
    if (setup === undefined) return;
    this.#current = setup;
    this.#onSetup(setup);
  }

  #changeLevel(type: number): void {
    switch (type) {
      case FUNCTIONFS_BIND:
        return this.#lifecycle.bind();
      case FUNCTIONFS_UNBIND:
        return this.#lifecycle.unbind();
      case FUNCTIONFS_ENABLE:
        return this.#lifecycle.enable();
      case FUNCTIONFS_DISABLE:
        return this.#lifecycle.disable();
      case FUNCTIONFS_SUSPEND:
        return this.#lifecycle.suspend();
      case FUNCTIONFS_RESUME:
        return this.#lifecycle.resume();
    }
  }
}

const NOTHING = new Uint8Array(8);
