/**
 * Endpoint 0 of a function: the handshake, the events, the control requests.
 *
 * @module
 */
import { POLLIN } from "../../ffi/abi.ts";
import { Errno, lastErrno, systemError } from "../../ffi/errno.ts";
import { close, write } from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import { type Watch, watch } from "../../ffi/reactor.ts";
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

/** The bit of `bRequestType` that says that the host wants data. */
const USB_DIR_IN = 0x80;

/** The open `ep0` file of a function. */
export class ControlEndpoint {
  readonly #fd: number;
  readonly #path: string;
  readonly #lifecycle: Lifecycle;
  readonly #events = new Uint8Array(
    FUNCTIONFS_EVENT_SIZE * FUNCTIONFS_MAX_EVENTS,
  );
  #watch: Watch | undefined;

  /** Takes over an open `ep0`. */
  constructor(fd: number, path: string, lifecycle: Lifecycle) {
    this.#fd = fd;
    this.#path = path;
    this.#lifecycle = lifecycle;
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
    this.#watch = watch(this.#fd, POLLIN, () => this.#readEvents());
  }

  /** Stops handling events and closes the file. */
  async close(): Promise<void> {
    await this.#watch?.stop();
    close(this.#fd);
  }

  /** Closes the file at once, when the process is about to end. */
  closeNow(): void {
    close(this.#fd);
  }

  #readEvents(): void {
    const { read } = libc();
    for (;;) {
      const length = read(
        this.#fd,
        this.#events,
        BigInt(this.#events.byteLength),
      );
      if (length < 0) {
        const errno = lastErrno();
        if (errno === Errno.EAGAIN) return;
        // EIDRM: the host has given up a request that we had not answered.
        if (errno === Errno.EINTR || errno === Errno.EIDRM) continue;
        throw systemError(errno, {
          action: "read events",
          syscall: "read",
          path: this.#path,
        });
      }
      for (let at = 0; at < length; at += FUNCTIONFS_EVENT_SIZE) {
        this.#onEvent(this.#events[at + 8], this.#events[at]);
      }
    }
  }

  #onEvent(type: number, requestType: number): void {
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
      case FUNCTIONFS_SETUP:
        return this.#stall(requestType);
    }
  }

  /**
   * Refuses a control request: by I/O in the direction that the host did not
   * ask for, which answers EL2HLT at once. EIDRM means that the host does not
   * wait any more, which is as good.
   */
  #stall(requestType: number): void {
    const { read, write } = libc();
    if (requestType & USB_DIR_IN) read(this.#fd, NOTHING, 0n);
    else write(this.#fd, NOTHING, 0n);
  }
}

const NOTHING = new Uint8Array(8);
