/**
 * USB request blocks: submits them, reaps them when the reactor reports them, and
 * discards them.
 *
 * The kernel writes into a URB and its data only while it is reaped. Both are kept
 * here until then.
 *
 * @module
 */
import { POLLERR, POLLHUP, POLLOUT } from "../../../ffi/abi.ts";
import { Errno, errorOf } from "../../../ffi/errno.ts";
import { ERRNO, libc } from "../../../ffi/libc.ts";
import { addressOf } from "../../../ffi/memory.ts";
import { type Watch, watch } from "../../../ffi/reactor.ts";
import {
  decodeUrb,
  encodeUrb,
  USBDEVFS_DISCARDURB,
  USBDEVFS_REAPURBNDELAY,
  USBDEVFS_SUBMITURB,
} from "./abi.ts";

/** A request for a URB. */
export interface UrbRequest {
  /** One of `UrbType`. */
  readonly type: number;
  /** bEndpointAddress: with 0x80 for IN. */
  readonly endpoint: number;
  /** USBDEVFS_URB_* bits; none by default. */
  readonly flags?: number;
  /** The data; for a control URB a setup packet and the data. */
  readonly buffer: Uint8Array<ArrayBuffer>;
}

/** The result of a URB. */
export interface UrbCompletion {
  /** 0, or a negative error number. */
  readonly status: number;
  /** Transferred bytes without the setup packet, also after an error. */
  readonly actualLength: number;
  /** Whether the kernel accepted the URB. If not, the status is the reason. */
  readonly submitted: boolean;
}

/** A submitted URB. */
export class Urb {
  readonly request: UrbRequest;
  /** Resolves when the URB has ended in any way. Never rejects. */
  readonly completion: Promise<UrbCompletion>;
  /** @ignore */
  readonly memory: Uint8Array<ArrayBuffer>;
  /** @ignore */
  readonly address: bigint;
  readonly #discard: (urb: Urb) => void;
  readonly #settle: (completion: UrbCompletion) => void;

  /** Created by {@linkcode UrbQueue.submit}. */
  constructor(request: UrbRequest, discard: (urb: Urb) => void) {
    const { buffer } = request;
    this.request = request;
    this.memory = encodeUrb({
      ...request,
      buffer: buffer.byteLength === 0 ? 0n : addressOf(buffer),
      length: buffer.byteLength,
    });
    this.address = addressOf(this.memory);
    this.#discard = discard;
    const { promise, resolve } = Promise.withResolvers<UrbCompletion>();
    this.completion = promise;
    this.#settle = resolve;
  }

  /**
   * Discards the URB. It completes with -ENOENT, or with its result if that came
   * first.
   */
  discard(): void {
    this.#discard(this);
  }

  /** @ignore */
  settle(completion: UrbCompletion): void {
    this.#settle(completion);
  }
}

/** The time in which the kernel returns the URBs of a device that is gone. */
const GONE_TIMEOUT_MS = 2000;
const GONE_POLL_MS = 2;

function closedError(action: string): Error {
  return errorOf(Errno.EBADF, `Cannot ${action}: the device is closed`, {
    syscall: "ioctl",
  });
}

/** The URBs of one open usbfs file. */
export class UrbQueue {
  readonly #fd: number;
  /** URBs in the kernel, by address. */
  readonly #pending = new Map<bigint, Urb>();
  /** URBs held back while an {@linkcode exclusive} call runs. */
  #waiting: Urb[] = [];
  readonly #discards = new Set<Urb>();
  readonly #reaped = new BigUint64Array(1);
  readonly #reapedBytes = new Uint8Array(this.#reaped.buffer);
  #watch: Watch | undefined;
  #paused = false;
  #gone = false;
  #drainTimer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #lastExclusive: Promise<unknown> = Promise.resolve();

  /** Watches an open file, and keeps the process alive until it is closed. */
  constructor(fd: number) {
    this.#fd = fd;
    this.#startWatch();
  }

  /** Submits a URB; those of one endpoint run in order. */
  submit(request: UrbRequest): Urb {
    if (this.#closed) {
      throw closedError("submit a URB");
    }
    const urb = new Urb(request, () => this.#discard(urb));
    if (this.#paused) this.#waiting.push(urb);
    else this.#submit(urb);
    return urb;
  }

  /**
   * Runs a call that holds the device's lock in the kernel for a long time. Any other
   * call on the file would block the event loop on that lock, so nothing is
   * submitted, reaped or discarded until it has finished.
   */
  exclusive<T>(run: () => T | Promise<T>): Promise<T> {
    const result = this.#lastExclusive.then(async () => {
      if (this.#closed) {
        throw closedError("control the device");
      }
      this.#paused = true;
      await this.#stopWatch();
      try {
        return await run();
      } finally {
        this.#resume();
      }
    });
    this.#lastExclusive = result.catch(() => {});
    return result;
  }

  /** Discards all URBs, and resolves when none are left and the file may be closed. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#drainTimer);
    await this.#lastExclusive;
    await this.#stopWatch();
    for (const urb of this.#pending.values()) this.#discard(urb);
    this.#reap();
    // Only after the device disappeared: URBs that the kernel still has are never
    // reaped, and therefore never written to.
    this.#abandon(-Errno.ENOENT);
  }

  #submit(urb: Urb): void {
    if (
      libc().ioctl_pointer(this.#fd, BigInt(USBDEVFS_SUBMITURB), urb.memory) < 0
    ) {
      const status = -ERRNO[0];
      urb.settle({ status, actualLength: 0, submitted: false });
    } else {
      this.#pending.set(urb.address, urb);
    }
  }

  #discard(urb: Urb): void {
    const waiting = this.#waiting.indexOf(urb);
    if (waiting >= 0) {
      this.#waiting.splice(waiting, 1);
      const status = -Errno.ENOENT;
      urb.settle({ status, actualLength: 0, submitted: false });
    } else if (this.#pending.get(urb.address) !== urb) {
      return;
    } else if (this.#paused) {
      this.#discards.add(urb);
    } else {
      // Waits briefly until the controller has returned the URB. Fails with EINVAL
      // if it has already ended, and with ENODEV without a device.
      libc().ioctl(this.#fd, BigInt(USBDEVFS_DISCARDURB), urb.address);
    }
  }

  #resume(): void {
    this.#paused = false;
    for (const urb of this.#discards) this.#discard(urb);
    this.#discards.clear();
    for (const urb of this.#waiting.splice(0)) this.#submit(urb);
    this.#startWatch();
  }

  #startWatch(): void {
    if (this.#gone || this.#closed) return;
    this.#watch ??= watch(this.#fd, POLLOUT, (events) => {
      this.#reap();
      if (events & (POLLHUP | POLLERR)) this.#onGone();
    });
  }

  async #stopWatch(): Promise<void> {
    const stopped = this.#watch?.stop();
    this.#watch = undefined;
    await stopped;
  }

  /** Reaps all URBs that have ended. */
  #reap(): void {
    const { ioctl_pointer } = libc();
    for (;;) {
      const result = ioctl_pointer(
        this.#fd,
        BigInt(USBDEVFS_REAPURBNDELAY),
        this.#reapedBytes,
      );
      if (result < 0) {
        if (ERRNO[0] === Errno.EINTR) continue;
        // EAGAIN: no more URBs. ENODEV: no more, and the device is gone.
        return;
      }
      const urb = this.#pending.get(this.#reaped[0]);
      if (urb === undefined) continue;
      this.#pending.delete(urb.address);
      urb.settle({ ...decodeUrb(urb.memory), submitted: true });
    }
  }

  /**
   * POLLHUP is set from the time the host notices the disappearance until the file
   * is closed, and would be reported continuously. The kernel returns the device's
   * URBs a little later, without an event to wait for.
   */
  #onGone(): void {
    this.#gone = true;
    this.#stopWatch();
    const end = performance.now() + GONE_TIMEOUT_MS;
    const drain = () => {
      this.#reap();
      if (this.#pending.size === 0) return;
      if (performance.now() > end) this.#abandon(-Errno.ENODEV);
      else this.#drainTimer = setTimeout(drain, GONE_POLL_MS);
    };
    drain();
  }

  #abandon(status: number): void {
    for (const urb of [...this.#pending.values(), ...this.#waiting]) {
      urb.settle({ status, actualLength: 0, submitted: false });
    }
    this.#pending.clear();
    this.#waiting = [];
  }
}
