/**
 * A Worker that only has arrays, which stay as they were filled.
 *
 * Gets a size: makes arrays of it in place of those that it had, and answers
 * "made". Gets "check": answers how many bytes have changed.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { changedBytes, makeCanaries } from "./canaries.ts";

let canaries = makeCanaries(0);

self.onmessage = ({ data }: MessageEvent<number | "check">) => {
  if (data === "check") return self.postMessage(changedBytes(canaries));
  canaries = makeCanaries(data);
  self.postMessage("made");
};
