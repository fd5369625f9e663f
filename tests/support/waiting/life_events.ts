/**
 * Waits for events of a function.
 *
 * @module
 */
import type { FunctionEvent, FunctionFs } from "@usb/gadget";

/**
 * Calls `act`, and waits until the function receives the event. The host's side of a
 * call can finish earlier.
 */
export async function eventAfter(
  fs: FunctionFs,
  type: FunctionEvent["type"],
  act: () => unknown,
): Promise<void> {
  const events = fs.events[Symbol.asyncIterator]();
  await act();
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error(`The function was closed before "${type}"`);
    if (value.type === type) break;
  }
  await events.return?.();
}
