/**
 * Linux ABI numbers that this package uses, for Deno's two architectures.
 *
 * @module
 */

const NUMBERS = {
  // asm/unistd_64.h, asm-generic/fcntl.h
  x86_64: {
    SYS_io_setup: 206,
    SYS_io_destroy: 207,
    SYS_io_getevents: 208,
    SYS_io_submit: 209,
    SYS_io_cancel: 210,
    SYS_read: 0,
    SYS_write: 1,
    O_DIRECT: 0o40000,
    O_DIRECTORY: 0o200000,
    O_NOFOLLOW: 0o400000,
    O_TMPFILE: 0o20200000,
    EPOLL_EVENT_SIZE: 12, // packed
  },
  // asm-generic/unistd.h, arch/arm64/include/uapi/asm/fcntl.h
  aarch64: {
    SYS_io_setup: 0,
    SYS_io_destroy: 1,
    SYS_io_submit: 2,
    SYS_io_cancel: 3,
    SYS_io_getevents: 4,
    SYS_read: 63,
    SYS_write: 64,
    O_DIRECT: 0o200000,
    O_DIRECTORY: 0o40000,
    O_NOFOLLOW: 0o100000,
    O_TMPFILE: 0o20040000,
    EPOLL_EVENT_SIZE: 16,
  },
};

/** Numbers that depend on the architecture. */
export type ArchitectureNumbers = typeof NUMBERS["x86_64"];

/** Returns the numbers of an architecture; by default those of this machine. */
export function architectureNumbers(
  arch: typeof Deno.build.arch = Deno.build.arch,
): ArchitectureNumbers {
  return NUMBERS[arch];
}

// fcntl.h, the same on both architectures.
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_TRUNC = 0o1000;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;

// linux/fcntl.h, commands of fcntl()
export const F_SETFD = 2;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_DUPFD_CLOEXEC = 1030;
export const F_ADD_SEALS = 1033;
export const FD_CLOEXEC = 1;
export const F_SEAL_SHRINK = 2;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_SYMLINK_FOLLOW = 0x400;
export const AT_EMPTY_PATH = 0x1000;

// linux/fs.h, linux/falloc.h
/** Fail with EAGAIN rather than wait. */
export const RWF_NOWAIT = 0x8;
/** Fail with EEXIST rather than replace. */
export const RENAME_NOREPLACE = 1;
export const FALLOC_FL_KEEP_SIZE = 0x01;
export const FALLOC_FL_PUNCH_HOLE = 0x02;

// linux/stat.h
/** All that stat() returns. */
export const STATX_BASIC_STATS = 0x7ff;
/** Since Linux 6.1. */
export const STATX_DIOALIGN = 0x2000;
/** Bytes of `struct statx`. */
export const STATX_STRUCT_SIZE = 256;
/** Where its fields are. */
export const STATX = {
  mask: 0,
  mode: 28,
  size: 40,
  modified: 112, // stx_mtime.tv_sec
  modifiedNanoseconds: 120,
  deviceMajor: 128, // stx_rdev_major
  deviceMinor: 132,
  directAlignment: 156, // stx_dio_offset_align
} as const;
export const S_IFMT = 0o170000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o60000;
export const S_IFDIR = 0o40000;

// sys/statvfs.h, on 64-bit machines
/** Bytes of `struct statvfs`. */
export const STATVFS_STRUCT_SIZE = 112;
/** Where its fields are. */
export const STATVFS = {
  blockSize: 8, // f_frsize
  blocks: 16,
  free: 24, // f_bfree
  available: 32, // f_bavail
} as const;

// linux/inotify.h
export const IN_NONBLOCK = O_NONBLOCK;
export const IN_CLOEXEC = O_CLOEXEC;
export const IN_ATTRIB = 0x4;
export const IN_CLOSE_WRITE = 0x8;
export const IN_MOVED_FROM = 0x40;
export const IN_MOVED_TO = 0x80;
export const IN_CREATE = 0x100;
export const IN_DELETE = 0x200;
export const IN_DELETE_SELF = 0x400;
export const IN_MOVE_SELF = 0x800;
export const IN_UNMOUNT = 0x2000;
export const IN_Q_OVERFLOW = 0x4000;
export const IN_IGNORED = 0x8000;
export const IN_ONLYDIR = 0x1000000;
/** No events of files that are open but removed. */
export const IN_EXCL_UNLINK = 0x4000000;

// unistd.h, sys/file.h
export const SEEK_END = 2;
export const LOCK_EX = 2;
export const LOCK_NB = 4;

// poll.h
export const POLLIN = 0x001;
export const POLLOUT = 0x004;
export const POLLERR = 0x008;
export const POLLHUP = 0x010;
export const POLLNVAL = 0x020;

// sys/epoll.h
export const EPOLL_CLOEXEC = O_CLOEXEC;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLLWRNORM = 0x100;
export const EPOLLET = 0x80000000;

// sys/eventfd.h
export const EFD_NONBLOCK = O_NONBLOCK;
export const EFD_CLOEXEC = O_CLOEXEC;

// sys/mount.h
export const MNT_DETACH = 2;

// sys/mman.h
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MFD_CLOEXEC = 1;
export const MFD_ALLOW_SEALING = 2;

// linux/aio_abi.h
export const IOCB_CMD_PREAD = 0;
export const IOCB_CMD_PWRITE = 1;
export const IOCB_CMD_POLL = 5;
export const IOCB_FLAG_RESFD = 1;
/** Bytes of `struct iocb`. */
export const IOCB_SIZE = 64;
/** Bytes of `struct io_event`. */
export const IO_EVENT_SIZE = 32;

// linux/udmabuf.h, linux/dma-heap.h, linux/dma-buf.h, linux/sync_file.h
export const UDMABUF_CREATE = 0x40187542;
export const UDMABUF_FLAGS_CLOEXEC = 1;
export const DMA_HEAP_IOCTL_ALLOC = 0xc0184800;
export const DMA_BUF_IOCTL_SYNC = 0x40086200;
/** Since Linux 6.0. */
export const DMA_BUF_IOCTL_EXPORT_SYNC_FILE = 0xc0086202;
export const SYNC_IOC_FILE_INFO = 0xc0383e04;

// asm-generic/signal.h
export const SIGURG = 23;
export const SIG_BLOCK = 0;
export const SIG_UNBLOCK = 1;
export const SA_RESTART = 0x10000000;

// glibc's bits/sigaction.h and bits/types/__sigset_t.h, on 64-bit machines
export const SIGSET_SIZE = 128;
/** More than the bytes of `struct sigaction`: handler, mask, flags, restorer. */
export const SIGACTION_SIZE = 256;
/** Offset of `sa_flags`. */
export const SIGACTION_FLAGS = 8 + SIGSET_SIZE;

// dirent.h, d_type
export const DT_DIR = 4;
export const DT_LNK = 10;
