/**
 * A timer that shows whether the event loop stands still.
 *
 * @module
 */
import { assert } from "@std/assert";

const INTERVAL_MS = 10;
/**
 * An emulated machine whose processors others use too can be this slow. A call
 * that waits for the host waits until that gives up, 10 s in the tests.
 */
const MAX_GAP_MS = 4000;

/** Begins to watch the event loop; disposing of it asserts that it went on. */
export function watchEventLoop(): Disposable {
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
      beat();
      assert(
        largestGap < MAX_GAP_MS,
        `The event loop stood still for ${largestGap.toFixed(0)} ms`,
      );
    },
  };
}
