/**
 * A Worker that waits for files until it is terminated: with the parked poll for the
 * files that it receives, and with an AIO request for another one. It answers with
 * its thread ID once it is waiting.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { POLLIN } from "../../../ffi/abi.ts";
import { AioContext } from "../../../ffi/aio/context.ts";
import { libc } from "../../../ffi/libc.ts";
import { watch } from "../../../ffi/reactor.ts";
import { aioPoll } from "../machine/aio.ts";
import { eventFd } from "../machine/pipe.ts";

self.onmessage = ({ data: fds }: MessageEvent<number[]>) => {
  for (const fd of fds) watch(fd, POLLIN, () => {});
  aioPoll(new AioContext(), eventFd(0).fd, POLLIN);
  // The poll is parked again when this turn has changed its files.
  setTimeout(() => self.postMessage(libc().gettid()));
};
