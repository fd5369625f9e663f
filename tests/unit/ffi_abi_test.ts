/**
 * The numbers of the package, against those of the headers of each
 * architecture.
 *
 * @module
 */
import * as abi from "../../ffi/abi.ts";
import * as functionfs from "../../src/compile/functionfs_abi.ts";
import * as usbfs from "../../src/testing/usbfs/abi.ts";
import { assert, assertEquals } from "@std/assert";
import { Errno } from "../../ffi/errno.ts";
import { evaluate } from "../support/machine/c_headers.ts";
import { ARCHITECTURES } from "../../src/vm/architectures.ts";

/** What numbers are in C that has no name for them. */
const EXPRESSIONS: Record<string, string> = {
  IOCB_SIZE: "sizeof(struct iocb)",
  IO_EVENT_SIZE: "sizeof(struct io_event)",
  EPOLL_EVENT_SIZE: "sizeof(struct epoll_event)",
  STATX_STRUCT_SIZE: "sizeof(struct statx)",
  STATVFS_STRUCT_SIZE: "sizeof(struct statvfs)",
  FUNCTIONFS_EVENT_SIZE: "sizeof(struct usb_functionfs_event)",
};

/** Numbers that only the C library has. */
const LIBC = ["MNT_DETACH", "DT_DIR", "DT_LNK", "STATVFS_STRUCT_SIZE"];

/** Numbers that are no interface: the kernel's own, or a bound of ours. */
const PRIVATE =
  /^(FUNCTIONFS_MAX_EVENTS|SIGACTION_.*|SIGSET_SIZE|ENOTSUPP|MAX_.*)$/;

/** The numbers among the exports of a module. */
function numbers(module: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(module).filter(([name, value]) =>
      typeof value === "number" && !PRIVATE.test(name)
    ),
  );
}

function expressions(names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((
      name,
    ) => [name, EXPRESSIONS[name] ?? name.replace(/^SYS_/, "__NR_")]),
  );
}

for (const architecture of ARCHITECTURES) {
  const { name } = architecture;

  Deno.test(`the numbers of ffi/abi.ts are those of Linux on ${name}`, async () => {
    const ours = {
      ...numbers(abi),
      ...numbers(abi.architectureNumbers(name)),
    };
    const fromLibc = LIBC.map((name) => [name, ours[name]]);
    LIBC.forEach((name) => delete ours[name]);
    assert(Object.keys(ours).length > 40, Object.keys(ours).join());
    const kernel = await evaluate(architecture, [
      "asm/unistd.h",
      "linux/fcntl.h",
      "linux/poll.h",
      "linux/eventpoll.h",
      "linux/eventfd.h",
      "linux/mount.h",
      "linux/mman.h",
      "linux/memfd.h",
      "linux/fs.h",
      "linux/falloc.h",
      "linux/stat.h",
      "linux/inotify.h",
      "linux/aio_abi.h",
      "linux/signal.h",
      "linux/dma-buf.h",
      "linux/dma-heap.h",
      "linux/sync_file.h",
      "linux/udmabuf.h",
    ], expressions(Object.keys(ours)));
    assertEquals(kernel, ours);
    const libc = await evaluate(
      architecture,
      ["sys/mount.h", "dirent.h", "sys/statvfs.h"],
      expressions(LIBC),
    );
    assertEquals(libc, Object.fromEntries(fromLibc));
  });

  Deno.test(`struct sigaction has its layout on ${name}`, async () => {
    const { size, handler, flags, mask } = await evaluate(architecture, [
      "signal.h",
    ], {
      size: "sizeof(struct sigaction)",
      handler: "__builtin_offsetof(struct sigaction, sa_handler)",
      flags: "__builtin_offsetof(struct sigaction, sa_flags)",
      mask: "sizeof(sigset_t)",
    });
    assert(size <= abi.SIGACTION_SIZE, `${size} bytes`);
    assertEquals(handler, 0);
    assertEquals(flags, abi.SIGACTION_FLAGS);
    assertEquals(mask, abi.SIGSET_SIZE);
  });

  Deno.test(`struct statx has its layout on ${name}`, async () => {
    const offset = (field: string) =>
      `__builtin_offsetof(struct statx, ${field})`;
    const offsets = await evaluate(architecture, ["linux/stat.h"], {
      mask: offset("stx_mask"),
      mode: offset("stx_mode"),
      size: offset("stx_size"),
      modified: offset("stx_mtime.tv_sec"),
      modifiedNanoseconds: offset("stx_mtime.tv_nsec"),
      deviceMajor: offset("stx_rdev_major"),
      deviceMinor: offset("stx_rdev_minor"),
      directAlignment: offset("stx_dio_offset_align"),
    });
    assertEquals(offsets, abi.STATX);
  });

  Deno.test(`struct statvfs has its layout on ${name}`, async () => {
    const offset = (field: string) =>
      `__builtin_offsetof(struct statvfs, ${field})`;
    const offsets = await evaluate(architecture, ["sys/statvfs.h"], {
      blockSize: offset("f_frsize"),
      blocks: offset("f_blocks"),
      free: offset("f_bfree"),
      available: offset("f_bavail"),
    });
    assertEquals(offsets, abi.STATVFS);
  });

  Deno.test(`the error numbers are those of Linux on ${name}`, async () => {
    const ours = numbers(Errno);
    assertEquals(
      await evaluate(
        architecture,
        ["linux/errno.h"],
        expressions(Object.keys(ours)),
      ),
      ours,
    );
  });

  for (
    const [what, module, header] of [
      ["FunctionFS", functionfs, "linux/usb/functionfs.h"],
      ["the tests' host side", usbfs, "linux/usbdevice_fs.h"],
    ] as const
  ) {
    Deno.test(`the numbers of ${what} are those of Linux on ${name}`, async () => {
      const ours = numbers(module);
      assertEquals(
        await evaluate(
          architecture,
          ["linux/types.h", "linux/ioctl.h", header],
          expressions(Object.keys(ours)),
        ),
        ours,
      );
    });
  }
}
