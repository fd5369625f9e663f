/**
 * Messages and triggers, which the program handles one after another.
 *
 * @module
 */
import type { Session } from "../../../functionfs/sessions.ts";
import { IncomingMessage, type UsbtmcMessage } from "./message.ts";
import type { Outbox } from "./outbox.ts";
import { Outgoing, type UsbtmcResponse } from "./response.ts";

/** Does what the host asks for. */
export interface Listener {
  /** Handles a message; returns the response, if it has one. */
  message(
    message: UsbtmcMessage,
  ): UsbtmcResponse | undefined | Promise<UsbtmcResponse | undefined>;
  /** The host triggers the device. Without it, the host cannot. */
  readonly trigger: (() => unknown) | undefined;
  /** A query went wrong: its response was not read, or there is none. */
  queryError(kind: "interrupted" | "unterminated"): void;
  /** A response waits for the host, or does no longer. */
  availability(): void;
}

/** What reports errors of the program. */
type Reporter = Pick<Session, "report">;

/** Calls the program. */
export class Handling {
  readonly #listener: Listener;
  readonly #outbox: Outbox;
  /** What is handled, or waits for that. A trigger is an empty message here. */
  readonly #messages = new Set<IncomingMessage>();
  /** The last one that is no trigger. */
  #last: IncomingMessage | undefined;
  #hasRoom: Promise<void> = Promise.resolve();
  /** Settles when the last one is handled, even if the host gave it up. */
  #done: Promise<void> = Promise.resolve();

  constructor(listener: Listener, outbox: Outbox) {
    this.#listener = listener;
    this.#outbox = outbox;
  }

  /** Whether there are messages whose responses may come. */
  get isBusy(): boolean {
    return this.#messages.size > 0;
  }

  /** Resolves when another one may begin: one waits while another is handled. */
  get hasRoom(): Promise<void> {
    return this.#hasRoom;
  }

  /** Begins a message, which is handled when it is its turn. */
  begin(session: Reporter): IncomingMessage {
    if (this.#outbox.drop()) this.#listener.queryError("interrupted");
    return this.#last = this.#add(session, async (message) => {
      const data = await this.#listener.message(message);
      const response = data === undefined ? undefined : new Outgoing(data);
      if (message.signal.aborted) response?.close();
      else this.#respond(message, response);
    });
  }

  /** Triggers the device when it is the trigger's turn. */
  trigger(session: Reporter): void {
    this.#add(session, async () => {
      await this.#listener.trigger!();
    });
  }

  /** The host gives a message up. */
  giveUp(message: IncomingMessage, error: unknown): void {
    message.fail(error);
    this.#messages.delete(message);
  }

  /** The host gives everything up. */
  giveUpAll(error: unknown): void {
    for (const message of this.#messages) this.giveUp(message, error);
  }

  #add(
    session: Reporter,
    handle: (message: IncomingMessage) => Promise<void>,
  ): IncomingMessage {
    const message = new IncomingMessage();
    this.#messages.add(message);
    this.#hasRoom = this.#done;
    this.#done = this.#done.then(async () => {
      const { signal } = message;
      try {
        if (!signal.aborted) await handle(message);
      } catch (error) {
        if (!signal.aborted) session.report(error);
      } finally {
        message.release();
        this.#messages.delete(message);
      }
    });
    return message;
  }

  #respond(message: IncomingMessage, response: Outgoing | undefined): void {
    this.#messages.delete(message);
    if (message !== this.#last) {
      if (response === undefined) return;
      response.close();
      return this.#listener.queryError("interrupted");
    }
    if (response !== undefined) this.#outbox.respond(response);
    else if (this.#outbox.isWanted) this.#listener.queryError("unterminated");
  }
}
