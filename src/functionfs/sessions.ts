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
  /**
   * Reports an error that no caller awaits, and goes on: it becomes an
   * `"error"` event of the function, and is printed with `console.error` if no
   * iteration over its `events` receives it.
   */
  report(error: unknown): void;
  /**
   * Wakes a suspended host; see {@linkcode FunctionFs.wakeHost}. Errors are
   * reported.
   */
  wakeHost(): void;
}

/** What a session does for its function. */
export type SessionActions = Pick<Session, "report" | "wakeHost">;

/** Yields each session from the current one on, until the function is closed. */
export async function* sessionsOf<F extends UsbFunction>(
  lifecycle: Lifecycle,
  endpointsOf: (session: SessionLife) => EndpointObjects<F>,
  actions: SessionActions,
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
        ...actions,
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
