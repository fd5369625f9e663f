import "@usb/gadget/testing";
import { assertEquals } from "@std/assert";
import { O_RDWR } from "../../ffi/abi.ts";
import { AioContext } from "../../ffi/aio/context.ts";
import { close, open } from "../../ffi/file.ts";
import { aioWrite } from "../support/machine/aio.ts";

// The resource sanitizer fails this one if it opens a library.
Deno.test("the import of ./testing opens all libraries that a gadget of a test needs", async () => {
  const fd = open("/dev/null", O_RDWR);
  const aio = new AioContext({ outlast: true });
  aio.retain();
  assertEquals(await aioWrite(aio, fd, new Uint8Array(5)), 5);
  await aio.release();
  await aio.close();
  close(fd);
});
