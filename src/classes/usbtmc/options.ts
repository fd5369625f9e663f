/**
 * Options of test and measurement devices.
 *
 * @module
 */
import {
  CALLBACK,
  checkOptions,
  LOCALIZED_TEXT,
  type Rules,
  TEXT,
} from "../../arguments/rules.ts";
import type { LocalizedString } from "../../definition/function.ts";
import type { UsbtmcMessage } from "./transport/message.ts";
import type { UsbtmcResponse } from "./transport/response.ts";

/**
 * Who controls the device (IEEE 488.1, 2.8): its own panel, or the host as well;
 * with a lockout, the key that returns the control to the panel has no effect.
 *
 * @category Devices
 */
export type RemoteState =
  | "local"
  | "remote"
  | "local lockout"
  | "remote lockout";

/**
 * What {@linkcode Usbtmc} and {@linkcode Instrument} have in common. What a
 * callback throws is an `"error"` event of the function.
 *
 * @category Devices
 */
export interface UsbtmcDeviceOptions<N extends string = string> {
  /**
   * The name of the function in its gadget. Two of a kind need two names.
   * @default {"usbtmc"}
   */
  readonly name?: N;
  /** `iInterface`: the name of the interface. */
  readonly description?: LocalizedString;
  /**
   * The host triggers the device: with USB488's TRIGGER message, in the order of
   * the other messages. Without it, the device cannot be triggered.
   */
  readonly onTrigger?: () => void | Promise<void>;
  /**
   * The host clears the device: all messages and responses are dropped. Without a
   * callback, that is all.
   */
  readonly onClear?: () => void;
  /**
   * The host wants to know which device it is: turn a light on for half a second.
   * Without it, the device has none.
   */
  readonly onIndicatorPulse?: () => void | Promise<void>;
  /** The host takes the control, or returns it; see {@linkcode Usbtmc.remote}. */
  readonly onRemote?: (state: RemoteState) => void;
}

/**
 * Options of {@linkcode Usbtmc}.
 *
 * @category Devices
 */
export interface UsbtmcOptions<N extends string = string>
  extends UsbtmcDeviceOptions<N> {
  /**
   * Handles a message, and returns the response if it is a query. Messages are
   * handled one after another; the response waits until the host asks for it, and
   * is dropped when the next message comes.
   */
  readonly onMessage?: (
    message: UsbtmcMessage,
  ) => UsbtmcResponse | void | Promise<UsbtmcResponse | void>;
  /**
   * In place of `onMessage`: handles a text of up to 16 MiB, without its line feed,
   * and returns the response, to which a line feed is added.
   *
   * @param signal See {@linkcode UsbtmcMessage.signal}.
   */
  readonly onCommand?: (
    text: string,
    signal: AbortSignal,
  ) => string | void | Promise<string | void>;
  /**
   * The status byte (IEEE 488.1): bits 0 to 3, 5 and 7. Bit 4 says that a response
   * is available, and bit 6 that service was requested; both are set by the
   * package.
   * @default {() => 0}
   */
  readonly statusByte?: () => number;
}

/** Rules for the options in common. */
export const DEVICE_RULES: Rules<UsbtmcDeviceOptions> = {
  name: TEXT,
  description: LOCALIZED_TEXT,
  onTrigger: CALLBACK,
  onClear: CALLBACK,
  onIndicatorPulse: CALLBACK,
  onRemote: CALLBACK,
};

/** The longest command, in bytes. */
export const MAX_COMMAND = 16 << 20;

type MessageHandler = NonNullable<UsbtmcOptions["onMessage"]>;

/**
 * Checks options; returns what handles messages.
 *
 * @throws {TypeError} For an unknown option, or one of the wrong type.
 */
export function messageHandler(options: UsbtmcOptions): MessageHandler {
  const action = "make USBTMC device";
  checkOptions(action, options, {
    ...DEVICE_RULES,
    onMessage: CALLBACK,
    onCommand: CALLBACK,
    statusByte: CALLBACK,
  });
  const { onMessage, onCommand } = options;
  if (onMessage !== undefined && onCommand === undefined) return onMessage;
  if (onCommand === undefined || onMessage !== undefined) {
    throw new TypeError(`Cannot ${action}: give "onMessage" or "onCommand"`);
  }
  return async (message) => {
    const bytes = await message.bytes(MAX_COMMAND);
    const text = new TextDecoder().decode(bytes).replace(/\r?\n$/, "");
    const answer = await onCommand(text, message.signal);
    return answer === undefined ? undefined : `${answer}\n`;
  };
}
