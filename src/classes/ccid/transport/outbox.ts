/**
 * Messages to the host.
 *
 * @module
 */
import type { InEndpoint } from "../../../functionfs/endpoint/in_endpoint.ts";
import { SessionEndedError } from "../../../functionfs/session.ts";
import { AbortedTransferError } from "../../../functionfs/transfer/error.ts";
import { encodeResponse, type ResponseMessage } from "../messages.ts";

/** A message that the host has not received. */
interface Pending {
  readonly slot: number;
  readonly controller: AbortController;
  readonly done: Promise<void>;
}

/** Sends messages, in order. */
export class Outbox {
  readonly #endpoint: InEndpoint;
  readonly #report: (error: unknown) => void;
  readonly #pending = new Set<Pending>();

  constructor(endpoint: InEndpoint, report: (error: unknown) => void) {
    this.#endpoint = endpoint;
    this.#report = report;
  }

  /** Sends a message, which ends with a short or empty packet. */
  send(message: ResponseMessage): void {
    const controller = new AbortController();
    const pending: Pending = {
      slot: message.slot,
      controller,
      done: this.#write(encodeResponse(message), controller.signal)
        .finally(() => this.#pending.delete(pending)),
    };
    this.#pending.add(pending);
  }

  /** Whether messages of a slot wait for the host. */
  hasPending(slot: number): boolean {
    return this.#of(slot).length > 0;
  }

  /**
   * Withdraws the messages of a slot. A host that sends a command does not wait for
   * the response to an earlier one: it has given that up, or is another host.
   */
  async withdraw(slot: number): Promise<void> {
    const pending = this.#of(slot);
    if (pending.length === 0) return;
    for (const { controller } of pending) controller.abort();
    await Promise.all(pending.map(({ done }) => done));
  }

  #of(slot: number): Pending[] {
    return [...this.#pending].filter((it) => it.slot === slot);
  }

  async #write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    try {
      await this.#endpoint.write(bytes, { zlp: "auto", signal });
    } catch (error) {
      const isExpected = error instanceof SessionEndedError ||
        error instanceof AbortedTransferError;
      if (!isExpected) this.#report(error);
    }
  }
}
