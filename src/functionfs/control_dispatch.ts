/**
 * Sees to it that every control request is answered, whatever its handler does.
 *
 * @module
 */
import {
  type ControlAnswer,
  type ControlErrorHandler,
  type ControlHandler,
  type SetupRequest,
  Stall,
  unhandled,
} from "../usb/mod.ts";

/** Who answers the control requests of a function. */
export interface ControlHandlers {
  /** Gets standard requests first. */
  readonly standardControl?: ControlHandler;
  /** Gets standard requests that `standardControl` does not want. */
  readonly defaults: ControlHandler;
  /** Gets all the others, and standard requests that are left. */
  readonly control?: ControlHandler;
  /** Is told what the handlers throw. */
  readonly onError?: ControlErrorHandler;
  /** Is told where there is no `onError`, and what that throws. */
  readonly report: ControlErrorHandler;
}

/** Runs the handlers of a request, and answers it as they say. Never rejects. */
export async function dispatchControl(
  setup: SetupRequest,
  handlers: ControlHandlers,
): Promise<void> {
  try {
    await answer(setup, await ask(setup, handlers));
  } catch (error) {
    const stalled = !setup.settled;
    if (stalled) setup.stall();
    // On purpose. One that came too late has had no effect, and is an error.
    if (stalled && error instanceof Stall) return;
    // The host has given up, and the handler has noticed: nothing is wrong.
    if (setup.signal.aborted && isReason(error, setup.signal)) return;
    tell(error, setup, handlers);
  }
}

/** Other operations that were given the signal have errors of their own. */
function isReason(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason ||
    error instanceof Error && error.cause === signal.reason;
}

function tell(
  error: unknown,
  setup: SetupRequest,
  { onError, report }: ControlHandlers,
): void {
  if (onError === undefined) return report(error, setup);
  try {
    onError(error, setup);
  } catch (another) {
    report(another, setup);
  }
}

async function ask(
  setup: SetupRequest,
  { standardControl, defaults, control }: ControlHandlers,
): Promise<ControlAnswer> {
  const order = setup.type === "standard"
    ? [standardControl, defaults, control]
    : [control];
  for (const handler of order) {
    const result = handler === undefined ? unhandled : await handler(setup);
    // One that has answered by itself has handled it, whatever it returns.
    if (result !== unhandled || setup.settled) return result;
  }
  return unhandled;
}

async function answer(
  setup: SetupRequest,
  result: ControlAnswer,
): Promise<void> {
  if (result instanceof Uint8Array) {
    // The host has given up, and the handler has not noticed.
    if (setup.settled && setup.signal.aborted) return;
    await setup.reply(result);
  } else if (result !== undefined && result !== unhandled) {
    throw new TypeError(
      `Cannot answer a control request with "${result}": return bytes, or nothing`,
    );
  } else if (!setup.settled) {
    const nothingToSay = setup.direction === "in" && setup.length > 0;
    if (result === unhandled || nothingToSay) setup.stall();
    else await setup.acknowledge();
  }
}
