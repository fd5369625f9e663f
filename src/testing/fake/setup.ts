/**
 * Control requests without a kernel.
 *
 * @module
 */
import { dispatchControl } from "../../functionfs/control/dispatch.ts";
import { Setup, type SetupAnswers } from "../../functionfs/control/setup.ts";
import { SessionLife } from "../../functionfs/session.ts";
import {
  type ControlHandler,
  type ControlOutcome,
  type SetupRequest,
  unhandled,
} from "../../usb/control.ts";
import { encodeSetup, type SetupFields } from "../../usb/setup_packet.ts";

/**
 * What the host sees of a control request: the bytes that were sent to it, how
 * many of its bytes were taken, a stall, or nothing so far.
 *
 * @category Testing
 */
export type FakeOutcome =
  | { readonly sent: readonly number[] }
  | { readonly taken: number }
  | "stall"
  | "nothing";

/**
 * What the host of a control request does.
 *
 * @category Testing
 */
export interface FakeSetupOptions {
  /**
   * The data of an OUT request.
   * @default {none}
   */
  readonly data?: Uint8Array | readonly number[];
  /**
   * Whether the host no longer waits: an answer fails with EIDRM.
   * @default {false}
   */
  readonly gone?: boolean;
  /**
   * The session of the request, such as that of `fakeSession()`. When its signal
   * is aborted, the callbacks of `onSessionEnd` run.
   */
  readonly session?: { readonly signal: AbortSignal };
}

/**
 * A control request of a host that does not exist; see {@linkcode fakeSetup}.
 *
 * @category Testing
 */
export class FakeSetup {
  /** What a handler gets. */
  readonly setup: SetupRequest;
  /** What the host has seen so far. */
  outcome: FakeOutcome = "nothing";
  /** What `onControl` of a function would receive. */
  readonly outcomes: ControlOutcome[] = [];

  /** Made by {@linkcode fakeSetup}. */
  constructor(fields: SetupFields, options: FakeSetupOptions) {
    const { data = [], gone = false, session } = options;
    const length = fields.direction === "in" ? fields.length : data.length;
    const answers: SetupAnswers = {
      send: (_, bytes) => {
        if (gone) return Promise.resolve(-1);
        this.outcome = { sent: [...bytes] };
        return Promise.resolve(bytes.byteLength);
      },
      take: (_, buffer) => {
        if (gone) return Promise.resolve(-1);
        buffer.set(data);
        this.outcome = { taken: data.length };
        return Promise.resolve(data.length);
      },
      refuse: () => {
        this.outcome = "stall";
      },
    };
    const setup = new Setup(encodeSetup({ ...fields, length }), answers, {
      onOutcome: (_, outcome) => this.outcomes.push(outcome),
    });
    setup.session = lifeOf(session?.signal);
    this.setup = setup;
  }

  /**
   * Has a handler answer the request, as a function would.
   *
   * @returns What the host sees: also {@linkcode outcome}.
   * @throws What the handler throws, unless it is a `Stall`. The request is
   * stalled in any case.
   */
  async answer(handler: ControlHandler): Promise<FakeOutcome> {
    const errors: unknown[] = [];
    await dispatchControl(this.setup as Setup, {
      defaults: () => unhandled,
      control: handler,
      report: (error) => errors.push(error),
    });
    if (errors.length > 0) throw errors[0];
    return this.outcome;
  }

  /** The host gives up: `setup.signal` is aborted. */
  cancel(): void {
    (this.setup as Setup).cancel();
  }
}

/**
 * Makes a control request for the test of a handler. Needs no kernel support
 * and no root.
 *
 * Unlike FunctionFS it replaces no numbers: `index` is what the handler gets,
 * which is the number of the interface within the function. Standard requests
 * get no answer by the package.
 *
 * @example A handler that answers a request of its vendor
 * ```ts
 * import { fakeSetup } from "@usb/gadget/testing";
 * import { type SetupRequest, unhandled } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const control = ({ request, value }: SetupRequest) =>
 *   request === 1 ? new Uint8Array([value, 0]) : unhandled;
 *
 * const vendor = { type: "vendor", recipient: "interface" } as const;
 * const asked = fakeSetup({
 *   ...vendor,
 *   direction: "in",
 *   request: 1,
 *   value: 7,
 *   length: 2,
 * });
 * assertEquals(await asked.answer(control), { sent: [7, 0] });
 * const other = fakeSetup({ ...vendor, request: 2 });
 * assertEquals(await other.answer(control), "stall");
 * ```
 *
 * @param fields The request. The length of an OUT request is that of its data.
 * @category Testing
 */
export function fakeSetup(
  fields: SetupFields,
  options: FakeSetupOptions = {},
): FakeSetup {
  return new FakeSetup(fields, options);
}

/** A session that ends when a signal is aborted. */
function lifeOf(signal: AbortSignal | undefined): SessionLife {
  const life = new SessionLife(0);
  if (signal?.aborted) life.end("disabled");
  else signal?.addEventListener("abort", () => life.end("disabled"));
  return life;
}
