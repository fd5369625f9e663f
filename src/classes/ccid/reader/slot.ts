/**
 * A slot: one command at a time, which can be aborted (CCID 1.1, 5.3.1).
 *
 * @module
 */
import {
  CardError,
  CommandFailure,
  SlotErrorCode,
} from "../card/card_error.ts";
import { waitingMs } from "../card/parameters.ts";
import type { InsertedCard } from "../card/smart_card.ts";
import {
  type CommandMessage,
  CommandStatus,
  CommandType,
  HEADER_SIZE,
  type ResponseMessage,
  ResponseType,
} from "../messages.ts";
import {
  type Command,
  COMMANDS,
  type EscapeHandler,
  refused,
  type Reply,
} from "./commands.ts";
import type { ExchangeLimits } from "./exchange.ts";
import { SlotState } from "./state.ts";

/** What a slot needs of a session. */
export interface SlotLink {
  send(message: ResponseMessage): void;
  /** Whether messages of the slot wait for the host. */
  hasPending(slot: number): boolean;
  report(error: unknown): void;
}

/** Options of a slot. */
export interface SlotOptions extends ExchangeLimits {
  readonly onEscape: EscapeHandler | undefined;
}

/** A command under way. */
interface Current {
  readonly message: CommandMessage;
  readonly command: Command;
  readonly controller: AbortController;
  /** Asks for more time. */
  readonly timer: ReturnType<typeof setInterval> | undefined;
}

const UNKNOWN = refused(ResponseType.SLOT_STATUS);
/** Milliseconds between two requests for more time. */
const LEAST_INTERVAL = 50;
const GREATEST_INTERVAL = 1000;

/** A slot of a reader. */
export class Slot {
  readonly index: number;
  readonly #state: SlotState;
  readonly #options: SlotOptions;
  #link: SlotLink | undefined;
  #current: Current | undefined;
  /** One half of an abort, while the other is missing: the control request ... */
  #abortRequest: number | undefined;
  /** ... or the message. */
  #abortMessage: CommandMessage | undefined;

  constructor(index: number, options: SlotOptions) {
    this.index = index;
    this.#options = options;
    this.#state = new SlotState(options);
  }

  /** The card in it. */
  get inserted(): InsertedCard | undefined {
    return this.#state.inserted;
  }

  /** Whether its card has power. */
  get powered(): boolean {
    return this.#state.powered !== undefined;
  }

  insert(inserted: InsertedCard): void {
    this.#state.inserted = inserted;
  }

  /** Takes the card out. The command under way fails. */
  remove(): void {
    this.#state.inserted = undefined;
    this.#state.powerOff();
    this.#end("The card was removed", SlotErrorCode.ICC_MUTE);
  }

  /** Begins a session. */
  open(link: SlotLink): void {
    this.#link = link;
  }

  /** Ends a session: the card loses its power. */
  close(): void {
    this.#link = undefined;
    this.#forgetAbort();
    this.#state.powerOff();
    this.#end("The host is gone");
  }

  /**
   * The host has sent a message to the slot.
   *
   * @param isNext Whether its number follows that of the last message. If not, it
   * comes from another program of the host, and the one before was killed.
   */
  handle(message: CommandMessage, isNext: boolean): void {
    const { type, seq, isWhole, data } = message;
    if (type === CommandType.ABORT) return this.#abortByMessage(message);
    // The number of a control request counts too.
    const isSameProgram = isNext || this.#abortRequest !== undefined &&
        seq === (this.#abortRequest + 1 & 0xff);
    if (!isSameProgram) {
      this.#forgetAbort();
      this.#end("Another program of the host uses the slot");
    }
    const command = COMMANDS[type] ?? UNKNOWN;
    const isAborting = this.#abortRequest !== undefined ||
      this.#abortMessage !== undefined;
    const { length = data.byteLength } = command;
    const error = isAborting
      ? SlotErrorCode.CMD_ABORTED
      : this.#current !== undefined
      ? SlotErrorCode.CMD_SLOT_BUSY
      : !isWhole || data.byteLength !== length
      ? SlotErrorCode.BAD_LENGTH
      : undefined;
    if (error === undefined) this.#run(message, command);
    else this.#fail(message, command, error);
  }

  /** The control request ABORT. */
  abortByRequest(seq: number): void {
    const message = this.#abortMessage;
    if (message?.seq === seq) return this.#finishAbort(message);
    this.#abortRequest = seq;
    this.#endByAbort();
  }

  #abortByMessage(message: CommandMessage): void {
    if (!message.isWhole || message.data.byteLength > 0) {
      return this.#fail(message, UNKNOWN, SlotErrorCode.BAD_LENGTH);
    }
    if (message.seq === this.#abortRequest) return this.#finishAbort(message);
    this.#abortMessage = message;
    this.#endByAbort();
  }

  #endByAbort(): void {
    this.#state.exchange.clear();
    this.#end("The host has aborted the command", SlotErrorCode.CMD_ABORTED);
  }

  /** Both halves of an abort have come. */
  #finishAbort(message: CommandMessage): void {
    this.#forgetAbort();
    this.#succeed(message, UNKNOWN, { detail: this.#state.clockStatus });
  }

  #forgetAbort(): void {
    this.#abortRequest = undefined;
    this.#abortMessage = undefined;
  }

  /** Never rejects. */
  async #run(message: CommandMessage, command: Command): Promise<void> {
    const controller = new AbortController();
    const current: Current = this.#current = {
      message,
      command,
      controller,
      timer: command.takesTime ? this.#extendTime(message, command) : undefined,
    };
    const { signal } = controller;
    const { onEscape, maxMessageLength } = this.#options;
    const room = maxMessageLength - HEADER_SIZE;
    try {
      const context = { signal, onEscape, room };
      const reply = await command.run(this.#state, message, context);
      if (this.#finish(current)) this.#succeed(message, command, reply);
    } catch (error) {
      if (!this.#finish(current)) return;
      this.#fail(message, command, this.#codeOf(error));
    }
  }

  /** Returns whether the command was not ended meanwhile. */
  #finish(current: Current): boolean {
    if (this.#current !== current) return false;
    clearInterval(current.timer);
    this.#current = undefined;
    return true;
  }

  /** Ends the command under way. Without an error, the host gets no response. */
  #end(reason: string, error?: number): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#finish(current);
    current.controller.abort(new Error(reason));
    if (error !== undefined) {
      this.#fail(current.message, current.command, error);
    }
  }

  #codeOf(error: unknown): number {
    if (error instanceof CommandFailure) return error.code;
    if (error instanceof CardError) return SlotErrorCode[error.error];
    this.#link?.report(error);
    return SlotErrorCode.HW_ERROR;
  }

  /** Asks the host for more time, twice as often as it has to be asked. */
  #extendTime(
    message: CommandMessage,
    command: Command,
  ): ReturnType<typeof setInterval> {
    const parameters = this.#state.powered?.parameters;
    const wait = parameters === undefined
      ? Infinity
      : waitingMs(parameters) / 2;
    const interval = Math.min(
      Math.max(wait, LEAST_INTERVAL),
      GREATEST_INTERVAL,
    );
    return setInterval(() => {
      // A host that does not take them is not waiting.
      if (this.#link?.hasPending(this.index)) return;
      this.#send(message, command, CommandStatus.TIME_EXTENSION, 1);
    }, interval);
  }

  #succeed(message: CommandMessage, command: Command, reply: Reply): void {
    this.#send(message, command, CommandStatus.DONE, 0, reply);
  }

  #fail(message: CommandMessage, command: Command, error: number): void {
    this.#send(message, command, CommandStatus.FAILED, error);
  }

  #send(
    { slot, seq }: CommandMessage,
    { response }: Command,
    commandStatus: number,
    error: number,
    { data = NO_DATA, detail = 0 }: Reply = {},
  ): void {
    const { iccStatus } = this.#state;
    this.#link?.send({
      type: response,
      slot,
      seq,
      iccStatus,
      commandStatus,
      error,
      detail,
      data,
    });
  }
}

const NO_DATA = new Uint8Array(0);
