/**
 * The functions of libc for files that are read and written at any place. Opened
 * on first use: most gadgets have no such files.
 *
 * Calls that may wait for the disk run on a thread of Deno's pool. It can outlive
 * the isolate, so their memory is an address: see native_memory.ts.
 *
 * @module
 */
import { openLibc } from "../libc.ts";

const SYMBOLS = {
  pread_blocking: {
    name: "pread",
    parameters: [
      "i32", // int fd
      "usize", // void *buf
      "usize", // size_t count
      "i64", // off_t offset
    ],
    result: "i32", // ssize_t, see read in ffi/symbols.ts
    nonblocking: true,
  },
  pwrite_blocking: {
    name: "pwrite",
    parameters: [
      "i32", // int fd
      "usize", // const void *buf
      "usize", // size_t count
      "i64", // off_t offset
    ],
    result: "i32", // ssize_t
    nonblocking: true,
  },
  fdatasync_blocking: {
    name: "fdatasync",
    parameters: ["i32"], // int fd
    result: "i32",
    nonblocking: true,
  },
  fallocate_blocking: {
    name: "fallocate",
    parameters: [
      "i32", // int fd
      "i32", // int mode
      "i64", // off_t offset
      "i64", // off_t len
    ],
    result: "i32",
    nonblocking: true,
  },
  fallocate: {
    parameters: [
      "i32", // int fd
      "i32", // int mode
      "i64", // off_t offset
      "i64", // off_t len
    ],
    result: "i32",
  },
  preadv2: {
    parameters: [
      "i32", // int fd
      "buffer", // const struct iovec *iov
      "i32", // int iovcnt
      "i64", // off_t offset
      "i32", // int flags
    ],
    result: "i32", // ssize_t
  },
  pwritev2: {
    parameters: [
      "i32", // int fd
      "buffer", // const struct iovec *iov
      "i32", // int iovcnt
      "i64", // off_t offset
      "i32", // int flags
    ],
    result: "i32", // ssize_t
  },
  openat: {
    parameters: [
      "i32", // int dirfd
      "buffer", // const char *pathname
      "i32", // int flags
      "u32", // mode_t mode, variadic
    ],
    result: "i32",
  },
  statx: {
    parameters: [
      "i32", // int dirfd
      "buffer", // const char *pathname
      "i32", // int flags
      "u32", // unsigned int mask
      "buffer", // struct statx *statxbuf
    ],
    result: "i32",
  },
  mkdirat: {
    parameters: [
      "i32", // int dirfd
      "buffer", // const char *pathname
      "u32", // mode_t mode
    ],
    result: "i32",
  },
  unlinkat: {
    parameters: [
      "i32", // int dirfd
      "buffer", // const char *pathname
      "i32", // int flags
    ],
    result: "i32",
  },
  linkat: {
    parameters: [
      "i32", // int olddirfd
      "buffer", // const char *oldpath
      "i32", // int newdirfd
      "buffer", // const char *newpath
      "i32", // int flags
    ],
    result: "i32",
  },
  renameat2: {
    parameters: [
      "i32", // int olddirfd
      "buffer", // const char *oldpath
      "i32", // int newdirfd
      "buffer", // const char *newpath
      "u32", // unsigned int flags
    ],
    result: "i32",
  },
  futimens: {
    parameters: [
      "i32", // int fd
      "buffer", // const struct timespec times[2]
    ],
    result: "i32",
  },
  fstatvfs: {
    parameters: [
      "i32", // int fd
      "buffer", // struct statvfs *buf
    ],
    result: "i32",
  },
  inotify_init1: { parameters: ["i32"], result: "i32" }, // int flags
  inotify_add_watch: {
    parameters: [
      "i32", // int fd
      "buffer", // const char *pathname
      "u32", // uint32_t mask
    ],
    result: "i32",
  },
  inotify_rm_watch: {
    parameters: [
      "i32", // int fd
      "i32", // int wd
    ],
    result: "i32",
  },
  io_submit_blocking: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "usize", // aio_context_t ctx_id
      "i64", // long nr
      "usize", // struct iocb **iocbpp
    ],
    result: "i32", // long: at most nr
    nonblocking: true,
  },
  io_getevents_blocking: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "usize", // aio_context_t ctx_id
      "i64", // long min_nr
      "i64", // long nr
      "usize", // struct io_event *events
      "usize", // struct timespec *timeout
    ],
    result: "i32", // long: at most nr
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions by name. */
export type FileCalls = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let symbols: FileCalls | undefined;

/** Opens libc for them on the first call. Throws what `libc()` throws. */
export function fileCalls(): FileCalls {
  return symbols ??= openLibc(SYMBOLS);
}
