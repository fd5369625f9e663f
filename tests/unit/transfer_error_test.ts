import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { SystemError, type SystemErrorFields } from "@usb/gadget";
import { Errno, isSystemError } from "../../ffi/errno.ts";
import {
  AbortedTransferError,
  transferError,
} from "../../src/functionfs/transfer/error.ts";

const endpoint = { name: "rx", path: "/dev/ffs/ep1" };

Deno.test("the error of a babble says that the host sent more, and how much is lost", () => {
  const error = transferError({
    action: "read from",
    endpoint,
    result: -Errno.EOVERFLOW,
    signal: undefined,
    transferred: 4096,
  });
  assertInstanceOf(error, SystemError);
  assertEquals(error.code, "EOVERFLOW");
  assertEquals(error.transferred, 4096);
  assertEquals(
    error.message,
    'Cannot read from endpoint "rx": Value too large for defined data type (os error 75): /dev/ffs/ep1: ' +
      "the host has sent more than the endpoint's descriptor allows, and the data of this request is lost",
  );
});

Deno.test("a cancelled transfer was aborted, or its function was closed", () => {
  const failure = {
    action: "write to",
    endpoint,
    result: -Errno.ECANCELED,
    transferred: 7,
  } as const;
  const signal = AbortSignal.abort("why");
  const aborted = transferError({ ...failure, signal });
  assertInstanceOf(aborted, AbortedTransferError);
  assertEquals([aborted.cause, aborted.transferred], ["why", 7]);
  assertEquals(fieldsOf(aborted), ["ECANCELED", 125, "write"]);
  const closed = transferError({ ...failure, signal: undefined });
  assertInstanceOf(closed, Deno.errors.BadResource);
  assertEquals(closed.transferred, 7);
  assertEquals(fieldsOf(closed), ["EBADF", 9, "write"]);
});

Deno.test("a transfer whose signal was aborted before has the same fields", () => {
  const signal = AbortSignal.abort("why");
  for (
    const [action, syscall] of [
      ["read from", "read"],
      ["write to", "write"],
      ["transfer a DMABUF on", "ioctl"],
    ] as const
  ) {
    const error = AbortedTransferError.before(action, "rx", signal);
    assertEquals(fieldsOf(error), ["ECANCELED", 125, syscall]);
    assert(isSystemError(error, "ECANCELED"));
  }
});

Deno.test("errors of Deno's classes are made in one place, where they get their fields", async () => {
  const root = new URL("../../", import.meta.url);
  const made: string[] = [];
  const look = async (folder: string) => {
    for await (
      const { name, isDirectory } of Deno.readDir(new URL(folder, root))
    ) {
      if (isDirectory) await look(`${folder}${name}/`);
      else {
        const text = await Deno.readTextFile(new URL(folder + name, root));
        if (/new Deno\.errors\./.test(text)) made.push(folder + name);
      }
    }
  };
  for (const folder of ["src/", "ffi/"]) await look(folder);
  // libc.ts is what errno.ts is built on.
  assertEquals(made, ["ffi/libc.ts"]);
});

function fieldsOf(error: Error & Partial<SystemErrorFields>): unknown[] {
  return [error.code, error.errno, error.syscall];
}
