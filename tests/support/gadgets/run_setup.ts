/**
 * Control requests without a host, for all handlers of a function.
 *
 * @module
 */
import { type ControlHandler, unhandled } from "@usb/gadget";
import {
  type FakeOutcome,
  type FakeSetup,
  fakeSetup,
} from "@usb/gadget/testing";
import {
  type ControlHandlers,
  dispatchControl,
} from "../../../src/functionfs/control/dispatch.ts";
import type { Setup } from "../../../src/functionfs/control/setup.ts";

/** Runs handlers on a request, and returns its outcome and the reported errors. */
export async function runSetup(
  fake: FakeSetup,
  handlers: Partial<ControlHandlers>,
): Promise<{ outcome: FakeOutcome; errors: unknown[] }> {
  const errors: unknown[] = [];
  await dispatchControl(fake.setup as Setup, {
    defaults: () => unhandled,
    report: (error) => errors.push(error),
    ...handlers,
  });
  return { outcome: fake.outcome, errors };
}

/** Runs one handler on a request, and returns its outcome. */
export function outcomeOf(
  handler: ControlHandler,
  fields: Parameters<typeof fakeSetup>[0],
  data?: readonly number[],
  session?: { readonly signal: AbortSignal },
): Promise<FakeOutcome> {
  return fakeSetup(fields, { data, session }).answer(handler);
}
