/**
 * Does the work of systemd for a socket unit with `ListenUSBFunction=`: registers
 * a function, holds its files open, and passes them to the process that serves it.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { F_SETFD, FD_CLOEXEC, O_NONBLOCK, O_RDWR } from "../../../ffi/abi.ts";
import { close, list, open, read, write } from "../../../ffi/file.ts";
import { libc } from "../../../ffi/libc.ts";
import {
  FUNCTIONFS_EVENT_SIZE,
  FUNCTIONFS_SETUP,
} from "../../../src/compile/functionfs_abi.ts";

/** The open files of a function that another process serves. */
export class FunctionHolder implements Disposable {
  /** File descriptors by path, with `ep0` first. */
  readonly #files = new Map<string, number>();

  /** Writes the blocks of a function, and opens its files. */
  constructor(
    mountPoint: string,
    blocks: {
      readonly descriptors: Uint8Array<ArrayBuffer>;
      readonly strings: Uint8Array<ArrayBuffer>;
    },
  ) {
    const ep0 = this.#open(`${mountPoint}/ep0`);
    write(ep0, blocks.descriptors);
    write(ep0, blocks.strings);
    list(mountPoint).map(({ name }) => name).filter((name) => name !== "ep0")
      .sort().forEach((name) => this.#open(`${mountPoint}/${name}`));
  }

  /** Passes the files to processes that are started during `body`. */
  passTo<T>(body: () => T): T {
    const set = (flag: number) =>
      this.#files.forEach((fd) => libc().fcntl(fd, F_SETFD, flag));
    set(0);
    try {
      return body();
    } finally {
      set(FD_CLOEXEC);
    }
  }

  /** Hands the files over to `body`, and keeps them open with duplicates. */
  handOver<T>(body: () => T): T {
    const former = [...this.#files];
    former.forEach(([path]) => this.#open(path));
    // Of two descriptors, the lower one is used.
    former.forEach(([path, fd]) =>
      this.#files.set(path, Math.max(fd, this.#files.get(path)!))
    );
    return body();
  }

  /** Reads the event of a control request, like a process that then crashes. */
  async takeSetup(): Promise<void> {
    const [ep0] = this.#files.values();
    const event = new Uint8Array(FUNCTIONFS_EVENT_SIZE);
    const end = performance.now() + 60_000;
    for (;;) {
      try {
        read(ep0, event);
        if (event[8] === FUNCTIONFS_SETUP) return;
      } catch (error) {
        const late = performance.now() > end;
        if (late || !(error instanceof Deno.errors.WouldBlock)) throw error;
        await delay(5);
      }
    }
  }

  /** Closes the files, which ends the function if no other process has them. */
  [Symbol.dispose](): void {
    this.#files.forEach(close);
    this.#files.clear();
  }

  #open(path: string): number {
    const fd = open(path, O_RDWR | O_NONBLOCK);
    this.#files.set(path, fd);
    return fd;
  }
}
