/**
 * The one table of libc symbols, opened on first use.
 *
 * Importing this module needs no permission. The first call of
 * {@linkcode libc} asks for `--allow-ffi`.
 *
 * @module
 */

const SYMBOLS = {
  __errno_location: { parameters: [], result: "pointer" },
  strerror: {
    parameters: [
      "i32", // int errnum
    ],
    result: "pointer",
  },
  open: {
    parameters: [
      "buffer", // const char *pathname
      "i32", // int flags
      "u32", // mode_t mode, variadic
    ],
    result: "i32",
  },
  close: {
    parameters: [
      "i32", // int fd
    ],
    result: "i32",
  },
  read: {
    parameters: [
      "i32", // int fd
      "buffer", // void *buf
      "usize", // size_t count
    ],
    // ssize_t: all of our reads are far below 2 GiB, so half of it is enough
    // and comes back as a number instead of a BigInt.
    result: "i32",
  },
  write: {
    parameters: [
      "i32", // int fd
      "buffer", // const void *buf
      "usize", // size_t count
    ],
    result: "i32", // ssize_t, see read
  },
  // Answers to control requests wait in the kernel for the host, even with
  // O_NONBLOCK: these two run on a thread of Deno's pool, which can outlive the
  // isolate. So their memory is an address, see native_memory.ts.
  read_blocking: {
    name: "read",
    parameters: [
      "i32", // int fd
      "usize", // void *buf
      "usize", // size_t count
    ],
    result: "i32",
    nonblocking: true,
  },
  write_blocking: {
    name: "write",
    parameters: [
      "i32", // int fd
      "usize", // const void *buf
      "usize", // size_t count
    ],
    result: "i32",
    nonblocking: true,
  },
  ioctl: {
    parameters: [
      "i32", // int fd
      "usize", // unsigned long request
      "usize", // an argument given by value, variadic
    ],
    result: "i32",
  },
  ioctl_pointer: {
    name: "ioctl",
    parameters: [
      "i32", // int fd
      "usize", // unsigned long request
      "buffer", // void *argp, variadic
    ],
    result: "i32",
  },
  fcntl: {
    parameters: [
      "i32", // int fd
      "i32", // int op
      "i32", // int arg, variadic
    ],
    result: "i32",
  },
  // Host side of the tests: usbfs requests that wait for a device. They tell
  // success and failure, and never why.
  ioctl_blocking: {
    name: "ioctl",
    parameters: [
      "i32", // int fd
      "usize", // unsigned long request
      "buffer", // void *argp, variadic
    ],
    result: "i32",
    nonblocking: true,
  },
  // The one nonblocking wait. Its failure carries no information (EINTR), so
  // the errno that is lost on the other thread is not missed. The thread can
  // outlive the isolate, so the memory is an address, see native_memory.ts.
  poll: {
    parameters: [
      "usize", // struct pollfd *fds
      "usize", // nfds_t nfds
      "i32", // int timeout
    ],
    result: "i32",
    nonblocking: true,
  },
  poll_now: {
    name: "poll",
    parameters: [
      "buffer", // struct pollfd *fds
      "usize", // nfds_t nfds
      "i32", // int timeout
    ],
    result: "i32",
  },
  ppoll: {
    parameters: [
      "buffer", // struct pollfd *fds
      "usize", // nfds_t nfds
      "buffer", // const struct timespec *tmo_p
      "buffer", // const sigset_t *sigmask
    ],
    result: "i32",
  },
  epoll_create1: {
    parameters: [
      "i32", // int flags
    ],
    result: "i32",
  },
  epoll_ctl: {
    parameters: [
      "i32", // int epfd
      "i32", // int op
      "i32", // int fd
      "buffer", // struct epoll_event *event
    ],
    result: "i32",
  },
  epoll_wait: {
    parameters: [
      "i32", // int epfd
      "buffer", // struct epoll_event *events
      "i32", // int maxevents
      "i32", // int timeout
    ],
    result: "i32",
  },
  eventfd: {
    parameters: [
      "u32", // unsigned int initval
      "i32", // int flags
    ],
    result: "i32",
  },
  pipe2: {
    parameters: [
      "buffer", // int pipefd[2]
      "i32", // int flags
    ],
    result: "i32",
  },
  lseek: {
    parameters: [
      "i32", // int fd
      "i64", // off_t offset
      "i32", // int whence
    ],
    result: "i64",
  },
  flock: {
    parameters: [
      "i32", // int fd
      "i32", // int operation
    ],
    result: "i32",
  },
  mkdir: {
    parameters: [
      "buffer", // const char *pathname
      "u32", // mode_t mode
    ],
    result: "i32",
  },
  rmdir: {
    parameters: [
      "buffer", // const char *pathname
    ],
    result: "i32",
  },
  symlink: {
    parameters: [
      "buffer", // const char *target
      "buffer", // const char *linkpath
    ],
    result: "i32",
  },
  unlink: {
    parameters: [
      "buffer", // const char *pathname
    ],
    result: "i32",
  },
  readlink: {
    parameters: [
      "buffer", // const char *pathname
      "buffer", // char *buf
      "usize", // size_t bufsiz
    ],
    result: "i32", // ssize_t
  },
  access: {
    parameters: [
      "buffer", // const char *pathname
      "i32", // int mode
    ],
    result: "i32",
  },
  getdents64: {
    parameters: [
      "i32", // int fd
      "buffer", // void *dirp
      "usize", // size_t count
    ],
    result: "i32", // ssize_t
  },
  mount: {
    parameters: [
      "buffer", // const char *source
      "buffer", // const char *target
      "buffer", // const char *filesystemtype
      "usize", // unsigned long mountflags
      "buffer", // const void *data
    ],
    result: "i32",
  },
  umount2: {
    parameters: [
      "buffer", // const char *target
      "i32", // int flags
    ],
    result: "i32",
  },
  memfd_create: {
    parameters: [
      "buffer", // const char *name
      "u32", // unsigned int flags
    ],
    result: "i32",
  },
  ftruncate: {
    parameters: [
      "i32", // int fd
      "i64", // off_t length
    ],
    result: "i32",
  },
  mmap: {
    parameters: [
      "pointer", // void *addr
      "usize", // size_t length
      "i32", // int prot
      "i32", // int flags
      "i32", // int fd
      "i64", // off_t offset
    ],
    result: "pointer",
  },
  munmap: {
    parameters: [
      "pointer", // void *addr
      "usize", // size_t length
    ],
    result: "i32",
  },
  // Returns its first argument, ten times as fast as Deno.UnsafePointer does.
  address_of: {
    name: "memmove",
    parameters: [
      "buffer", // void *dest
      "buffer", // const void *src
      "usize", // size_t n
    ],
    result: "usize", // void *: dest
  },
  malloc: {
    parameters: [
      "usize", // size_t size
    ],
    result: "usize", // void *
  },
  free: {
    parameters: [
      "usize", // void *ptr
    ],
    result: "void",
  },
  copy_from_native: {
    name: "memcpy",
    parameters: [
      "buffer", // void *dest
      "usize", // const void *src
      "usize", // size_t n
    ],
    result: "void", // void *: dest
  },
  copy_to_native: {
    name: "memcpy",
    parameters: [
      "usize", // void *dest
      "buffer", // const void *src
      "usize", // size_t n
    ],
    result: "void", // void *: dest
  },
  gettid: { parameters: [], result: "i32" },
  getpagesize: { parameters: [], result: "i32" },
  geteuid: { parameters: [], result: "u32" },
  getuid: { parameters: [], result: "u32" },
  signal: {
    parameters: [
      "i32", // int signum
      "pointer", // sighandler_t handler
    ],
    result: "pointer",
  },
  sigaction: {
    parameters: [
      "i32", // int signum
      "buffer", // const struct sigaction *act
      "buffer", // struct sigaction *oldact
    ],
    result: "i32",
  },
  raise: {
    parameters: [
      "i32", // int sig
    ],
    result: "i32",
  },
  tgkill: {
    parameters: [
      "i32", // pid_t tgid
      "i32", // pid_t tid
      "i32", // int sig
    ],
    result: "i32",
  },
  // The address of a function that takes an int and does no harm, see thread.ts.
  abs_address: { name: "abs", type: "pointer" },
  // The AIO calls where there is no libaio, see libaio.ts.
  syscall_io_setup: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "u32", // unsigned nr_events
      "buffer", // aio_context_t *ctx_idp
    ],
    result: "i32", // long: 0 or -1
  },
  syscall_io_destroy: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "pointer", // aio_context_t ctx_id
    ],
    result: "i32",
    nonblocking: true,
  },
  syscall_io_submit: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "pointer", // aio_context_t ctx_id
      "i64", // long nr
      "buffer", // struct iocb **iocbpp
    ],
    result: "i32", // long: at most nr
  },
  syscall_io_cancel: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "pointer", // aio_context_t ctx_id
      "pointer", // struct iocb *iocb
      "buffer", // struct io_event *result
    ],
    result: "i32",
  },
  syscall_io_getevents: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "pointer", // aio_context_t ctx_id
      "i64", // long min_nr
      "i64", // long nr
      "buffer", // struct io_event *events
      "buffer", // struct timespec *timeout
    ],
    result: "i32", // long: at most nr
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions of libc by name. */
export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let symbols: Libc | undefined;

/**
 * Opens libc on the first call, and returns its functions.
 *
 * @throws {Deno.errors.NotCapable} Without `--allow-ffi`, or with paths in it.
 * @throws {Deno.errors.NotSupported} where there is no Linux with glibc.
 */
export function libc(): Libc {
  return symbols ??= openLibc();
}

function openLibc(): Libc {
  if (Deno.build.os !== "linux") {
    throw Object.assign(
      new Deno.errors.NotSupported(
        `Cannot use USB gadgets: they need Linux, this is "${Deno.build.os}"`,
      ),
      { code: "ENOSYS", errno: 38, syscall: "dlopen" },
    );
  }
  // Ask for the whole permission first: answering "y" to the question that
  // dlopen itself would put allows one path only, and then dlopen fails.
  const { state, partial } = Deno.permissions.requestSync({ name: "ffi" });
  if (state !== "granted" || partial) {
    throw Object.assign(
      new Deno.errors.NotCapable(
        "Cannot use USB gadgets: they need --allow-ffi, without paths (--allow-ffi=PATH and --deny-ffi=PATH forbid pointers)",
      ),
      { code: "EPERM", errno: 1, syscall: "dlopen" },
    );
  }
  // Never closed: fast calls into a closed library are undefined behaviour.
  return Deno.dlopen("libc.so.6", SYMBOLS).symbols;
}

/** Address of this thread's errno. */
export function errnoPointer(): Deno.PointerObject {
  const pointer = libc().__errno_location();
  if (pointer === null) throw new Error("Cannot find errno");
  return pointer;
}

const encoder = new TextEncoder();

/**
 * Encodes a string as C wants it, with a NUL at its end.
 *
 * @throws {TypeError} If the text has a NUL inside: C would cut it there.
 */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new TypeError(
      `Cannot pass text with a NUL character to the kernel: ${
        JSON.stringify(text)
      }`,
    );
  }
  return encoder.encode(text + "\0");
}
