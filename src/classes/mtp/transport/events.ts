/**
 * Events on the interrupt endpoint (Still Image Capture Device Definition 1.0,
 * 7.3).
 *
 * @module
 */
import type { InEndpoint } from "../../../functionfs/endpoint/in_endpoint.ts";
import { EventCode } from "../protocol/codes.ts";
import { ContainerType, encodeMessage } from "../protocol/container.ts";

/** Events that wait for the host at most. */
const MAX_WAITING = 64;
/** An event that belongs to no transaction. */
const NO_TRANSACTION = 0xffff_ffff;

/** What has happened. */
interface Event {
  readonly code: number;
  readonly parameters: readonly number[];
  readonly transactionId: number;
}

/**
 * Events that wait until the host polls for them. A host that does not is no
 * hindrance: when too many wait, one event takes the place of all.
 */
export class EventQueue {
  #endpoint: InEndpoint | undefined;
  #waiting: Event[] = [];
  #isSending = false;
  #last: Event | undefined;

  /** Begins to send, with an endpoint of a session of the host. */
  open(endpoint: InEndpoint): void {
    this.#endpoint = endpoint;
  }

  /** Drops everything, and what comes until the next {@linkcode open}. */
  close(): void {
    const endpoint = this.#endpoint;
    this.#endpoint = undefined;
    this.#waiting = [];
    this.#last = undefined;
    // It fails only if nothing is left to be withdrawn.
    if (this.#isSending) endpoint?.discard().catch(() => {});
  }

  /**
   * Sends an event, when the host polls.
   *
   * @param transactionId The transaction that it is about, if any.
   */
  send(
    code: number,
    parameters: readonly number[],
    transactionId = NO_TRANSACTION,
  ): void {
    if (this.#endpoint === undefined) return;
    this.#waiting.push({ code, parameters, transactionId });
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting = [{
        code: EventCode.UnreportedStatus,
        parameters: [],
        transactionId: NO_TRANSACTION,
      }];
    }
    if (!this.#isSending) this.#sendAll();
  }

  /**
   * The last event that the host was sent, for GET_EXTENDED_EVENT_DATA (5.2.2):
   * u16 code, u32 transaction, u16 number of parameters, and each of these after a
   * u16 with its size.
   */
  extendedData(): Uint8Array | undefined {
    if (this.#last === undefined) return undefined;
    const { code, parameters, transactionId } = this.#last;
    const view = new DataView(new ArrayBuffer(8 + 6 * parameters.length));
    view.setUint16(0, code, true);
    view.setUint32(2, transactionId, true);
    view.setUint16(6, parameters.length, true);
    parameters.forEach((it, index) => {
      view.setUint16(8 + 6 * index, 4, true);
      view.setUint32(10 + 6 * index, it, true);
    });
    return new Uint8Array(view.buffer);
  }

  /** Never rejects. */
  async #sendAll(): Promise<void> {
    this.#isSending = true;
    for (
      let endpoint = this.#endpoint;
      endpoint !== undefined && this.#waiting.length > 0;
      endpoint = this.#endpoint
    ) {
      const event = this.#waiting.shift()!;
      const bytes = encodeMessage({ type: ContainerType.EVENT, ...event });
      this.#last = event;
      try {
        await endpoint.write(bytes);
      } catch {
        // The session is over, and `close` or the next `open` follows.
      }
    }
    this.#isSending = false;
  }
}
