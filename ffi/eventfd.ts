/**
 * A counter that the kernel counts up, and that can be waited for.
 *
 * @module
 */
import { EFD_CLOEXEC, EFD_NONBLOCK } from "./abi.ts";
import { check } from "./errno.ts";
import { close } from "./file.ts";
import { libc } from "./libc.ts";

/** An eventfd. Its descriptor is readable when it was counted up. */
export class EventCounter {
  /** To be watched for POLLIN, and to be handed to whoever counts. */
  readonly fd: number;
  readonly #count = new Uint8Array(8);

  /** Makes one that is 0. */
  constructor() {
    this.fd = check(libc().eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), {
      action: "make eventfd",
      syscall: "eventfd",
    });
  }

  /** Tells whether it was counted up since the last call. Does not wait. */
  take(): boolean {
    return libc().read(this.fd, this.#count, 8n) === 8;
  }

  /** Closes it. */
  close(): void {
    close(this.fd);
  }
}
