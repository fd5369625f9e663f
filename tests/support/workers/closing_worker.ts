/**
 * A Worker that is terminated while it closes an AIO context. It answers with its
 * thread ID when the kernel has started to close it.
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
