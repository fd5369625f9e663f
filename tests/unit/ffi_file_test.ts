// VM: any architecture
import "../support/run/aio_libraries.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  O_CLOEXEC,
  O_CREAT,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
} from "../../ffi/abi.ts";
import { isSystemError } from "../../ffi/errno.ts";
import {
  adopt,
  close,
  exists,
  ioctl,
  list,
  mkdir,
  open,
  read,
  readFile,
  readlink,
  readTextFile,
  rmdir,
  symlink,
  unlink,
  write,
  writeFile,
} from "../../ffi/file.ts";
import { cString } from "../../ffi/libc.ts";
import { addressOf, memfd, mmap } from "../../ffi/memory.ts";
import { listMounts, parseMounts, unmount } from "../../ffi/mount.ts";
import { pipe } from "../support/machine/pipe.ts";
import { testLibc } from "../support/machine/libc.ts";

/** A new directory under /tmp that is gone after the test. */
function temporaryDirectory(): { path: string } & Disposable {
  const path = `/tmp/ffi_file_test.${Deno.pid}.${performance.now()}`;
  mkdir(path);
  return {
    path,
    [Symbol.dispose]() {
      for (const { name, isDirectory } of list(path)) {
        if (isDirectory) rmdir(`${path}/${name}`);
        else unlink(`${path}/${name}`);
      }
      rmdir(path);
    },
  };
}

Deno.test("readTextFile() reads proc and sysfs, and drops the last newline", () => {
  assertEquals(readTextFile("/proc/sys/kernel/ostype"), "Linux");
  assertStringIncludes(readTextFile("/proc/self/mounts"), " /proc ");
});

Deno.test("files are made, written, read and removed", () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/file`;
  assert(!exists(path));
  const fd = open(path, O_RDWR | O_CREAT, { mode: 0o600 });
  assertEquals(write(fd, new Uint8Array([1, 2, 3])), 3);
  close(fd);
  assert(exists(path));
  assertEquals(readFile(path), new Uint8Array([1, 2, 3]));
  writeFile(path, "text\n");
  assertEquals(readTextFile(path), "text");
  unlink(path);
  assert(!exists(path));
});

Deno.test("readFile() reads more than its first buffer holds", () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/large`;
  const bytes = new Uint8Array(100_000).map((_, index) => index * 7);
  close(open(path, O_WRONLY | O_CREAT));
  writeFile(path, bytes);
  assertEquals(readFile(path), bytes);
});

Deno.test("list() distinguishes directories, links and files", () => {
  using directory = temporaryDirectory();
  const { path } = directory;
  mkdir(`${path}/folder`);
  symlink("folder", `${path}/link`);
  close(open(`${path}/file`, O_WRONLY | O_CREAT));
  const entries = list(path).sort((a, b) => a.name < b.name ? -1 : 1);
  const inode = (name: string) => Deno.lstatSync(`${path}/${name}`).ino!;
  assertEquals(entries, [
    {
      name: "file",
      isDirectory: false,
      isSymlink: false,
      inode: inode("file"),
    },
    {
      name: "folder",
      isDirectory: true,
      isSymlink: false,
      inode: inode("folder"),
    },
    { name: "link", isDirectory: false, isSymlink: true, inode: inode("link") },
  ]);
  assertEquals(readlink(`${path}/link`), "folder");
});

Deno.test("list() returns all entries of a directory larger than its buffer", () => {
  using directory = temporaryDirectory();
  const names = Array.from(
    { length: 1500 },
    (_, index) => `a-rather-long-file-name-to-fill-the-buffer-${index}`,
  );
  for (const name of names) {
    close(open(`${directory.path}/${name}`, O_WRONLY | O_CREAT));
  }
  assertEquals(
    list(directory.path).map((entry) => entry.name).sort(),
    names.sort(),
  );
});

Deno.test("failing calls name the file and the reason", () => {
  const error = assertThrows(
    () => open("/nowhere/at/all", O_RDONLY, { action: "open endpoint" }),
    Deno.errors.NotFound,
    "Cannot open endpoint: No such file or directory (os error 2): /nowhere/at/all",
  );
  assert(isSystemError(error, "ENOENT"));
  assertThrows(() => mkdir("/proc/x"), Error, "Cannot make directory: ");
  assertThrows(() => rmdir("/proc"), Error, "Cannot remove directory: ");
  assertThrows(() => unlink("/nowhere"), Error, "Cannot remove file: ");
  assertThrows(() => symlink("a", "/proc/x"), Error, "Cannot make link: ");
  assertThrows(() => readlink("/proc"), Error, "Cannot read link: ");
  assertThrows(() => list("/proc/version"), Deno.errors.NotADirectory);
  assertThrows(() => read(-1, new Uint8Array(1)), Deno.errors.BadResource);
  assertThrows(() => write(-1, new Uint8Array(1)), Deno.errors.BadResource);
  assertThrows(() => unmount("/nowhere"), Error, "Cannot unmount: ");
});

Deno.test("text with a NUL inside never reaches the kernel", () => {
  assertEquals(cString("ab"), new Uint8Array([97, 98, 0]));
  assertThrows(() => open("/tmp\0/x", O_RDONLY), TypeError, "NUL");
});

Deno.test("ioctl() takes numbers and memory", () => {
  using ends = pipe();
  write(ends.writeEnd, new Uint8Array(5));
  const count = new Uint8Array(4);
  const FIONREAD = 0x541b;
  ioctl(ends.readEnd, FIONREAD, count);
  assertEquals(count, new Uint8Array([5, 0, 0, 0]));
  assertThrows(
    () => ioctl(ends.readEnd, 0x6701, 0),
    Error,
    "Cannot control device: Inappropriate ioctl for device (os error 25)",
  );
});

Deno.test("adopt() makes a descriptor nonblocking, and closed on exec", () => {
  const ends = new Int32Array(2);
  assertEquals(testLibc.pipe2(ends, 0), 0);
  const flags = () => {
    const info = readTextFile(`/proc/self/fdinfo/${ends[0]}`);
    return parseInt(/^flags:\s+(\d+)$/m.exec(info)![1], 8);
  };
  assertEquals(flags() & (O_NONBLOCK | O_CLOEXEC), 0);
  adopt(ends[0]);
  assertEquals(flags() & (O_NONBLOCK | O_CLOEXEC), O_NONBLOCK | O_CLOEXEC);
  ends.forEach(close);
  assertThrows(
    () => adopt(-1, { action: "inherit endpoint", path: "/mnt/ep1" }),
    Error,
    "Cannot inherit endpoint: Bad file descriptor (os error 9): /mnt/ep1",
  );
});

Deno.test("mmap() shows the pages of a memory file to both sides", () => {
  const fd = memfd("test", 8192, 0);
  {
    using mapping = mmap(fd, 8192);
    assertEquals(mapping.bytes.byteLength, 8192);
    mapping.bytes.set([1, 2, 3]);
    const start = new Uint8Array(4);
    read(fd, start);
    assertEquals(start, new Uint8Array([1, 2, 3, 0]));
    const { bytes } = mapping;
    mapping.unmap();
    mapping.unmap();
    assertEquals(bytes.byteLength, 0, "the array is detached");
  }
  close(fd);
  assertThrows(() => mmap(-1, 4096), Deno.errors.BadResource, "Cannot map");
  assertThrows(() => mmap(fd, 0), RangeError);
});

Deno.test("mmap(): the memory cannot be moved, and every page of the file is given back", async () => {
  const size = 3 * 4096;
  const fd = memfd("moved", size, 0);
  const mapped = () =>
    Deno.readTextFileSync("/proc/self/maps").split("\n")
      .filter((line) => line.includes("memfd:moved")).length;
  const mapping = mmap(fd, size);
  const { bytes } = mapping;
  const { port1, port2 } = new MessageChannel();
  const moves = {
    "transfer()": () => bytes.buffer.transfer(),
    "transferToFixedLength()": () => bytes.buffer.transferToFixedLength(),
    "structuredClone()": () =>
      structuredClone(bytes, { transfer: [bytes.buffer] }),
    "postMessage()": () => port1.postMessage(bytes, [bytes.buffer]),
    "a byte stream": () =>
      new ReadableStream({
        type: "bytes",
        start: (controller) => controller.enqueue(bytes),
      }).getReader().read(),
    "a BYOB reader": () =>
      new ReadableStream({ type: "bytes" })
        .getReader({ mode: "byob" }).read(bytes),
  };
  for (const [name, move] of Object.entries(moves)) {
    await assertRejects(async () => await move(), Error, undefined, name);
    assertEquals(bytes.byteLength, size, name);
  }
  for (const port of [port1, port2]) port.close();
  bytes.fill(7);
  assertEquals(mapped(), 1);
  // A thread that still writes there meets memory: the addresses stay mapped.
  const address = Deno.UnsafePointer.of(bytes)!;
  const view = new Deno.UnsafePointerView(address);
  assertEquals(view.getUint8(size - 1), 7);
  mapping.unmap();
  assertEquals(mapped(), 0);
  assertEquals(bytes.byteLength, 0);
  assertEquals(view.getUint8(size - 1), 0);
  close(fd);
});

Deno.test("addressOf() returns the address of the first byte", () => {
  const bytes = new Uint8Array(4096);
  assertEquals(addressOf(bytes.subarray(16)) - addressOf(bytes), 16n);
});

Deno.test("parseMounts() undoes the kernel's escapes", () => {
  assertEquals(
    parseMounts("ffs.a /run/a\\040b functionfs rw,relatime 0 0\n"),
    [{
      source: "ffs.a",
      target: "/run/a b",
      type: "functionfs",
      options: ["rw", "relatime"],
    }],
  );
  assert(listMounts().some((mount) => mount.target === "/proc"));
});
