/**
 * A timer that shows whether the event loop stands still.
 *
 * @module
 */
import { assert } from "@std/assert";

const INTERVAL_MS = 10;
/**
 * The event loop may have that much to do at once in an emulated machine whose
 * processors others use, too. What waits for a host waits for 3 s and more in
 * the tests.
 */
const MAX_GAP_MS = 2500;

/**
 * The same timer on a thread that does nothing else. Where it stands still,
 * the machine does: others use its processors.
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

/** Begins to watch the event loop; disposing of it asserts that it went on. */
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
