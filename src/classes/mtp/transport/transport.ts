/**
 * Transactions: commands, their data, and their responses (Still Image Capture
 * Device Definition 1.0, 7).
 *
 * The reader of the host's containers runs beside the operation, so that a host
 * that has given an operation up can begin another.
 *
 * @module
 */
import type { EndpointPair } from "../../../functionfs/endpoint/pair.ts";
import { SessionEndedError } from "../../../functionfs/session.ts";
import type { Session } from "../../../functionfs/sessions.ts";
import {
  ContainerType,
  encodeMessage,
  type Message,
} from "../protocol/container.ts";
import {
  RESPONSE_CODES,
  ResponseError,
  type ResponseName,
  responseTo,
} from "../protocol/response.ts";
import { FailedOperation, type Operations } from "../responder/operation.ts";
import type { StillImageStatus } from "../requests.ts";
import { type Arrival, Inbox } from "./inbox.ts";
import { CutError } from "./outgoing.ts";
import { PtpSession, type SessionListener } from "./ptp_session.ts";
import { Transaction } from "./transaction.ts";

/** What ends everything when the host resets the device. */
class ResetError extends Error {}

/** A USB session as the transport uses it. */
export type TransportSession = Pick<Session, "signal" | "report"> & {
  readonly endpoints: { readonly link: EndpointPair };
};

/** Serves operations over a pair of bulk endpoints. */
export class Transport {
  readonly #ptp: PtpSession;
  #session: TransportSession | undefined;
  #inbox!: Inbox;
  /** The last transaction, unless it was abandoned. */
  #current: Transaction | undefined;
  /** A transaction that the host has cancelled before its command was read. */
  #cancelled: number | undefined;
  /** Settles when what was abandoned is no longer queued. */
  #settling: Promise<unknown> = Promise.resolve();
  /** Settles when the program's work for abandoned transactions is done. */
  #left: Promise<unknown> | undefined;
  /** Ends a halt that waits for the host. */
  #halts = new AbortController();
  #isHalted = false;

  constructor(operations: Operations, listener: SessionListener) {
    this.#ptp = new PtpSession(operations, listener);
  }

  /** Serves a session. Rejects when it ends. */
  async serve(session: TransportSession): Promise<void> {
    this.#session = session;
    this.#settling = Promise.resolve();
    this.#cancelled = undefined;
    const { signal } = session;
    const onEnd = () => {
      this.#inbox.close(signal.reason);
      this.#abandon(signal.reason);
    };
    this.#openInbox();
    signal.addEventListener("abort", onEnd, { once: true });
    try {
      signal.throwIfAborted();
      for (;;) await this.#serveUntilFailure();
    } finally {
      signal.removeEventListener("abort", onEnd);
      this.#ptp.close();
      this.#session = undefined;
    }
  }

  /**
   * Ends a transaction: without a response, and without effect on the next one.
   * Resolves when nothing of it is pending.
   */
  async cancel(transactionId: number): Promise<void> {
    if (this.#session === undefined) return;
    const last = this.#inbox.lastTransaction;
    const age = last === undefined ? 1 : transactionId - last | 0;
    // Its command may be still to come, or to be handled.
    const known = this.#cancelled ?? transactionId - 1;
    if (age >= 0 && (transactionId - known | 0) > 0) {
      this.#cancelled = transactionId;
    }
    if (age === 0) {
      await this.#giveUp(new ResponseError("Transaction_Cancelled"));
    }
  }

  /** Closes the PTP session, and drops everything. */
  async reset(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    this.#ptp.close();
    this.#cancelled = undefined;
    this.#inbox.close(new ResetError("The host has reset the device"));
    const withdrawn = session.endpoints.link.out.discard();
    this.#settling = Promise.allSettled([this.#settling, withdrawn]);
    await this.#giveUp(new ResponseError("Transaction_Cancelled"));
  }

  /** The answer to GET_DEVICE_STATUS. */
  async status(): Promise<StillImageStatus> {
    const session = this.#session;
    if (session === undefined || !this.#isHalted) {
      return { code: RESPONSE_CODES.OK };
    }
    const { address } = await session.endpoints.link.in.descriptor();
    return {
      code: RESPONSE_CODES.Transaction_Cancelled,
      parameters: [address],
    };
  }

  #openInbox(): void {
    const { out } = this.#session!.endpoints.link;
    this.#inbox = new Inbox(
      (size, signal) => out.read(size, { signal }),
      out.maxPacketSize,
    );
  }

  async #serveUntilFailure(): Promise<void> {
    const session = this.#session!;
    try {
      const inbox = this.#inbox;
      for (;;) {
        const arrival = await inbox.next();
        await this.#settling;
        inbox.check();
        await this.#handle(arrival);
      }
    } catch (error) {
      if (error instanceof SessionEndedError) throw error;
      if (!(error instanceof ResetError)) {
        session.report(error);
        await this.reset();
      }
      await this.#settling;
      session.signal.throwIfAborted();
      this.#openInbox();
    }
  }

  async #handle(arrival: Arrival): Promise<void> {
    const current = this.#current;
    switch (arrival.kind) {
      case "command":
        return await this.#begin(arrival.command);
      case "data": {
        const { data } = arrival;
        if (!current?.expectsData) {
          data.release();
        } else if (
          data.header.transactionId === current.command.transactionId
        ) {
          current.give(data);
        } else {
          current.refuse(new ResponseError("Invalid_TransactionID"));
          data.release();
        }
        return;
      }
      case "garbage":
        if (current?.expectsData) {
          current.refuse(new ResponseError("Invalid_Dataset"));
        } else if (current === undefined || current.isDone) {
          this.#halt();
        }
    }
  }

  async #begin(command: Message): Promise<void> {
    this.#isHalted = false;
    const isCancelled = command.transactionId === this.#cancelled;
    this.#cancelled = undefined;
    if (this.#current?.isDone === false) {
      // The host no longer waits for it.
      await this.#giveUp(new ResponseError("Transaction_Cancelled"));
    }
    this.#current = undefined;
    if (isCancelled) return;
    const { code } = command;
    this.#inbox.announced = this.#ptp.announced(code);
    this.#current = new Transaction(command, this.#ptp.expectsData(code));
    this.#run(this.#current);
  }

  /** Abandons the transaction, and withdraws what is queued of it. */
  async #giveUp(reason: Error): Promise<void> {
    const session = this.#session!;
    const { link } = session.endpoints;
    this.#abandon(reason);
    const sent = link.in.discard()
      // What the controller holds would come before the next response.
      .then(() => link.in.flush());
    const done = Promise.all([this.#settling, this.#inbox.cut(reason), sent]);
    this.#settling = done.catch(() => {});
    try {
      await done;
    } catch (error) {
      if (!session.signal.aborted) throw error;
    }
  }

  #abandon(reason: unknown): void {
    const current = this.#current;
    this.#current = undefined;
    this.#halts.abort(reason);
    this.#halts = new AbortController();
    this.#ptp.forget();
    if (current === undefined) return;
    current.abandon(reason);
    this.#leave(current);
  }

  /** Halts the endpoint on which the host would wait for a response. */
  #halt(): void {
    const session = this.#session!;
    const { signal } = this.#halts;
    if (this.#isHalted) return;
    this.#isHalted = true;
    session.endpoints.link.in.halt({ signal }).catch((error) => {
      if (signal.aborted || session.signal.aborted) return;
      session.report(error);
    });
  }

  /** Runs an operation, and responds. Never rejects. */
  async #run(transaction: Transaction): Promise<void> {
    const session = this.#session!;
    const endpoint = session.endpoints.link.in;
    let response: ResponseName = "OK";
    let parameters: readonly number[] = [];
    let after: (() => void) | undefined;
    try {
      if (this.#left !== undefined) await transaction.wait(this.#left);
      const answer = await this.#ptp.operate(transaction, endpoint);
      ({ parameters = [], after } = answer ?? {});
    } catch (error) {
      response = this.#failure(error, transaction);
      if (error instanceof FailedOperation) parameters = error.parameters;
    }
    transaction.release();
    if (transaction.signal.aborted || this.#inbox.hasNextCommand) return;
    const { transactionId } = transaction.command;
    const bytes = encodeMessage({
      type: ContainerType.RESPONSE,
      code: RESPONSE_CODES[response],
      transactionId,
      parameters,
    });
    try {
      await endpoint.write(bytes);
      transaction.isDone = true;
      after?.();
    } catch (error) {
      if (!transaction.signal.aborted) session.report(error);
    }
  }

  /** The next operation waits for what an abandoned one has begun. */
  #leave({ left }: Transaction): void {
    if (left.length === 0) return;
    const all = Promise.allSettled([this.#left, ...left]);
    this.#left = all;
    all.then(() => {
      if (this.#left === all) this.#left = undefined;
    });
  }

  /** The response for an error, which is reported if the host has not caused it. */
  #failure(error: unknown, { signal }: Transaction): ResponseName {
    if (signal.aborted) return "Transaction_Cancelled";
    const isCut = error instanceof CutError;
    const cause = isCut ? error.cause : error;
    const response = responseTo(cause);
    if (response === undefined && cause !== undefined) {
      this.#session?.report(cause);
    }
    return isCut ? "Incomplete_Transfer" : response ?? "General_Error";
  }
}
