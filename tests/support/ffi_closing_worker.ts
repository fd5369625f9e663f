/**
 * A Worker that is terminated while it closes an AIO context. Answers with the
 * number of its thread when the kernel has begun to destroy the context: it unmaps
 * the completion ring first, and then waits.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { AioContext } from "../../ffi/aio/context.ts";
import { readTextFile } from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";

self.onmessage = () => {
  const aio = new AioContext();
  aio.retain();
  aio.close();
  const timer = setInterval(() => {
    if (readTextFile("/proc/self/maps").includes("/[aio]")) return;
    clearInterval(timer);
    self.postMessage(libc().gettid());
  });
};
