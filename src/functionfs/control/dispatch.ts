/**
 * Runs the handlers of control requests. Every request is answered, whatever
 * they do.
 *
 * @module
 */
import type { UsbFunction } from "../../definition/function.ts";
import {
  type ControlAnswer,
  type ControlErrorHandler,
  type ControlHandler,
  type SetupRequest,
  Stall,
  unhandled,
} from "../../usb/control.ts";
import { ControlEndpoint, type ControlEndpointOptions } from "./endpoint.ts";
import { ControlLog } from "./log.ts";
import { guard, type Setup } from "./setup.ts";
import type { Tracer } from "../trace/tracer.ts";
import { type Haltable, standardRequests } from "./standard_requests.ts";
import { show } from "../../arguments/show.ts";

/** What serves the control endpoint of a function. */
export interface ControlService
  extends Omit<ControlEndpointOptions, "onSetup" | "onFailure" | "reports"> {
  /** Called when the kernel reports no more events. */
  readonly onEnd: () => void;
  readonly tracer?: Tracer;
}

/**
 * Begins to handle the events and control requests of a function.
 *
 * @param endpoints In the order of their numbers.
 */
export function serveControl(
  definition: UsbFunction,
  endpoints: readonly Haltable[],
  service: ControlService,
): ControlEndpoint {
  const { lifecycle, tracer } = service;
  const { onControl } = definition;
  const log = new ControlLog(definition.name);
  const report: ControlErrorHandler = (error, setup) => {
    if (!lifecycle.events.report(error, setup)) log.error(error, setup);
  };
  const handlers: ControlHandlers = {
    standardControl: definition.standardControl,
    defaults: standardRequests(definition, endpoints),
    control: definition.control,
    onError: definition.onError,
    report,
    onUnanswered: onControl ? undefined : log.unanswered.bind(log),
  };
  return new ControlEndpoint({
    ...service,
    reports: {
      onError: (error, setup) => reportError(error, setup, handlers),
      onOutcome: (onControl ?? tracer) &&
        ((setup, outcome, data) => {
          tracer?.outcome(setup, outcome, data);
          guard(
            () => onControl?.(setup, outcome),
            (error) => report(error, setup),
          );
        }),
    },
    onSetup: (setup) => {
      tracer?.begin(setup);
      void dispatchControl(setup, handlers);
    },
    onFailure: (error) => {
      if (!lifecycle.events.report(error)) log.error(error);
      service.onEnd();
    },
  });
}

/** What answers the control requests of a function. */
export interface ControlHandlers {
  /** Gets standard requests first. */
  readonly standardControl?: ControlHandler;
  /** Gets standard requests that `standardControl` does not handle. */
  readonly defaults: ControlHandler;
  /** Gets all other requests, and standard requests that neither handles. */
  readonly control?: ControlHandler;
  /** Gets what handlers throw. */
  readonly onError?: ControlErrorHandler;
  /** Gets it if `onError` is missing, and what `onError` throws. */
  readonly report: ControlErrorHandler;
  /** Gets a request that was stalled because no handler answered it. */
  readonly onUnanswered?: (setup: SetupRequest, why: string) => void;
}

const UNKNOWN = 'no handler answers it; add it to "control"';
const NOTHING =
  "its handler returned nothing, though the host asked for data; return the bytes, or throw Stall";

/**
 * Runs the handlers of a request, and sends their answer. Never rejects.
 *
 * A value that a handler returns synchronously is on its way to the host when
 * this function returns: one microtask later, other work would go first.
 */
export async function dispatchControl(
  setup: Setup,
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
 * Whether a handler has thrown on purpose: a stall, unless the request was
 * already acknowledged; or the reason of the signal, possibly wrapped, after
 * the host has given up.
 */
function isMeant(error: unknown, { stalled, signal }: Setup): boolean {
  if (error instanceof Stall) return stalled || signal.aborted;
  const cause = error instanceof Error ? error.cause : undefined;
  return signal.aborted && (error === signal.reason || cause === signal.reason);
}

/** Reports what the program's code has thrown for a request. Never throws. */
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
    // A handler that has answered the request itself has handled it.
    if (result !== unhandled || setup.settled) return result;
  }
  return unhandled;
}

async function answer(
  setup: Setup,
  result: ControlAnswer,
  { onUnanswered }: ControlHandlers,
): Promise<void> {
  if (result instanceof Uint8Array) {
    // The host has given up, unnoticed by the handler.
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
