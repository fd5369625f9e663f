/**
 * A Worker that sends its process the next signal as soon as the last one is
 * handled, a few microseconds more or less.
 *
 * @module
 */
/// <reference lib="deno.worker" />

/** What to send. */
export interface SignalOrder {
  /** How many signals were handled. */
  readonly handled: Int32Array<SharedArrayBuffer>;
  readonly signal: Deno.Signal;
  readonly rounds: number;
}

self.onmessage = (event: MessageEvent<SignalOrder>) => {
  const { handled, signal, rounds } = event.data;
  for (let round = 0; round < rounds; round++) {
    Atomics.wait(handled, 0, round - 1);
    const until = performance.now() + Math.random() * 0.2;
    while (performance.now() < until);
    Deno.kill(Deno.pid, signal);
  }
};
