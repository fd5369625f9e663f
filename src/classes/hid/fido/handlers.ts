/**
 * The commands that a device answers, by the handlers that it has.
 *
 * @module
 */
import { checkBytes } from "../../../arguments/bytes.ts";
import { Command, ErrorCode, MAX_MESSAGE_SIZE } from "./packets.ts";
import type { CtapRequest, RunningRequest } from "./request.ts";

/** What answers requests. */
export interface CtapHandlers {
  readonly onMessage: (
    cbor: Uint8Array<ArrayBuffer>,
    request: CtapRequest,
  ) => Uint8Array | Promise<Uint8Array>;
  readonly onU2f?: (
    apdu: Uint8Array<ArrayBuffer>,
    request: CtapRequest,
  ) => Uint8Array | Promise<Uint8Array>;
  readonly onWink?: () => void | Promise<void>;
}

/** Capability flags (CTAP 2.1, 11.2.9.1.3). */
const CAN_WINK = 0x01;
const HAS_CBOR = 0x04;
const HAS_NO_MSG = 0x08;

const NOTHING = new Uint8Array(0);
/** A status byte. */
const MIN_CBOR_RESPONSE = 1;
/** A status word. */
const MIN_U2F_RESPONSE = 2;

/** The capability flags of a device. */
export function capabilities({ onU2f, onWink }: CtapHandlers): number {
  return HAS_CBOR | (onWink === undefined ? 0 : CAN_WINK) |
    (onU2f === undefined ? HAS_NO_MSG : 0);
}

/** Returns the code of what is wrong with a request, as far as its first packet shows. */
export function problemOf(
  handlers: CtapHandlers,
  command: number,
  length: number,
): number | undefined {
  const limits = limitsOf(handlers, command);
  if (limits === undefined) return ErrorCode.INVALID_CMD;
  const [least, most] = limits;
  return length < least || length > most ? ErrorCode.INVALID_LEN : undefined;
}

/** The least and the most bytes of a request, if there is a handler for it. */
function limitsOf(
  { onU2f, onWink }: CtapHandlers,
  command: number,
): [least: number, most: number] | undefined {
  switch (command) {
    case Command.PING:
      return [0, MAX_MESSAGE_SIZE];
    case Command.CBOR:
      return [1, MAX_MESSAGE_SIZE];
    case Command.MSG:
      return onU2f && [1, MAX_MESSAGE_SIZE];
    case Command.WINK:
      return onWink && [0, 0];
    default:
      return undefined;
  }
}

/**
 * Calls the handler of a request.
 *
 * @returns The response.
 * @throws {TypeError} If the handler returns no bytes.
 * @throws {RangeError} If it returns too few or too many.
 */
export async function callHandler(
  { onMessage, onU2f, onWink }: CtapHandlers,
  { command, view }: RunningRequest,
  data: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  if (command === Command.WINK) {
    await onWink?.();
    return NOTHING;
  }
  if (command === Command.MSG && onU2f !== undefined) {
    return checkResponse(await onU2f(data, view), "onU2f", MIN_U2F_RESPONSE);
  }
  const response = await onMessage(data, view);
  return checkResponse(response, "onMessage", MIN_CBOR_RESPONSE);
}

function checkResponse(
  response: unknown,
  handler: string,
  least: number,
): Uint8Array {
  const what = `what "${handler}" returns`;
  checkBytes("answer the host", what, response);
  const { length } = response;
  if (length >= least && length <= MAX_MESSAGE_SIZE) return response;
  throw new RangeError(
    `Cannot answer the host: ${what} must have from ${least} to ${MAX_MESSAGE_SIZE} bytes, has ${length}`,
  );
}
