/**
 * Changes of slots on the interrupt endpoint (CCID 1.1, 6.3.1).
 *
 * @module
 */
import type { InEndpoint } from "../../../functionfs/endpoint/in_endpoint.ts";

const NOTIFY_SLOT_CHANGE = 0x50;

/**
 * Notifies the host of cards that come and go: of the newest state, and of what has
 * changed since the host has polled. A host that does not poll is no hindrance.
 */
export class SlotChanges {
  readonly #present: boolean[];
  readonly #changed: boolean[];
  #endpoint: InEndpoint | undefined;
  /** Withdraws the message that waits for the host. */
  #sending: AbortController | undefined;

  /** @param slots How many there are, all empty. */
  constructor(slots: number) {
    this.#present = Array(slots).fill(false);
    this.#changed = Array(slots).fill(false);
  }

  /** Begins a session: the first message has the cards that are there. */
  open(endpoint: InEndpoint): void {
    this.#endpoint = endpoint;
    this.#sending = undefined;
    this.#changed.splice(0, Infinity, ...this.#present);
    this.#sendAll(endpoint);
  }

  /** Ends a session. */
  close(): void {
    this.#endpoint = undefined;
  }

  /** A card has come or gone. */
  set(slot: number, present: boolean): void {
    this.#present[slot] = present;
    this.#changed[slot] = true;
    if (this.#endpoint === undefined) return;
    if (this.#sending === undefined) this.#sendAll(this.#endpoint);
    else this.#sending.abort();
  }

  /** Sends until the host knows everything. Never rejects. */
  async #sendAll(endpoint: InEndpoint): Promise<void> {
    while (this.#endpoint === endpoint && this.#changed.includes(true)) {
      const changed = [...this.#changed];
      this.#changed.fill(false);
      const controller = this.#sending = new AbortController();
      try {
        await endpoint.write(this.#encode(changed), {
          signal: controller.signal,
        });
      } catch {
        // Withdrawn for a newer one, or the session is over and `open` follows.
        if (this.#endpoint !== endpoint) return;
        changed.forEach((it, slot) => this.#changed[slot] ||= it);
        if (!controller.signal.aborted) break;
      }
    }
    if (this.#endpoint === endpoint) this.#sending = undefined;
  }

  /** bMessageType, and for each slot two bits: present, changed. */
  #encode(changed: readonly boolean[]): Uint8Array {
    const bytes = new Uint8Array(1 + Math.ceil(changed.length / 4));
    bytes[0] = NOTIFY_SLOT_CHANGE;
    changed.forEach((isChanged, slot) => {
      const bits = (this.#present[slot] ? 1 : 0) | (isChanged ? 2 : 0);
      bytes[1 + (slot >> 2)] |= bits << 2 * (slot & 3);
    });
    return bytes;
  }
}
