import "../support/libraries.ts";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { SystemError } from "@usb/gadget";
import { Errno } from "../../ffi/errno.ts";
import {
  AbortedTransferError,
  transferError,
} from "../../src/functionfs/transfer_error.ts";

const endpoint = { name: "rx", path: "/dev/ffs/ep1" };

Deno.test("the error of a babble says that the host has sent more, and what is lost", () => {
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
      "the host has sent more than the endpoint's descriptor allows, what it has sent to this request is lost",
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
  const closed = transferError({ ...failure, signal: undefined });
  assertInstanceOf(closed, Deno.errors.BadResource);
  assertEquals(closed.transferred, 7);
});
