import "../support/run/aio_libraries.ts";
import { compileFunction, parseKernelRelease } from "@usb/gadget/inspect";
import { usbFunction } from "@usb/gadget";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { EPOLL_CLOEXEC } from "../../ffi/abi.ts";
import { close } from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import { handshake } from "../../src/functionfs/register.ts";
import { runningKernel } from "../../src/functionfs/open_function.ts";

const compiled = compileFunction(usbFunction({
  name: "f",
  interfaces: [{ class: 0xff, description: "Echo" }],
}));

Deno.test("a handshake that the kernel refuses shows what was written", () => {
  // A file that cannot be written refuses it with EINVAL.
  const fd = libc().epoll_create1(EPOLL_CLOEXEC);
  const { message } = assertThrows(
    () => handshake(fd, "/mnt/ep0", compiled),
    Error,
  );
  close(fd);
  const [first, ...tree] = message.split("\n");
  assertEquals(
    first,
    "Cannot write descriptors: Invalid argument (os error 22): /mnt/ep0",
  );
  assert(tree.some((it) => it.includes("Echo")), message);
});

Deno.test("a handshake that fails otherwise says only that", () => {
  const { message } = assertThrows(
    () => handshake(-1, "/mnt/ep0", compiled),
    Error,
  );
  assertEquals(
    message,
    "Cannot write descriptors: Bad file descriptor (os error 9): /mnt/ep0",
  );
});

Deno.test("runningKernel() is the version of this kernel", () => {
  assertEquals(runningKernel(), parseKernelRelease(Deno.osRelease()));
});
