/**
 * The sessions of a function, for the program.
 *
 * @module
 */
import type { UsbFunction } from "../definition/function.ts";
import type { EndpointObjects } from "./endpoint/objects.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { SessionEndedError, type SessionLife } from "./session.ts";

/**
 * One connection of a function: from the host's SET_CONFIGURATION or
 * SET_INTERFACE to the reset, unplugged cable or reconfiguration that ends it.
 *
 * @category Endpoints
 */
export interface Session<F extends UsbFunction = UsbFunction> {
  /**
   * The endpoints of the function, for this session alone: whatever is pending
   * when it ends, or is called later, fails with {@linkcode SessionEndedError},
   * and reaches no other session. Nothing that an earlier session has left is
   * received.
   */
  readonly endpoints: EndpointObjects<F>;
  /** Aborted when the session ends; the reason is a {@linkcode SessionEndedError}. */
  readonly signal: AbortSignal;
}

/** Yields each session from the current one on, until the function is closed. */
export async function* sessionsOf<F extends UsbFunction>(
  lifecycle: Lifecycle,
  endpointsOf: (session: SessionLife) => EndpointObjects<F>,
): AsyncGenerator<Session<F>, undefined> {
  let last: SessionLife | undefined;
  while (lifecycle.state !== "closed") {
    const { session, state } = lifecycle;
    if (state === "enabled" && session !== last) {
      last = session;
      yield {
        endpoints: endpointsOf(session),
        get signal() {
          return session.signal;
        },
      };
    } else {
      await new Promise<void>((resolve) => {
        const stop = lifecycle.events.listen(({ type }) => {
          if (type !== "enable") return;
          stop();
          resolve();
        }, resolve);
      });
    }
  }
}

/** Calls `serve` for each session. Never rejects. */
export async function serveSessions<F extends UsbFunction>(
  sessions: AsyncIterable<Session<F>>,
  serve: (session: Session<F>) => unknown,
  onError: (error: unknown) => void,
): Promise<void> {
  for await (const session of sessions) {
    try {
      await serve(session);
    } catch (error) {
      if (!(error instanceof SessionEndedError)) onError(error);
    }
  }
}
