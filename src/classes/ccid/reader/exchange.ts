/**
 * Commands and answers of a card in pieces: chaining (CCID 1.1, 6.1.4 and 6.2.1).
 *
 * @module
 */
import { CommandFailure, SlotErrorCode } from "../card/card_error.ts";
import { HEADER_SIZE } from "../messages.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What one XfrBlock carries: an APDU, or the unit of a protocol. */
export type ExchangeLevel = "short" | "extended" | "tpdu";

/** Sizes that a reader can handle. */
export interface ExchangeLimits {
  readonly level: ExchangeLevel;
  /** Bytes of a message, header included. */
  readonly maxMessageLength: number;
}

/** Values of `bChainParameter`, and of `wLevelParameter` from the host. */
const Chain = {
  WHOLE: 0x00,
  FIRST: 0x01,
  LAST: 0x02,
  MIDDLE: 0x03,
  /** No data: the other side continues. */
  CONTINUE: 0x10,
} as const;

/** Where `wLevelParameter` is in its message. */
const LEVEL_PARAMETER = 8;

/** Bytes of the longest command and answer: header, Lc, data, Le; data, status. */
const LONGEST_APDU = {
  short: { command: 4 + 1 + 255 + 1, answer: 256 + 2 },
  extended: { command: 4 + 3 + 65_535 + 2, answer: 65_536 + 2 },
};

/** `dwMaxCCIDMessageLength` for any short APDU in one message. */
export const SHORT_MESSAGE = HEADER_SIZE + LONGEST_APDU.short.command;
/** The same for any extended one. */
export const EXTENDED_MESSAGE = HEADER_SIZE + LONGEST_APDU.extended.command;

/** A part of an answer. */
export interface AnswerPart {
  readonly data: Uint8Array;
  /** `bChainParameter`. */
  readonly detail: number;
}

/** What a slot has received of a command, and not yet sent of an answer. */
export class Exchange {
  readonly #level: ExchangeLevel;
  /** Bytes of data in a message. */
  readonly #room: number;
  readonly #longest: { readonly command: number; readonly answer: number };
  /** The command so far. */
  #parts: Bytes[] | undefined;
  #received = 0;
  /** What is left of the answer. */
  #rest: Bytes | undefined;

  constructor({ level, maxMessageLength }: ExchangeLimits) {
    const room = this.#room = maxMessageLength - HEADER_SIZE;
    this.#level = level;
    this.#longest = level === "tpdu"
      ? { command: room, answer: room }
      : LONGEST_APDU[level];
  }

  /** The most bytes of an answer. */
  get longestAnswer(): number {
    return this.#longest.answer;
  }

  /** The fewest bytes of an answer: its status. */
  get shortestAnswer(): number {
    return this.#level === "tpdu" ? 1 : 2;
  }

  /** Forgets all. */
  clear(): void {
    this.#parts = undefined;
    this.#received = 0;
    this.#rest = undefined;
  }

  /**
   * Takes data of the host; returns a command if it is whole, and a part of the
   * answer otherwise.
   *
   * @param level `wLevelParameter`.
   * @throws {CommandFailure} If it does not continue what came before.
   */
  receive(level: number, data: Bytes): Bytes | AnswerPart {
    try {
      return this.#receive(level, data);
    } catch (error) {
      this.clear();
      throw error;
    }
  }

  /** Begins an answer; returns what to send of it. */
  answer(bytes: Uint8Array): AnswerPart {
    if (bytes.byteLength <= this.#room) {
      return { data: bytes, detail: Chain.WHOLE };
    }
    this.#rest = new Uint8Array(bytes.subarray(this.#room));
    return { data: bytes.subarray(0, this.#room), detail: Chain.FIRST };
  }

  #receive(level: number, data: Bytes): Bytes | AnswerPart {
    const chains = this.#level === "extended";
    const isKnown = chains
      ? (Object.values(Chain) as number[]).includes(level)
      : level === Chain.WHOLE;
    if (!isKnown) throw new CommandFailure(LEVEL_PARAMETER);
    if (level === Chain.CONTINUE) {
      if (data.byteLength > 0) {
        throw new CommandFailure(SlotErrorCode.BAD_LENGTH);
      }
      return this.#next();
    }
    const begins = level === Chain.WHOLE || level === Chain.FIRST;
    if (begins) this.clear();
    else if (this.#parts === undefined) {
      throw new CommandFailure(LEVEL_PARAMETER);
    }
    const parts = this.#parts ??= [];
    this.#received += data.byteLength;
    if (data.byteLength > 0) parts.push(data);
    const received = this.#received;
    if (received > this.#longest.command) {
      throw new CommandFailure(SlotErrorCode.BAD_LENGTH);
    }
    if (level === Chain.FIRST || level === Chain.MIDDLE) {
      return { data: new Uint8Array(0), detail: Chain.CONTINUE };
    }
    this.#parts = undefined;
    const shortest = this.#level === "tpdu" ? 1 : 4;
    if (received < shortest) throw new CommandFailure(SlotErrorCode.BAD_LENGTH);
    return join(parts, received);
  }

  /** The next part of the answer. */
  #next(): AnswerPart {
    const rest = this.#rest;
    if (rest === undefined) throw new CommandFailure(LEVEL_PARAMETER);
    const isLast = rest.byteLength <= this.#room;
    this.#rest = isLast ? undefined : rest.subarray(this.#room);
    return {
      data: rest.subarray(0, this.#room),
      detail: isLast ? Chain.LAST : Chain.MIDDLE,
    };
  }
}

function join(parts: readonly Bytes[], length: number): Bytes {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}
