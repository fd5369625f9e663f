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
  readonly onError: ControlErrorHandler;
}

/** Runs the handlers of a request, and answers it as they say. Never rejects. */
export async function dispatchControl(
  setup: SetupRequest,
  handlers: ControlHandlers,
): Promise<void> {
  try {
    await answer(setup, await ask(setup, handlers));
  } catch (error) {
    if (!setup.settled) setup.stall();
    // The host has given up, and the handler has noticed: nothing is wrong.
    const cancelled = setup.signal.aborted && error === setup.signal.reason;
    if (!cancelled && !(error instanceof Stall)) {
      handlers.onError(error, setup);
    }
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
  if (setup.signal.aborted) return;
  if (result instanceof Uint8Array) {
    await setup.reply(result);
  } else if (!setup.settled) {
    const nothingToSay = setup.direction === "in" && setup.length > 0;
    if (result === unhandled || nothingToSay) setup.stall();
    else await setup.acknowledge();
  }
}
