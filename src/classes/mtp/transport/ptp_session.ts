/**
 * PTP sessions, and the operations in them.
 *
 * @module
 */
import type { InEndpoint } from "../../../functionfs/endpoint/in_endpoint.ts";
import { PieceMemory } from "../../piece_memory.ts";
import { OperationCode } from "../protocol/codes.ts";
import { ResponseError } from "../protocol/response.ts";
import {
  type Answer,
  FailedOperation,
  type IncomingData,
  type Operations,
} from "../responder/operation.ts";
import { PIECE, sendBytes, sendWhileReading } from "./outgoing.ts";
import type { Transaction } from "./transaction.ts";

/** Pieces of data on their way to the host. */
const PIECES = 4;
const PARAMETERS = 5;

/** What learns of PTP sessions. */
export interface SessionListener {
  /** The host has opened one. */
  onOpen(): void;
  /** It is closed. */
  onClose(): void;
}

/** The PTP session of the host, and what runs in it. */
export class PtpSession {
  readonly #operations: Operations;
  readonly #listener: SessionListener;
  /** Its number, if one is open. */
  #id: number | undefined;
  readonly #memory = new PieceMemory(PIECE, PIECES);

  constructor(operations: Operations, listener: SessionListener) {
    this.#operations = operations;
    this.#listener = listener;
  }

  /** Whether an operation has data of the host. */
  expectsData(code: number): boolean {
    return this.#operations[code]?.data === "from host";
  }

  /** Closes it, if it is open. */
  close(): void {
    this.#id = undefined;
    this.#listener.onClose();
  }

  /** What was being sent is abandoned. */
  forget(): void {
    this.#memory.forget();
  }

  /** How many bytes of data the host has announced for an operation. */
  announced(code: number): number | undefined {
    return this.#operations[code]?.announced?.();
  }

  /** Runs an operation, and sends its data. Throws what its response is made of. */
  async operate(
    transaction: Transaction,
    endpoint: InEndpoint,
  ): Promise<Answer | void> {
    const { command, signal } = transaction;
    const { code, transactionId } = command;
    const parameters = Array.from(
      { length: PARAMETERS },
      (_, index) => command.parameters[index] ?? 0,
    );
    if (code === OperationCode.OpenSession) return this.#open(parameters[0]);
    const isOpen = this.#id !== undefined;
    const operation = this.#operations[code];
    if (code === OperationCode.CloseSession && isOpen) {
      return this.close();
    }
    if (operation === undefined && code !== OperationCode.CloseSession) {
      throw new ResponseError("Operation_Not_Supported");
    }
    if (!isOpen && !operation?.withoutSession) {
      throw new ResponseError("Session_Not_Open");
    }
    const data: IncomingData = this.expectsData(code)
      ? await transaction.data()
      : NO_DATA;
    transaction.check();
    const answering = operation.run({
      code,
      transactionId,
      parameters,
      parameterCount: command.parameters.length,
      data,
      signal,
    });
    const answer = await transaction.wait(answering).catch((error) => {
      // An answer that comes too late has to be closed as well.
      if (signal.aborted) {
        Promise.resolve(answering).then(closeAnswer, () => {});
      }
      throw error;
    });
    if (answer?.data !== undefined) {
      await this.#send(transaction, endpoint, answer.data);
    }
    return answer;
  }

  async #send(
    transaction: Transaction,
    endpoint: InEndpoint,
    data: NonNullable<Answer["data"]>,
  ): Promise<void> {
    if (data instanceof Uint8Array) {
      transaction.check();
      sendBytes(endpoint, transaction.command, data).catch(() => {});
      return;
    }
    try {
      transaction.check();
      await sendWhileReading(endpoint, transaction, data, this.#memory);
    } finally {
      if (transaction.left.length === 0) data.close();
      else Promise.allSettled(transaction.left).then(() => data.close());
    }
  }

  #open(id: number): void {
    if (id === 0) throw new ResponseError("Invalid_Parameter");
    if (this.#id !== undefined) {
      throw new FailedOperation("Session_Already_Open", [this.#id]);
    }
    this.#id = id;
    this.#listener.onOpen();
  }
}

/** The data of an operation without. */
const NO_DATA: IncomingData = {
  byteLength: 0,
  dataset: () => Promise.resolve(new Uint8Array(0)),
  async *parts() {},
};

function closeAnswer(answer: Answer | void): void {
  const data = answer?.data;
  if (data !== undefined && !(data instanceof Uint8Array)) data.close();
}
