/**
 * Packets of the interrupt endpoint: the status byte, and service requests (USB488
 * 1.0, 3.4).
 *
 * @module
 */
import type { InEndpoint } from "../../../functionfs/endpoint/in_endpoint.ts";

/** The tag that means a service request. */
const SERVICE_REQUEST = 1;
const NOTIFICATION = 0x80;

interface Notification {
  readonly tag: number;
  readonly status: number;
}

/**
 * Notifications that wait until the host polls for them: at most one service
 * request and one status byte, the last of each. A host that has given up would
 * leave a status byte that the next one does not expect.
 */
export class Notifications {
  #endpoint: InEndpoint | undefined;
  #waiting: Notification[] = [];
  #current:
    | { readonly isRequest: boolean; readonly controller: AbortController }
    | undefined;

  /** Begins to send, with an endpoint of a session. */
  open(endpoint: InEndpoint): void {
    this.#endpoint = endpoint;
  }

  /** Drops everything, and what comes until the next {@linkcode open}. */
  close(): void {
    this.#endpoint = undefined;
    this.clear();
  }

  /** Withdraws what the host has not taken. */
  clear(): void {
    this.#waiting = [];
    this.#current?.controller.abort();
  }

  /** Requests service. */
  requestService(status: number): void {
    this.#send({ tag: SERVICE_REQUEST, status });
  }

  /** Sends the status byte, which the host has asked for. */
  sendStatus(tag: number, status: number): void {
    this.#send({ tag, status });
  }

  #send(notification: Notification): void {
    if (this.#endpoint === undefined) return;
    const isRequest = notification.tag === SERVICE_REQUEST;
    this.#waiting = this.#waiting.filter(({ tag }) =>
      isRequest !== (tag === SERVICE_REQUEST)
    );
    this.#waiting.push(notification);
    const current = this.#current;
    if (current === undefined) this.#sendAll();
    else if (current.isRequest === isRequest) current.controller.abort();
  }

  /** Never rejects. */
  async #sendAll(): Promise<void> {
    for (
      let endpoint = this.#endpoint;
      endpoint !== undefined && this.#waiting.length > 0;
      endpoint = this.#endpoint
    ) {
      const { tag, status } = this.#waiting.shift()!;
      const controller = new AbortController();
      this.#current = { isRequest: tag === SERVICE_REQUEST, controller };
      try {
        await endpoint.write(Uint8Array.of(NOTIFICATION | tag, status), {
          signal: controller.signal,
        });
      } catch {
        // A newer one takes its place, or the session is over.
      }
    }
    this.#current = undefined;
  }
}
