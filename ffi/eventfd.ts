/**
 * A counter that a poll can wait for.
 *
 * @module
 */
import { EFD_CLOEXEC, EFD_NONBLOCK } from "./abi.ts";
import { check } from "./errno.ts";
import { close } from "./file.ts";
import { ERRNO, libc } from "./libc.ts";

/** An eventfd that starts at 0. */
export class EventCounter {
  /** Ready for POLLIN while the counter is not 0. */
  readonly fd: number;
  readonly #count = new Uint8Array(8);

  /** Opens the eventfd. */
  constructor() {
    this.fd = check(libc().eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), ERRNO[0], {
      action: "make eventfd",
      syscall: "eventfd",
    });
  }

  /** Increments the counter. */
  add(): void {
    libc().write(this.fd, ONE, 8n);
  }

  /** Resets the counter; returns whether it was incremented. Does not wait. */
  take(): boolean {
    return libc().read(this.fd, this.#count, 8n) === 8;
  }

  /** Closes it. */
  close(): void {
    close(this.fd);
  }
}

const ONE = new Uint8Array(BigUint64Array.of(1n).buffer);
