/**
 * A Worker that is ended while it closes an AIO context. Answers with the number
 * of its thread when the kernel has begun with that.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { AioContext } from "../../../ffi/aio/context.ts";
import { libc } from "../../../ffi/libc.ts";

self.onmessage = () => {
  const aio = new AioContext();
  aio.retain();
  aio.close();
  setTimeout(() => self.postMessage(libc().gettid()));
};
