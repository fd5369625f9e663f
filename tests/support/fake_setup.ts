/**
 * Control requests without a host, for tests of handlers.
 *
 * @module
 */
import {
  type ControlAnswer,
  type ControlHandler,
  type ControlOutcome,
  unhandled,
} from "../../mod.ts";
import { encodeSetup, type SetupFields } from "../../src/inspect/mod.ts";
import {
  type ControlHandlers,
  dispatchControl,
} from "../../src/functionfs/control/dispatch.ts";
import { Session } from "../../src/functionfs/session.ts";
import {
  Setup,
  type SetupAnswers,
} from "../../src/functionfs/control/setup.ts";

/** How a request was answered: bytes, the data that was taken, or how else. */
export type FakeOutcome =
  | { readonly sent: number[] }
  | { readonly taken: number }
  | "stall"
  | "nothing";

/** A request, and what became of it. */
export interface FakeSetup {
  readonly setup: Setup;
  outcome: FakeOutcome;
  /** What an observer gets. */
  readonly outcomes: ControlOutcome[];
}

/** How the host of a request behaves. */
export interface FakeOptions {
  readonly data?: readonly number[];
  readonly gone?: boolean;
  readonly session?: Session;
}

/**
 * Makes a request.
 *
 * @param data What the host sends.
 * @param gone The host does not wait for the answer any more.
 * @param session The session that it belongs to.
 */
export function fakeSetup(
  fields: SetupFields,
  { data = [], gone = false, session = new Session() }: FakeOptions = {},
): FakeSetup {
  const length = fields.direction === "in" ? fields.length : data.length;
  const answers: SetupAnswers = {
    send(_, bytes) {
      if (gone) return Promise.resolve(-1);
      fake.outcome = { sent: [...bytes] };
      return Promise.resolve(bytes.byteLength);
    },
    take(_, buffer) {
      if (gone) return Promise.resolve(-1);
      buffer.set(data);
      fake.outcome = { taken: data.length };
      return Promise.resolve(data.length);
    },
    refuse() {
      fake.outcome = "stall";
    },
  };
  const fake: FakeSetup = {
    setup: new Setup(encodeSetup({ ...fields, length }), answers, {
      onOutcome: (_, outcome) => fake.outcomes.push(outcome),
    }),
    outcome: "nothing",
    outcomes: [],
  };
  fake.setup.session = session;
  return fake;
}

/** Runs handlers on a request; returns its outcome, and what was reported. */
export async function runSetup(
  fake: FakeSetup,
  handlers: Partial<ControlHandlers>,
): Promise<{ outcome: FakeOutcome; errors: unknown[] }> {
  const errors: unknown[] = [];
  await dispatchControl(fake.setup, {
    defaults: unhandledBy,
    report: (error) => errors.push(error),
    ...handlers,
  });
  return { outcome: fake.outcome, errors };
}

/** Runs one handler on a request; returns its outcome. */
export async function outcomeOf(
  handler: ControlHandler,
  fields: SetupFields,
  data?: readonly number[],
  session?: Session,
): Promise<FakeOutcome> {
  const fake = fakeSetup(fields, { data, session });
  const { outcome, errors } = await runSetup(fake, {
    control: handler,
    defaults: handler,
  });
  if (errors.length > 0) throw errors[0];
  return outcome;
}

const unhandledBy = (): ControlAnswer => unhandled;
