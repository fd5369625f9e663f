/**
 * Functions of libc that only tests call. Opened when it is imported: see
 * libraries.ts.
 *
 * @module
 */

/** The functions by name. */
export const testLibc = Deno.dlopen("libc.so.6", {
  pipe2: {
    parameters: [
      "buffer", // int pipefd[2]
      "i32", // int flags
    ],
    result: "i32",
  },
  clock_gettime: {
    parameters: [
      "i32", // clockid_t clockid
      "buffer", // struct timespec *tp
    ],
    result: "i32",
  },
  // usbfs requests that wait for a device. They return whether they have
  // succeeded, and their errno is lost on the other thread.
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
}).symbols;
