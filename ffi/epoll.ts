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
  readonly #event: Uint8Array<ArrayBuffer>;

  /** Begins to look at a file. What was before is one edge. */
  constructor(fileDescriptor: number) {
    const { epoll_create1, epoll_ctl } = libc();
    this.fd = check(epoll_create1(EPOLL_CLOEXEC), {
      action: "make epoll instance",
      syscall: "epoll_create1",
    });
    // struct epoll_event: u32 events, u64 data
    this.#event = new Uint8Array(architectureNumbers().EPOLL_EVENT_SIZE);
    const view = new DataView(this.#event.buffer);
    view.setUint32(0, (EPOLLWRNORM | EPOLLET) >>> 0, true);
    try {
      check(epoll_ctl(this.fd, EPOLL_CTL_ADD, fileDescriptor, this.#event), {
        action: "watch file",
        syscall: "epoll_ctl",
      });
    } catch (error) {
      close(this.fd);
      throw error;
    }
  }

  /** Tells whether there was an edge since the last call. Does not wait. */
  take(): boolean {
    return libc().epoll_wait(this.fd, this.#event, 1, 0) > 0;
  }

  /** Closes the instance. */
  close(): void {
    close(this.fd);
  }
}
