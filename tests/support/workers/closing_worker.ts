/**
 * A Worker that is ended while it closes an AIO context. Answers with the number
 * of its thread when the kernel has begun with that.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { AioContext } from "../../../ffi/aio/context.ts";
import { readTextFile } from "../../../ffi/file.ts";
import { libc } from "../../../ffi/libc.ts";
import { until } from "../waiting/until.ts";

self.onmessage = async () => {
  const aio = new AioContext();
  aio.retain();
  aio.close();
  // A thread of Deno's pool does it, if it gets to it before the Worker's end.
  // io_destroy unmaps the ring first, and then waits for about 30 ms.
  await until(
    () => !readTextFile("/proc/self/maps").includes("/[aio]"),
    "the kernel destroys the context",
  );
  self.postMessage(libc().gettid());
};
