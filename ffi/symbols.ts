/**
 * The functions of libc that this package calls, with their C declarations.
 *
 * @module
 */

/** What `Deno.dlopen` needs to know of each. */
export const SYMBOLS = {
  strerror: { parameters: ["i32"], result: "pointer" }, // int errnum
  open: {
    parameters: [
      "buffer", // const char *pathname
      "i32", // int flags
      "u32", // mode_t mode, variadic
    ],
    result: "i32",
  },
  close: { parameters: ["i32"], result: "i32" }, // int fd
  read: {
    parameters: [
      "i32", // int fd
      "buffer", // void *buf
      "usize", // size_t count
    ],
    // ssize_t: all of our reads are far below 2 GiB, so its lower half
    // suffices, and is a number instead of a BigInt.
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
  // O_NONBLOCK. These two run on a thread of Deno's pool, which can outlive the
  // isolate, so their memory is an address: see native_memory.ts.
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
  // Requests of a USB host that wait for a device. Those that fail lose their
  // errno, on a thread of Deno's pool. The thread can outlive the isolate, so
  // the memory is an address: see native_memory.ts.
  ioctl_blocking: {
    name: "ioctl",
    parameters: [
      "i32", // int fd
      "usize", // unsigned long request
      "usize", // void *argp, variadic
    ],
    result: "i32",
    nonblocking: true,
  },
  fcntl: {
    parameters: [
      "i32", // int fd
      "i32", // int op
      "i32", // int arg, variadic
    ],
    result: "i32",
  },
  // The only nonblocking call that waits. It fails with EINTR only, so the
  // errno lost on the other thread does not matter. The thread can outlive the
  // isolate, so its memory is an address: see native_memory.ts.
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
  epoll_create1: { parameters: ["i32"], result: "i32" }, // int flags
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
  rmdir: { parameters: ["buffer"], result: "i32" }, // const char *pathname
  symlink: {
    parameters: [
      "buffer", // const char *target
      "buffer", // const char *linkpath
    ],
    result: "i32",
  },
  unlink: { parameters: ["buffer"], result: "i32" }, // const char *pathname
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
  // Returns its first argument, ten times as fast as Deno.UnsafePointer.
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
  aligned_alloc: {
    parameters: [
      "usize", // size_t alignment
      "usize", // size_t size
    ],
    result: "usize", // void *
  },
  free: { parameters: ["usize"], result: "void" }, // void *ptr
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
  pthread_sigmask: {
    parameters: [
      "i32", // int how
      "buffer", // const sigset_t *set
      "buffer", // sigset_t *oldset
    ],
    result: "i32", // an error number
  },
  raise: { parameters: ["i32"], result: "i32" }, // int sig
  tgkill: {
    parameters: [
      "i32", // pid_t tgid
      "i32", // pid_t tid
      "i32", // int sig
    ],
    result: "i32",
  },
  // Handlers of signals, see signal.ts: both take an int.
  abs_address: { name: "abs", type: "pointer" },
  raise_address: { name: "raise", type: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;
