/**
 * What an operation is, for the tables of operations and for what runs them.
 *
 * @module
 */
import { ResponseError, type ResponseName } from "../protocol/response.ts";

/** Data for the host that is read while it is sent. */
export interface OutgoingData {
  readonly byteLength: number;
  /** Fills memory with what comes at an offset; returns how much of it, less only at an early end. */
  read(offset: number, into: Uint8Array<ArrayBuffer>): number | Promise<number>;
  /** Called once, when nothing more will be read. */
  close(): void;
}

/** Data from the host, in its order. */
export interface IncomingData {
  /** Bytes that the host has announced; `undefined` if it has not, or 4 GiB or more. */
  readonly byteLength: number | undefined;
  /**
   * All of it. Throws `Invalid_Dataset` above 1 MiB, when it has been received and
   * dropped.
   */
  dataset(): Promise<Uint8Array<ArrayBuffer>>;
  /** The parts as they come; the memory of one is used again for a later one. */
  parts(): AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** One operation that the host has requested. */
export interface Call {
  readonly code: number;
  readonly transactionId: number;
  /** Five numbers: those that the host has left out are 0. */
  readonly parameters: readonly number[];
  /** How many of them the host has sent. */
  readonly parameterCount: number;
  /** What the host sends, for an operation with `data: "from host"`. */
  readonly data: IncomingData;
  /** Aborted when the host cancels the transaction, or the session ends. */
  readonly signal: AbortSignal;
}

/** How an operation ends that succeeds. */
export interface Answer {
  /** Up to five parameters of the response. */
  readonly parameters?: readonly number[];
  readonly data?: Uint8Array<ArrayBuffer> | OutgoingData;
  /** Called when the host has taken the response. It must not throw. */
  readonly after?: () => void;
}

/**
 * An operation. What `run` throws becomes the response: see
 * {@linkcode responseTo}. What it has not received of the host's data by then is
 * received and dropped.
 */
export interface Operation {
  /** Which way its data goes, if it has any. */
  readonly data?: "to host" | "from host";
  /** How many bytes of data an operation before it has announced, if known. */
  announced?(): number | undefined;
  /** Whether it also works without an open session. */
  readonly withoutSession?: boolean;
  run(call: Call): Answer | void | Promise<Answer | void>;
}

/** An operation fails with parameters in its response. */
export class FailedOperation extends ResponseError {
  override name = "FailedOperation";
  readonly parameters: readonly number[];

  constructor(
    response: Exclude<ResponseName, "OK">,
    parameters: readonly number[],
    options?: ErrorOptions,
  ) {
    super(response, options);
    this.parameters = parameters;
  }
}

/** Operations by code. */
export type Operations = Readonly<Record<number, Operation>>;
