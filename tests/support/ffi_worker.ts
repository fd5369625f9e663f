/**
 * A Worker that waits for files until it is ended: by the parked poll for those
 * that it gets, and by an AIO request for another one. Answers with the number of
 * its thread once it waits.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { POLLIN } from "../../ffi/abi.ts";
import { AioContext } from "../../ffi/aio/context.ts";
import { libc } from "../../ffi/libc.ts";
import { watch } from "../../ffi/reactor.ts";
import { aioPoll } from "./aio.ts";
import { eventFd } from "./pipe.ts";

self.onmessage = ({ data: fds }: MessageEvent<number[]>) => {
  for (const fd of fds) watch(fd, POLLIN, () => {});
  aioPoll(new AioContext(), eventFd(0).fd, POLLIN);
  // The poll is parked again when this turn has changed what it waits for.
  setTimeout(() => self.postMessage(libc().gettid()));
};
