/**
 * A Worker that holds arrays that must not change.
 *
 * When it receives a size, it replaces its arrays with new ones of that size and
 * answers "made". When it receives "check", it answers with the number of changed
 * bytes.
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
