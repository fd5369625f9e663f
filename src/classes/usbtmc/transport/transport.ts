/**
 * Messages and responses over bulk endpoints (USBTMC 1.0, 3; USB488 1.0, 3).
 *
 * One loop receives what the host sends. A message is handled beside it, so that a
 * host that has sent a query can ask for its response, or give it up.
 *
 * @module
 */
import type { EndpointPair } from "../../../functionfs/endpoint/pair.ts";
import type { Session } from "../../../functionfs/sessions.ts";
import { AbortedTransferError } from "../../../functionfs/transfer/error.ts";
import {
  decodeHeader,
  encodeHeader,
  type MessageHeader,
  nextTag,
  paddedSize,
  type RequestHeader,
} from "./header.ts";
import { type Arrival, Inbox } from "./inbox.ts";
import { IncomingMessage, type UsbtmcMessage } from "./message.ts";
import { Outgoing, type UsbtmcResponse } from "./response.ts";
import { type Split, SplitRequest, Status, type StatusCode } from "./split.ts";

/** A USB session as the transport uses it. */
export type TransportSession = Pick<Session, "signal" | "report"> & {
  readonly endpoints: { readonly link: EndpointPair };
};

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

/** The host has sent what is no transfer. */
class ProtocolError extends Error {}
/** The host gives something up. */
class GivenUpError extends Error {}

/** A transfer to the host. */
interface Sending {
  /** Of the request; undefined for the packet that ends an aborted transfer. */
  readonly tag: number | undefined;
  readonly controller: AbortController;
  /** Resolves to the bytes of the response that the host has. Never rejects. */
  readonly done: Promise<number>;
}

/** Serves messages over a pair of bulk endpoints. */
export class Transport {
  readonly #listener: Listener;
  readonly #splits = new SplitRequest();
  #session: TransportSession | undefined;
  #inbox!: Inbox;
  /** Ends what the loop waits for. */
  #interrupt: ((error: unknown) => void) | undefined;
  /** Settles when what was given up is no longer queued. */
  #settling: Promise<unknown> = Promise.resolve();
  /** The message that has not ended. */
  #message: IncomingMessage | undefined;
  /** The transfer that has not ended, and what has come of it. */
  #receiving: { readonly tag: number; size: number } | undefined;
  /** The message that is handled. */
  #handled: IncomingMessage | undefined;
  /** Settles when the program has handled it, even if the host gave it up. */
  #handling: Promise<void> = Promise.resolve();
  #response: Outgoing | undefined;
  #request: RequestHeader | undefined;
  #sending: Sending | undefined;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  /** Whether a response, or the rest of one, waits for the host. */
  get isAvailable(): boolean {
    return this.#response !== undefined;
  }

  /** Serves a session. Rejects when it ends. */
  async serve(session: TransportSession): Promise<void> {
    this.#session = session;
    this.#splits.forget();
    const { signal } = session;
    const onEnd = () => this.#giveUpAll(signal.reason);
    signal.addEventListener("abort", onEnd, { once: true });
    try {
      signal.throwIfAborted();
      const { out } = session.endpoints.link;
      this.#inbox = new Inbox((size) => out.read(size), out.maxPacketSize);
      for (;;) await this.#serveUntilFailure(session);
    } finally {
      signal.removeEventListener("abort", onEnd);
      this.#giveUpAll(signal.reason);
      this.#session = undefined;
    }
  }

  /** INITIATE_ABORT_BULK_OUT (4.2.1.2): drops a message that has not ended. */
  abortOut(tag: number): Promise<StatusCode> | StatusCode {
    const receiving = this.#receiving;
    const session = this.#session;
    if (receiving === undefined || session === undefined) return Status.FAILED;
    if (tag !== receiving.tag) return Status.TRANSFER_NOT_IN_PROGRESS;
    return this.#begin("abort out", async () => {
      this.#giveUpMessage(new GivenUpError("The host has aborted the message"));
      await session.endpoints.link.out.discard();
      return receiving.size;
    });
  }

  /**
   * INITIATE_ABORT_BULK_IN (4.2.1.4): ends a transfer to the host. A response of
   * which the host has nothing stays.
   */
  abortIn(tag: number): Promise<StatusCode> | StatusCode {
    const current = this.#sending?.tag ?? this.#request?.tag;
    const session = this.#session;
    if (current === undefined || session === undefined) return Status.FAILED;
    // Linux aborts the tag after the one that it has sent.
    if (tag !== current && tag !== nextTag(current)) {
      return Status.TRANSFER_NOT_IN_PROGRESS;
    }
    return this.#begin("abort in", async () => {
      this.#request = undefined;
      const sent = await this.#withdraw();
      const { in: endpoint } = session.endpoints.link;
      await endpoint.flush();
      if (this.#sending !== undefined) return sent;
      // A short packet ends what the host reads. Some hosts do not read it.
      this.#send(undefined, async (signal) => {
        await endpoint.write(new Uint8Array(0), { signal });
        return 0;
      });
      return sent;
    });
  }

  /** INITIATE_CLEAR (4.2.1.6): drops everything, in both directions. */
  clear(): Promise<StatusCode> | StatusCode {
    const session = this.#session;
    if (session === undefined) return Status.SUCCESS;
    const { link } = session.endpoints;
    return this.#begin("clear", async () => {
      this.#giveUpAll(new GivenUpError("The host has cleared the device"));
      // What the host has queued fails. It clears the halt when it has the status.
      await link.out.halt();
      await Promise.all([link.out.discard(), this.#withdraw()]);
      await link.in.flush();
      return 0;
    });
  }

  /** CHECK_..._STATUS: how far a request to abort or clear has come. */
  check(split: Split): { readonly status: StatusCode; readonly bytes: number } {
    return this.#splits.check(split);
  }

  #begin(split: Split, work: () => Promise<number>): Promise<StatusCode> {
    const session = this.#session!;
    const begun = this.#splits.begin(split, async () => {
      try {
        return await work();
      } catch (error) {
        if (!session.signal.aborted) session.report(error);
        return 0;
      }
    });
    this.#settling = Promise.allSettled([this.#settling, begun]);
    return begun;
  }

  async #serveUntilFailure(session: TransportSession): Promise<void> {
    try {
      let arrival = await this.#inbox.first();
      for (;;) {
        arrival = await this.#handle(arrival) ?? await this.#inbox.first();
      }
    } catch (error) {
      session.signal.throwIfAborted();
      const isGivenUp = error instanceof AbortedTransferError ||
        error instanceof GivenUpError;
      if (!isGivenUp) {
        if (!(error instanceof ProtocolError)) session.report(error);
        this.#giveUpMessage(error);
        // The host sees that it is not understood (3.2.2).
        const { out } = session.endpoints.link;
        const halted = out.halt().then(() => out.discard());
        this.#settling = Promise.allSettled([this.#settling, halted]);
      }
      await this.#settling;
      session.signal.throwIfAborted();
    }
  }

  /** Handles a transfer; returns the next one, if some of it has come. */
  async #handle(arrival: Arrival): Promise<Arrival | undefined> {
    const header = decodeHeader(arrival.bytes);
    switch (header?.kind) {
      case "message":
        this.#receiving = { tag: header.tag, size: 0 };
        try {
          return await this.#receive(header, arrival);
        } finally {
          this.#receiving = undefined;
        }
      case "request":
        await this.#requested(header);
        return undefined;
      case "trigger": {
        const { trigger } = this.#listener;
        if (trigger === undefined) break;
        await this.#wait(this.#handling);
        this.#handling = this.#trigger(trigger);
        return undefined;
      }
    }
    throw new ProtocolError("The host has sent an unknown header");
  }

  async #receive(
    { size, eom }: MessageHeader,
    arrival: Arrival,
  ): Promise<Arrival | undefined> {
    const receiving = this.#receiving!;
    if (this.#message === undefined) await this.#beginMessage();
    const message = this.#message!;
    const { bytes } = arrival;
    let missing = paddedSize(size) - bytes.byteLength;
    let part = bytes.subarray(paddedSize(0));
    for (;;) {
      const left = size - receiving.size;
      part = part.subarray(0, left);
      receiving.size += part.byteLength;
      if (part.byteLength < left && arrival.ends) {
        const error = new ProtocolError("The host has ended a transfer early");
        const next = this.#inbox.transferIn(arrival);
        if (next === undefined) throw error;
        this.#giveUpMessage(error);
        return next;
      }
      if (part.byteLength > 0) await this.#wait(message.give(part));
      if (part.byteLength === left) break;
      arrival = await this.#inbox.more(missing);
      part = arrival.bytes;
      missing -= part.byteLength;
    }
    if (eom) {
      this.#message = undefined;
      message.end();
    }
    return undefined;
  }

  /** Begins to handle a message, when the one before it is done. */
  async #beginMessage(): Promise<void> {
    await this.#wait(this.#handling);
    this.#request = undefined;
    await this.#wait(this.#withdraw());
    if (this.#response !== undefined) {
      this.#drop(this.#response);
      this.#listener.queryError("interrupted");
    }
    const message = new IncomingMessage();
    this.#message = message;
    this.#handled = message;
    this.#handling = this.#run(message);
  }

  /** Never rejects. */
  async #run(message: IncomingMessage): Promise<void> {
    const session = this.#session!;
    try {
      const data = await this.#listener.message(message);
      const response = data === undefined ? undefined : new Outgoing(data);
      if (message.signal.aborted) return response?.close();
      this.#handled = undefined;
      this.#response = response;
      if (response !== undefined) this.#listener.availability();
      else if (this.#request) this.#listener.queryError("unterminated");
      this.#pump();
    } catch (error) {
      if (!message.signal.aborted) session.report(error);
    } finally {
      message.release();
      if (this.#handled === message) this.#handled = undefined;
    }
  }

  /** Never rejects. */
  async #trigger(trigger: () => unknown): Promise<void> {
    const session = this.#session!;
    try {
      await trigger();
    } catch (error) {
      session.report(error);
    }
  }

  async #requested(request: RequestHeader): Promise<void> {
    // The host no longer reads what an earlier request has asked for.
    await this.#wait(this.#withdraw());
    this.#request = request;
    const isExpected = this.#response ?? this.#handled ?? this.#message;
    if (isExpected === undefined) this.#listener.queryError("unterminated");
    this.#pump();
  }

  /** Sends the next part of the response, if there is one and the host wants it. */
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
      if (slice.eom) this.#drop(response);
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
      if (this.#response !== undefined) this.#drop(this.#response);
      return 0;
    }).finally(() => {
      this.#sending = undefined;
      if (!session.signal.aborted) this.#pump();
    });
    this.#sending = { tag, controller, done };
  }

  /** Withdraws what the host has not taken; returns how much it has. */
  async #withdraw(): Promise<number> {
    this.#sending?.controller.abort();
    return await this.#sending?.done ?? 0;
  }

  #drop(response: Outgoing): void {
    response.close();
    if (this.#response !== response) return;
    this.#response = undefined;
    this.#listener.availability();
  }

  /** Gives up the message that has not ended. */
  #giveUpMessage(error: unknown): void {
    const message = this.#message;
    this.#message = undefined;
    message?.fail(error);
    if (this.#handled === message) this.#handled = undefined;
    this.#interrupt?.(error);
  }

  #giveUpAll(error: unknown): void {
    this.#giveUpMessage(error);
    this.#handled?.fail(error);
    this.#handled = undefined;
    this.#request = undefined;
    this.#sending?.controller.abort();
    if (this.#response !== undefined) this.#drop(this.#response);
  }

  /** Waits in the loop, until something is given up. */
  async #wait(work: Promise<unknown>): Promise<void> {
    await new Promise((resolve, reject) => {
      this.#interrupt = reject;
      work.then(resolve, reject);
    }).finally(() => this.#interrupt = undefined);
  }
}
