import "../support/libraries.ts";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { SystemError } from "@usb/gadget";
import { Errno } from "../../ffi/errno.ts";
import { PacketSizes } from "../../src/functionfs/packet_sizes.ts";
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

Deno.test("requests are whole packets at every speed, and stay in their memory", () => {
  const sizes = (full: number, high: number, superSpeed: number) =>
    new PacketSizes({
      name: "rx",
      half: "out",
      index: 1,
      file: "ep1",
      address: 1,
      transferType: "bulk",
      maxPacketSize: { full, high, super: superSpeed },
      bytesPerInterval: { full, high, super: superSpeed },
      interfaceNumber: 0,
      alternateSetting: 0,
    });
  const bulk = sizes(64, 512, 1024);
  assertEquals([1, 512, 1024, 65_536].map((each) => bulk.areWhole(each)), [
    false,
    false,
    true,
    true,
  ]);
  assertEquals([1, 1024, 1025].map((each) => bulk.roundUp(each)), [
    1024,
    1024,
    2048,
  ]);
  const odd = sizes(48, 100, 1024);
  for (const size of [1, 48, 100, 1000, 5000]) {
    const room = odd.room(size);
    for (const packet of [48, 100, 1024]) {
      const length = PacketSizes.request(size, packet, 1 << 20, room);
      assertEquals(length % packet, 0);
      assertEquals(length >= size && length <= room, true);
    }
  }
  assertEquals(PacketSizes.request(3 << 20, 100, 1 << 20, 4 << 20), 1_048_500);
});
