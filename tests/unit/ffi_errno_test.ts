// VM: any architecture
import "../support/run/aio_libraries.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  check,
  Errno,
  errnoName,
  isSystemError,
  strerror,
  SystemError,
  systemError,
} from "../../ffi/errno.ts";
import { O_RDONLY } from "../../ffi/abi.ts";
import { open, readlink, unlink } from "../../ffi/file.ts";
import { ERRNO, libc } from "../../ffi/libc.ts";
import { collectGarbage } from "../support/measure/memory.ts";

Deno.test("systemError() has the shape of Deno's own errors", () => {
  const error = systemError(Errno.ENODEV, {
    action: "open endpoint",
    syscall: "open",
    path: "/dev/ffs/ep1",
  });
  assertEquals(
    error.message,
    "Cannot open endpoint: No such device (os error 19): /dev/ffs/ep1",
  );
  assertInstanceOf(error, SystemError);
  assertEquals(error.name, "SystemError");
  assertEquals(
    [error.code, error.errno, error.syscall, error.path],
    ["ENODEV", 19, "open", "/dev/ffs/ep1"],
  );
});

Deno.test("systemError() uses the class that Deno has for an error", () => {
  const call = { action: "x", syscall: "open" };
  assertInstanceOf(systemError(Errno.ENOENT, call), Deno.errors.NotFound);
  assertInstanceOf(systemError(Errno.EEXIST, call), Deno.errors.AlreadyExists);
  assertInstanceOf(systemError(Errno.EBUSY, call), Deno.errors.Busy);
  assertInstanceOf(
    systemError(Errno.EPERM, call),
    Deno.errors.PermissionDenied,
  );
  assertInstanceOf(systemError(Errno.EAGAIN, call), Deno.errors.WouldBlock);
  const error = systemError(Errno.ENOENT, call);
  assertEquals([error.code, error.errno], ["ENOENT", 2]);
  assert(!("path" in error));
});

Deno.test("systemError() puts the hint at the end", () => {
  const error = systemError(Errno.EACCES, {
    action: "mount",
    syscall: "mount",
    path: "/x",
    hint: "run as root",
  });
  assertEquals(
    error.message,
    "Cannot mount: Permission denied (os error 13): /x: run as root",
  );
});

Deno.test("isSystemError() distinguishes codes", () => {
  const error = systemError(Errno.EBUSY, { action: "x", syscall: "write" });
  assert(isSystemError(error));
  assert(isSystemError(error, "EAGAIN", "EBUSY"));
  assert(!isSystemError(error, "EAGAIN"));
  assert(!isSystemError(new Error("EBUSY")));
  assert(!isSystemError("EBUSY"));
});

Deno.test("errnoName() and strerror() know every number in the table", () => {
  for (const [name, errno] of Object.entries(Errno)) {
    assertStrictEquals(errnoName(errno), name);
    assert(!strerror(errno).startsWith("Unknown"), name);
  }
  assertEquals(errnoName(4000), "E4000");
});

Deno.test("check() passes results on and throws the errno of a -1", () => {
  const call = { action: "close", syscall: "close" };
  assertEquals(check(7, 0, call), 7);
  // Nothing else may run between the failing call and the look at errno.
  const error = assertThrows(
    () => check(libc().close(-1), ERRNO[0], call),
    Deno.errors.BadResource,
    "Cannot close: Bad file descriptor (os error 9)",
  );
  assert(isSystemError(error, "EBADF"));
});

Deno.test("a garbage collection right after a call does not change its error", () => {
  const options = {
    get hint() {
      collectGarbage();
      return undefined;
    },
  };
  const codes = new Set<unknown>();
  for (let n = 0; n < 80; n++) {
    for (
      const call of [
        () => open("/nowhere", O_RDONLY, options),
        () => unlink("/nowhere", options),
        () => readlink("/nowhere", options),
      ]
    ) {
      try {
        call();
      } catch (error) {
        codes.add(isSystemError(error) && error.code);
      }
    }
  }
  assertEquals([...codes], ["ENOENT"]);
});
