/**
 * What each command of the host does (CCID 1.1, 6.1).
 *
 * @module
 */
import { bytesProblem } from "../../../arguments/bytes.ts";
import { CommandFailure, SlotErrorCode } from "../card/card_error.ts";
import { type Parameters, PROTOCOLS } from "../card/parameters.ts";
import { callCard } from "../card/smart_card.ts";
import { type CommandMessage, CommandType, ResponseType } from "../messages.ts";
import type { SlotState } from "./state.ts";

/** Answers PC_to_RDR_Escape; see `CardReaderOptions.onEscape`. */
export type EscapeHandler = (
  data: Uint8Array<ArrayBuffer>,
  slot: number,
  signal: AbortSignal,
) => Uint8Array | Promise<Uint8Array>;

/** What a command needs beside the state of its slot. */
export interface CommandContext {
  /** Aborted when the command is over. The state must not change then. */
  readonly signal: AbortSignal;
  readonly onEscape: EscapeHandler | undefined;
  /** Bytes of data in a message. */
  readonly room: number;
}

/** What the host gets. */
export interface Reply {
  readonly data?: Uint8Array;
  /** Byte 9 of the response. @default {0} */
  readonly detail?: number;
}

/** A kind of command. */
export interface Command {
  readonly response: ResponseType;
  /** Bytes of its data, if there is only one possibility. */
  readonly length?: number;
  /** Whether hosts grant more time for it. */
  readonly takesTime?: boolean;
  /** Runs it. @throws {CommandFailure} With what the host sees. */
  run(
    state: SlotState,
    message: CommandMessage,
    context: CommandContext,
  ): Reply | Promise<Reply>;
}

/** Where the first field of its own is in a message. */
const FIRST_FIELD = 7;
/** Values of `bPowerSelect`: automatic, 5 V, 3 V, 1.8 V. */
const VOLTAGES = 4;
/** Bytes of `abProtocolDataStructure`. */
const PARAMETERS_LENGTH = [5, 7];

const { DATA_BLOCK, SLOT_STATUS } = ResponseType;

/** The commands that a reader knows, by their types. */
export const COMMANDS: Readonly<Record<number, Command>> = {
  [CommandType.ICC_POWER_ON]: { response: DATA_BLOCK, length: 0, run: powerOn },
  [CommandType.ICC_POWER_OFF]: {
    response: SLOT_STATUS,
    length: 0,
    run(state) {
      state.powerOff();
      return { detail: state.clockStatus };
    },
  },
  [CommandType.GET_SLOT_STATUS]: {
    response: SLOT_STATUS,
    length: 0,
    run: (state) => ({ detail: state.clockStatus }),
  },
  [CommandType.XFR_BLOCK]: {
    response: DATA_BLOCK,
    takesTime: true,
    run: transfer,
  },
  [CommandType.GET_PARAMETERS]: {
    response: ResponseType.PARAMETERS,
    length: 0,
    run: (state) => parametersReply(state.poweredCard().parameters),
  },
  [CommandType.RESET_PARAMETERS]: {
    response: ResponseType.PARAMETERS,
    length: 0,
    run(state) {
      const powered = state.poweredCard();
      powered.parameters = powered.atr.parameters;
      return parametersReply(powered.parameters);
    },
  },
  [CommandType.SET_PARAMETERS]: {
    response: ResponseType.PARAMETERS,
    run: setParameters,
  },
  [CommandType.ESCAPE]: {
    response: ResponseType.ESCAPE,
    takesTime: true,
    run: escape,
  },
  [CommandType.ICC_CLOCK]: { response: SLOT_STATUS, length: 0, run: setClock },
  [CommandType.SECURE]: refused(DATA_BLOCK),
  [CommandType.T0_APDU]: refused(SLOT_STATUS),
  [CommandType.MECHANICAL]: refused(SLOT_STATUS),
  [CommandType.SET_DATA_RATE_AND_CLOCK_FREQUENCY]: refused(
    ResponseType.DATA_RATE_AND_CLOCK_FREQUENCY,
  ),
};

/** A command that the reader does not have. */
export function refused(response: ResponseType): Command {
  return {
    response,
    run() {
      throw new CommandFailure(SlotErrorCode.CMD_NOT_SUPPORTED);
    },
  };
}

async function powerOn(
  state: SlotState,
  { fields: [voltage] }: CommandMessage,
  { signal }: CommandContext,
): Promise<Reply> {
  if (voltage >= VOLTAGES) throw new CommandFailure(FIRST_FIELD);
  const inserted = state.card();
  state.powerOff();
  const { card, atr } = inserted;
  await callCard(card, signal, () => card.onReset?.());
  signal.throwIfAborted();
  state.powerOn(inserted);
  return { data: atr.bytes };
}

async function transfer(
  state: SlotState,
  { fields: [, low, high], data }: CommandMessage,
  { signal }: CommandContext,
): Promise<Reply> {
  const { exchange } = state;
  const powered = state.poweredCard();
  powered.clockStopped = false;
  const received = exchange.receive(low | high << 8, data);
  if (!(received instanceof Uint8Array)) return received;
  const { card } = powered;
  const answer = await callCard(
    card,
    signal,
    () => card.onApdu(received, signal),
  );
  signal.throwIfAborted();
  const { shortestAnswer, longestAnswer } = exchange;
  checkAnswer('"onApdu"', answer, shortestAnswer, longestAnswer);
  return exchange.answer(answer);
}

async function escape(
  _: SlotState,
  { data, slot }: CommandMessage,
  { signal, onEscape, room }: CommandContext,
): Promise<Reply> {
  if (onEscape === undefined) {
    throw new CommandFailure(SlotErrorCode.CMD_NOT_SUPPORTED);
  }
  const answer = await onEscape(data, slot, signal);
  checkAnswer('"onEscape"', answer, 0, room);
  return { data: answer };
}

/** Checks what a callback has returned. @throws {TypeError | RangeError} */
function checkAnswer(
  callback: string,
  answer: unknown,
  shortest: number,
  longest: number,
): asserts answer is Uint8Array {
  const action = `Cannot send the answer of ${callback}: it`;
  const problem = bytesProblem(answer);
  if (problem !== undefined) throw new TypeError(`${action} ${problem}`);
  const { byteLength } = answer as Uint8Array;
  if (byteLength >= shortest && byteLength <= longest) return;
  throw new RangeError(
    `${action} must have ${shortest} to ${longest} bytes, has ${byteLength}`,
  );
}

function setParameters(
  state: SlotState,
  { fields: [number], data }: CommandMessage,
): Reply {
  const powered = state.poweredCard();
  const protocol = PROTOCOLS.find((it) => it === number);
  const isOffered = protocol !== undefined &&
    powered.atr.protocols.includes(protocol);
  if (!isOffered) throw new CommandFailure(FIRST_FIELD);
  if (data.byteLength !== PARAMETERS_LENGTH[protocol]) {
    throw new CommandFailure(SlotErrorCode.BAD_LENGTH);
  }
  const [characters, blocks] = powered.parameters.values;
  const values = protocol === 0
    ? [data, blocks] as const
    : [characters, data] as const;
  powered.parameters = { protocol, values };
  return parametersReply(powered.parameters);
}

function parametersReply({ protocol, values }: Parameters): Reply {
  return { data: values[protocol], detail: protocol };
}

function setClock(
  state: SlotState,
  { fields: [command] }: CommandMessage,
): Reply {
  const powered = state.poweredCard();
  if (command > 1) throw new CommandFailure(FIRST_FIELD);
  powered.clockStopped = command === 1;
  return { detail: state.clockStatus };
}
