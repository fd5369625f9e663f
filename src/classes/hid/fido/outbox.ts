/**
 * What waits to be sent to the host.
 *
 * @module
 */

/** Short answers that may wait: a host that fetches none gets no more. */
const MAX_NOTES = 64;

interface Message {
  readonly channel: number;
  readonly packets: readonly Uint8Array<ArrayBuffer>[];
  readonly kind: "answer" | "note" | "status";
  /** Called when the last packet is with the host's controller, or cannot be sent. */
  readonly onLast?: () => void;
  dropped: boolean;
}

/** Sends messages one after another, packet by packet. */
export class Outbox {
  readonly #send: (packet: Uint8Array<ArrayBuffer>) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  /** The message that is being sent is no longer in here. */
  #waiting: Message[] = [];
  #current: Message | undefined;

  constructor(
    send: (packet: Uint8Array<ArrayBuffer>) => Promise<void>,
    onError: (error: unknown) => void,
  ) {
    this.#send = send;
    this.#onError = onError;
  }

  /**
   * Sends the answer to a request.
   *
   * @param onLast Called when the last packet is handed over, not when the host has
   * it: its next request may come before that is known.
   */
  post(
    channel: number,
    packets: readonly Uint8Array<ArrayBuffer>[],
    onLast: () => void,
  ): void {
    this.#add({ channel, packets, kind: "answer", onLast, dropped: false });
  }

  /** Sends one packet, unless too many wait already. */
  note(channel: number, packets: readonly Uint8Array<ArrayBuffer>[]): void {
    const notes = this.#waiting.filter(({ kind }) => kind === "note").length;
    if (notes >= MAX_NOTES) return;
    this.#add({ channel, packets, kind: "note", dropped: false });
  }

  /** Sends one packet in place of an earlier one that waits: only the newest counts. */
  status(channel: number, packets: readonly Uint8Array<ArrayBuffer>[]): void {
    this.#waiting = this.#waiting.filter(({ kind }) => kind !== "status");
    this.#add({ channel, packets, kind: "status", dropped: false });
  }

  /** Drops what waits for a channel. A packet that was handed over stays. */
  drop(channel: number): void {
    this.#dropIf((message) => message.channel === channel);
  }

  /** Drops everything. */
  clear(): void {
    this.#dropIf(() => true);
  }

  #dropIf(condition: (message: Message) => boolean): void {
    this.#waiting = this.#waiting.filter((message) => !condition(message));
    if (this.#current !== undefined && condition(this.#current)) {
      this.#current.dropped = true;
    }
  }

  #add(message: Message): void {
    this.#waiting.push(message);
    if (this.#current === undefined) this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    for (;;) {
      const message = this.#current = this.#waiting.shift();
      if (message === undefined) return;
      await this.#sendPackets(message);
    }
  }

  async #sendPackets(message: Message): Promise<void> {
    const last = message.packets.at(-1);
    for (const packet of message.packets) {
      if (message.dropped) return;
      if (packet === last) message.onLast?.();
      try {
        await this.#send(packet);
      } catch (error) {
        this.#onError(error);
        // The host cannot use the rest.
        if (!message.dropped && packet !== last) message.onLast?.();
        return;
      }
    }
  }
}
