/**
 * Sees to it that every control request is answered, whatever its handler does.
 *
 * @module
 */
import { show } from "../../arguments/show.ts";
import {
  type ControlAnswer,
  type ControlErrorHandler,
  type ControlHandler,
  type SetupRequest,
  Stall,
  unhandled,
} from "../../usb/control.ts";
import { guard, type StallCause } from "./setup.ts";

/** Who answers the control requests of a function. */
export interface ControlHandlers {
  /** Gets standard requests first. */
  readonly standardControl?: ControlHandler;
  /** Gets standard requests that `standardControl` does not want. */
  readonly defaults: ControlHandler;
  /** Gets all the others, and standard requests that are left. */
  readonly control?: ControlHandler;
  /** Gets what the handlers throw. */
  readonly onError?: ControlErrorHandler;
  /** Gets it where there is no `onError`, and what that throws. */
  readonly report: ControlErrorHandler;
  /**
   * Gets a request that was stalled because no handler has answered it.
   *
   * @param why What was wrong, in words.
   */
  readonly onUnanswered?: (setup: SetupRequest, why: string) => void;
}

/** A request on its way through the handlers. */
export interface DispatchedRequest extends SetupRequest {
  /** Whether it was stalled. */
  readonly stalled: boolean;
  /** Set when its handlers have run. */
  handled: boolean;
  /** Stalls it, for a reason. */
  refuse(cause: StallCause): void;
}

const UNKNOWN = 'no handler answers it; add it to "control"';
const NOTHING =
  "its handler returned nothing, though the host asked for data; return the bytes, or throw Stall";

/**
 * Runs the handlers of a request, and answers it as they say. Never rejects.
 *
 * What a handler returns at once is on its way to the host when this returns:
 * a turn of the microtask queue later something else would go first.
 */
export async function dispatchControl(
  setup: DispatchedRequest,
  handlers: ControlHandlers,
): Promise<void> {
  try {
    const asked = ask(setup, handlers);
    const result = asked instanceof Promise ? await asked : asked;
    setup.handled = true;
    await answer(setup, result, handlers);
  } catch (error) {
    if (!setup.settled) setup.refuse({ error });
    if (!isMeant(error, setup)) reportError(error, setup, handlers);
  }
}

/**
 * Whether nothing is wrong with what a handler has thrown: a stall on purpose,
 * unless the request was acknowledged before; or the reason of the signal, when
 * the host has given up.
 */
function isMeant(error: unknown, setup: DispatchedRequest): boolean {
  const cancelled = setup.signal.aborted;
  return error instanceof Stall
    ? setup.stalled || cancelled
    : cancelled && isReason(error, setup.signal);
}

/** Other operations that were given the signal have errors of their own. */
function isReason(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason ||
    error instanceof Error && error.cause === signal.reason;
}

/** Reports what code of the program has thrown for a request. Never throws. */
export function reportError(
  error: unknown,
  setup: SetupRequest,
  { onError, report }: ControlHandlers,
): void {
  if (onError === undefined) return report(error, setup);
  guard(() => onError(error, setup), (another) => report(another, setup));
}

function ask(
  setup: SetupRequest,
  { standardControl, defaults, control = refuse }: ControlHandlers,
): ControlAnswer | Promise<ControlAnswer> {
  if (setup.type !== "standard") return control(setup);
  return askInTurn(setup, [standardControl ?? refuse, defaults, control]);
}

const refuse: ControlHandler = () => unhandled;

async function askInTurn(
  setup: SetupRequest,
  handlers: readonly ControlHandler[],
): Promise<ControlAnswer> {
  for (const handler of handlers) {
    const result = await handler(setup);
    // One that has answered by itself has handled it, whatever it returns.
    if (result !== unhandled || setup.settled) return result;
  }
  return unhandled;
}

async function answer(
  setup: DispatchedRequest,
  result: ControlAnswer,
  { onUnanswered }: ControlHandlers,
): Promise<void> {
  if (result instanceof Uint8Array) {
    // The host has given up, and the handler has not noticed.
    if (setup.settled && setup.signal.aborted) return;
    await setup.reply(result);
  } else if (result !== undefined && result !== unhandled) {
    throw new TypeError(
      `Cannot answer a control request with ${
        show(result)
      }: return a Uint8Array, or nothing`,
    );
  } else if (!setup.settled) {
    const nothingToSay = setup.direction === "in" && setup.length > 0;
    if (result === unhandled || nothingToSay) {
      setup.refuse({ unhandled: true });
      onUnanswered?.(setup, result === unhandled ? UNKNOWN : NOTHING);
    } else await setup.acknowledge();
  }
}
