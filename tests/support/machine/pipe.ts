/**
 * Pipes and eventfds for tests that need a file descriptor.
 *
 * @module
 */
import {
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  O_CLOEXEC,
  O_NONBLOCK,
} from "../../../ffi/abi.ts";
import { check } from "../../../ffi/errno.ts";
import { close } from "../../../ffi/file.ts";
import { ERRNO, libc } from "../../../ffi/libc.ts";
import { testLibc } from "./libc.ts";

/** A pipe with nonblocking ends. */
export interface Pipe extends Disposable {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/** Creates a pipe, whose ends are closed on disposal. */
export function pipe(): Pipe {
  const ends = new Int32Array(2);
  check(testLibc.pipe2(ends, O_NONBLOCK | O_CLOEXEC), ERRNO[0], {
    action: "make pipe",
    syscall: "pipe2",
  });
  const [readEnd, writeEnd] = ends;
  return {
    readEnd,
    writeEnd,
    [Symbol.dispose]() {
      close(readEnd);
      close(writeEnd);
    },
  };
}

/** Creates an eventfd, which is closed on disposal. */
export function eventFd(initial = 0): { fd: number } & Disposable {
  const fd = check(
    libc().eventfd(initial, EFD_NONBLOCK | EFD_CLOEXEC),
    ERRNO[0],
    {
      action: "make eventfd",
      syscall: "eventfd",
    },
  );
  return { fd, [Symbol.dispose]: () => close(fd) };
}
