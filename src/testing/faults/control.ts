/**
 * Faults of control requests.
 *
 * @module
 */
import {
  type ControlHandler,
  type SetupRequest,
  Stall,
} from "../../usb/control.ts";
import type { FaultRule } from "./plan.ts";

/**
 * Puts faults before a handler. A request without one is answered as if nothing
 * were in between.
 *
 * @param next Returns the rule whose fault a request gets, if any.
 */
export function faultyHandler(
  handler: ControlHandler,
  next: (setup: SetupRequest) => FaultRule | undefined,
): ControlHandler {
  return (setup) => {
    const rule = next(setup);
    if (rule === undefined) return handler(setup);
    if (rule.fault === "stall") throw new Stall("An injected fault");
    return wait(rule.ms!, setup.signal).then(() => handler(setup));
  };
}

/** Rejects with the signal's reason if that is aborted. */
function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal.addEventListener("abort", abort, { once: true });
  });
}
