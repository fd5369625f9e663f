/**
 * A timer that detects a blocked event loop.
 *
 * @module
 */
import { assert } from "@std/assert";

const INTERVAL_MS = 10;
/**
 * The event loop may be busy this long in an emulated machine on shared CPUs.
 * Waits for a host take 3 s and more in the tests.
 */
const MAX_GAP_MS = 2500;

/**
 * The same timer on a separate thread. If that stops too, the whole machine is
 * stalled because its CPUs are shared.
 */
const REFERENCE = `
onmessage = ({ data }) => {
  const gap = new Float64Array(data);
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    gap[0] = Math.max(gap[0], now - last);
    last = now;
  }, ${INTERVAL_MS});
};`;

/** Watches the event loop; disposal asserts that it was never blocked. */
export function watchEventLoop(): Disposable {
  const reference = new Float64Array(new SharedArrayBuffer(8));
  const worker = new Worker(
    `data:application/javascript,${encodeURIComponent(REFERENCE)}`,
    { type: "module" },
  );
  worker.postMessage(reference.buffer);
  let last = performance.now();
  let largestGap = 0;
  const beat = () => {
    const now = performance.now();
    largestGap = Math.max(largestGap, now - last);
    last = now;
  };
  const timer = setInterval(beat, INTERVAL_MS);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      worker.terminate();
      beat();
      const [machine] = reference;
      assert(
        largestGap < MAX_GAP_MS + 3 * machine,
        `The event loop stood still for ${
          largestGap.toFixed(0)
        } ms, the machine for ${machine.toFixed(0)} ms`,
      );
    },
  };
}
