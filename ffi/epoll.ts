/**
 * Edges instead of levels: notices every wake-up of one file, also while the
 * file is ready all the time.
 *
 * @module
 */
import {
  architectureNumbers,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  EPOLLET,
  EPOLLWRNORM,
} from "./abi.ts";
import { check } from "./errno.ts";
import { close } from "./file.ts";
import { libc } from "./libc.ts";

/**
 * An epoll instance on one file, edge-triggered. Its descriptor is readable
 * when the driver has woken the file's waiters since the last look.
 *
 * It waits for POLLWRNORM, so it is for files that always say so, as `ep0` of
 * FunctionFS does: only then is every wake-up an edge. Any other bit depends
 * on what the file is ready for when the wake-up is looked at, which on a
 * nonblocking `ep0` fails while another thread has it locked, and the edge
 * would be lost.
 */
export class EdgeDetector {
  /** To be watched for POLLIN. */
  readonly fd: number;
  readonly #file: number;
  readonly #interest: Uint8Array<ArrayBuffer>;
  readonly #ready: Uint8Array<ArrayBuffer>;

  /** Begins to look at a file. What was before is one edge. */
  constructor(fileDescriptor: number) {
    this.#file = fileDescriptor;
    this.fd = check(libc().epoll_create1(EPOLL_CLOEXEC), {
      action: "make epoll instance",
      syscall: "epoll_create1",
    });
    // struct epoll_event: u32 events, u64 data
    const size = architectureNumbers().EPOLL_EVENT_SIZE;
    this.#interest = new Uint8Array(size);
    this.#ready = new Uint8Array(size);
    new DataView(this.#interest.buffer)
      .setUint32(0, (EPOLLWRNORM | EPOLLET) >>> 0, true);
    try {
      this.#control(EPOLL_CTL_ADD);
    } catch (error) {
      close(this.fd);
      throw error;
    }
  }

  /** Tells whether there was an edge since the last call. Does not wait. */
  take(): boolean {
    return libc().epoll_wait(this.fd, this.#ready, 1, 0) > 0;
  }

  /** Makes an edge. */
  again(): void {
    this.#control(EPOLL_CTL_MOD);
  }

  /** Closes the instance. */
  close(): void {
    close(this.fd);
  }

  #control(operation: number): void {
    const { epoll_ctl } = libc();
    check(epoll_ctl(this.fd, operation, this.#file, this.#interest), {
      action: "watch file",
      syscall: "epoll_ctl",
    });
  }
}
