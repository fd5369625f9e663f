/**
 * Errors of SCPI (SCPI 1999.0, volume 2, 21.8).
 *
 * @module
 */

/** Texts of the errors that this package reports, and of others that programs need. */
const MESSAGES: Readonly<Record<number, string>> = {
  0: "No error",
  [-100]: "Command error",
  [-102]: "Syntax error",
  [-103]: "Invalid separator",
  [-104]: "Data type error",
  [-108]: "Parameter not allowed",
  [-109]: "Missing parameter",
  [-111]: "Header separator error",
  [-113]: "Undefined header",
  [-114]: "Header suffix out of range",
  [-138]: "Suffix not allowed",
  [-151]: "Invalid string data",
  [-161]: "Invalid block data",
  [-171]: "Invalid expression",
  [-200]: "Execution error",
  [-220]: "Parameter error",
  [-221]: "Settings conflict",
  [-222]: "Data out of range",
  [-223]: "Too much data",
  [-224]: "Illegal parameter value",
  [-240]: "Hardware error",
  [-300]: "Device-specific error",
  [-310]: "System error",
  [-350]: "Queue overflow",
  [-400]: "Query error",
  [-410]: "Query INTERRUPTED",
  [-420]: "Query UNTERMINATED",
  [-440]: "Query UNTERMINATED after indefinite response",
};

/**
 * An error for the host, which finds it with `SYSTem:ERRor?`. Its code is one of
 * SCPI's, which are negative, or the program's own, which is positive.
 *
 * @example
 * ```ts
 * import { ScpiError } from "@usb/gadget/usbtmc";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new ScpiError(-222, "at most 30 V");
 * assertEquals(error.message, "Data out of range; at most 30 V");
 * ```
 *
 * @category Devices
 */
export class ScpiError extends Error {
  /** The name of the class. */
  override name = "ScpiError";
  /** The code: -32767 to 32767, but not 0. */
  readonly code: number;

  /**
   * Makes an error.
   *
   * @param detail What follows the standard text of the code, or stands in place of
   * it if there is none.
   * @throws {RangeError} For a code that is 0, out of range or not an integer.
   */
  constructor(code: number, detail?: string) {
    if (!Number.isInteger(code) || code === 0 || Math.abs(code) > 32767) {
      throw new RangeError(
        `Cannot make SCPI error: the code must be an integer from -32767 to 32767 but not 0, is ${code}`,
      );
    }
    const text = MESSAGES[code];
    super([text, detail].filter((it) => it !== undefined).join("; "));
    this.code = code;
  }
}

/** An entry of the error queue, as `SYSTem:ERRor?` returns it. */
export function formatError(error: ScpiError | undefined): string {
  const { code, message } = error ?? { code: 0, message: MESSAGES[0] };
  const text = message.replaceAll('"', '""').replace(/[^\x20-\x7e]/g, "?");
  return `${code},"${text.slice(0, 255)}"`;
}
