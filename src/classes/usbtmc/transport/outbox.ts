/**
 * The response to the host, and the transfers that it asks for.
 *
 * @module
 */
import type { InEndpoint } from "../../../functionfs/endpoint/in_endpoint.ts";
import { AbortedTransferError } from "../../../functionfs/transfer/error.ts";
import { encodeHeader, type RequestHeader } from "./header.ts";
import type { Outgoing } from "./response.ts";

/** A session as this uses it. */
export interface OutboxSession {
  readonly signal: AbortSignal;
  report(error: unknown): void;
  readonly endpoints: { readonly link: { readonly in: InEndpoint } };
}

/** A transfer to the host. */
interface Sending {
  /** Of the request; undefined for the packet that ends an aborted transfer. */
  readonly tag: number | undefined;
  readonly controller: AbortController;
  /** Resolves to the bytes of the response that the host has. Never rejects. */
  readonly done: Promise<number>;
}

/** Brings responses and requests together. */
export class Outbox {
  readonly #onChange: () => void;
  #session: OutboxSession | undefined;
  #response: Outgoing | undefined;
  #request: RequestHeader | undefined;
  #sending: Sending | undefined;

  /** @param onChange Called when there is a response, or no longer one. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Begins to send in a session. */
  open(session: OutboxSession): void {
    this.#session = session;
  }

  /** Whether a response, or the rest of one, waits for the host. */
  get hasResponse(): boolean {
    return this.#response !== undefined;
  }

  /** Whether the host waits for a response. */
  get isWanted(): boolean {
    return this.#request !== undefined;
  }

  /** The tag of the transfer that is in progress. */
  get tag(): number | undefined {
    return this.#sending?.tag ?? this.#request?.tag;
  }

  /** There is a response. */
  respond(response: Outgoing): void {
    this.#response = response;
    this.#onChange();
    this.#pump();
  }

  /**
   * The host asks for the next part of it.
   *
   * @param isExpected Whether there may be a response later.
   * @returns Whether there is one, or may be.
   */
  async request(
    request: RequestHeader,
    isExpected: () => boolean,
  ): Promise<boolean> {
    // The host no longer reads what an earlier request has asked for.
    await this.withdraw();
    this.#request = request;
    const isAnswered = this.hasResponse || isExpected();
    this.#pump();
    return isAnswered;
  }

  /** Withdraws what the host has not taken of a transfer; returns how much it has. */
  async withdraw(): Promise<number> {
    this.#request = undefined;
    this.#sending?.controller.abort();
    return await this.#sending?.done ?? 0;
  }

  /** Drops the response; returns whether there was one. */
  drop(): boolean {
    const response = this.#response;
    if (response === undefined) return false;
    response.close();
    this.#response = undefined;
    this.#onChange();
    return true;
  }

  /** Ends an aborted transfer with a short packet. */
  terminate(): void {
    const { in: endpoint } = this.#session!.endpoints.link;
    if (this.#sending !== undefined) return;
    this.#send(undefined, async (signal) => {
      await endpoint.write(new Uint8Array(0), { signal });
      return 0;
    });
  }

  /** Withdraws that packet from a host that has not read it: some do not. */
  async endTermination(): Promise<void> {
    const sending = this.#sending;
    if (sending === undefined || sending.tag !== undefined) return;
    sending.controller.abort();
    await sending.done;
  }

  #pump(): void {
    const request = this.#request;
    const response = this.#response;
    if (this.#sending !== undefined) return;
    if (request === undefined || response === undefined) return;
    this.#request = undefined;
    const { in: endpoint } = this.#session!.endpoints.link;
    const { tag, size, termChar } = request;
    this.#send(tag, async (signal) => {
      const slice = await response.peek(size, termChar, signal);
      const header = encodeHeader({ tag, ...slice });
      const parts = [header, ...slice.parts];
      // One byte of alignment in place of a zero-length packet (3.3), which some
      // hosts do not read.
      const length = header.byteLength + slice.size;
      if (length % endpoint.maxPacketSize === 0) parts.push(new Uint8Array(1));
      try {
        await endpoint.write(parts, { signal, zlp: "never" });
      } catch (error) {
        if (!(error instanceof AbortedTransferError)) throw error;
        const count = error.transferred - header.byteLength;
        return Math.min(slice.size, Math.max(0, count));
      }
      response.advance(slice.size);
      if (slice.eom && this.#response === response) this.drop();
      return slice.size;
    });
  }

  /** @param work Sends, and returns how much was sent of the response. */
  #send(
    tag: number | undefined,
    work: (signal: AbortSignal) => Promise<number>,
  ): void {
    const controller = new AbortController();
    const { signal } = controller;
    const session = this.#session!;
    const done = work(signal).catch((error) => {
      if (signal.aborted || session.signal.aborted) return 0;
      session.report(error);
      this.drop();
      return 0;
    }).finally(() => {
      this.#sending = undefined;
      if (!session.signal.aborted) this.#pump();
    });
    this.#sending = { tag, controller, done };
  }
}
