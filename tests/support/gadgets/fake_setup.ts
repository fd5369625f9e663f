/**
 * Control requests without a host, to test handlers.
 *
 * @module
 */
import {
  type ControlAnswer,
  type ControlHandler,
  type ControlOutcome,
  unhandled,
} from "../../../mod.ts";
import {
  encodeSetup,
  type SetupFields,
} from "../../../src/usb/setup_packet.ts";
import {
  type ControlHandlers,
  dispatchControl,
} from "../../../src/functionfs/control/dispatch.ts";
import { SessionLife } from "../../../src/functionfs/session.ts";
import {
  Setup,
  type SetupAnswers,
} from "../../../src/functionfs/control/setup.ts";

/** How a request was answered: with bytes, by receiving data, or otherwise. */
export type FakeOutcome =
  | { readonly sent: number[] }
  | { readonly taken: number }
  | "stall"
  | "nothing";

/** A request and its outcome. */
export interface FakeSetup {
  readonly setup: Setup;
  outcome: FakeOutcome;
  /** The outcome that an observer receives. */
  readonly outcomes: ControlOutcome[];
}

/** The behaviour of the host. */
export interface FakeOptions {
  readonly data?: readonly number[];
  readonly gone?: boolean;
  readonly session?: SessionLife;
}

/**
 * Creates a request.
 *
 * @param data The data that the host sends.
 * @param gone Whether the host no longer waits for the answer.
 * @param session The session of the request.
 */
export function fakeSetup(
  fields: SetupFields,
  { data = [], gone = false, session = new SessionLife(0) }: FakeOptions = {},
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

/** Runs handlers on a request, and returns its outcome and the reported errors. */
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

/** Runs one handler on a request, and returns its outcome. */
export async function outcomeOf(
  handler: ControlHandler,
  fields: SetupFields,
  data?: readonly number[],
  session?: SessionLife,
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
