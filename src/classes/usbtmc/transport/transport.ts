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
  type MessageHeader,
  nextTag,
  paddedSize,
  type RequestHeader,
} from "./header.ts";
import { type Arrival, Inbox } from "./inbox.ts";
import { Handling, type Listener } from "./handling.ts";
import type { IncomingMessage } from "./message.ts";
import { Outbox } from "./outbox.ts";
import {
  type Split,
  type SplitProgress,
  SplitRequest,
  Status,
  type StatusCode,
} from "./split.ts";

/** A USB session as the transport uses it. */
export type TransportSession = Pick<Session, "signal" | "report"> & {
  readonly endpoints: { readonly link: EndpointPair };
};

/** The host has sent what is no transfer. */
class ProtocolError extends Error {}
/** The host gives something up. */
class GivenUpError extends Error {}

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
  readonly #outbox: Outbox;
  readonly #handling: Handling;

  constructor(listener: Listener) {
    this.#listener = listener;
    this.#outbox = new Outbox(() => listener.availability());
    this.#handling = new Handling(listener, this.#outbox);
  }

  /** Whether a response, or the rest of one, waits for the host. */
  get hasResponse(): boolean {
    return this.#outbox.hasResponse;
  }

  /** Serves a session. Rejects when it ends. */
  async serve(session: TransportSession): Promise<void> {
    this.#session = session;
    this.#splits.forget();
    this.#outbox.open(session);
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
   * INITIATE_ABORT_BULK_IN (4.2.1.4): ends a transfer to the host. Its part of
   * the response stays for the next one.
   */
  abortIn(tag: number): Promise<StatusCode> | StatusCode {
    const current = this.#outbox.tag;
    const session = this.#session;
    if (current === undefined || session === undefined) return Status.FAILED;
    // Linux aborts the tag after the one that it has sent.
    if (tag !== current && tag !== nextTag(current)) {
      return Status.TRANSFER_NOT_IN_PROGRESS;
    }
    return this.#begin("abort in", async () => {
      const sent = await this.#outbox.withdraw();
      await session.endpoints.link.in.flush();
      this.#outbox.terminate();
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
      await Promise.all([link.out.discard(), this.#outbox.withdraw()]);
      await link.in.flush();
      return 0;
    });
  }

  /** CHECK_..._STATUS: how far a request to abort or clear has come. */
  async check(split: Split): Promise<SplitProgress> {
    // The next response would come after it.
    if (split === "abort in") await this.#outbox.endTermination();
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
        const halted = out.halt().then(() => out.discard()).catch((error) => {
          if (!session.signal.aborted) session.report(error);
        });
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
        if (this.#listener.trigger === undefined) break;
        await this.#wait(this.#handling.hasRoom);
        this.#handling.trigger(this.#session!);
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

  /** Begins a message. One can wait for its handler; then the host waits. */
  async #beginMessage(): Promise<void> {
    await this.#wait(this.#handling.hasRoom);
    await this.#wait(this.#outbox.withdraw());
    this.#message = this.#handling.begin(this.#session!);
  }

  async #requested(request: RequestHeader): Promise<void> {
    const isAnswered = await this.#wait(
      this.#outbox.request(request, () => this.#handling.isBusy),
    );
    if (!isAnswered) this.#listener.queryError("unterminated");
  }

  /** Gives up the message that has not ended. */
  #giveUpMessage(error: unknown): void {
    const message = this.#message;
    this.#message = undefined;
    if (message !== undefined) this.#handling.giveUp(message, error);
    this.#interrupt?.(error);
  }

  #giveUpAll(error: unknown): void {
    this.#giveUpMessage(error);
    this.#handling.giveUpAll(error);
    this.#outbox.withdraw();
    this.#outbox.drop();
  }

  /** Waits in the loop, until something is given up. */
  async #wait<T>(work: Promise<T>): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      this.#interrupt = reject;
      work.then(resolve, reject);
    }).finally(() => this.#interrupt = undefined);
  }
}
