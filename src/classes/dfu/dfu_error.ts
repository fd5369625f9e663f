/**
 * Errors that the host sees as a DFU status.
 *
 * @module
 */
import { checkArgument, oneOf, TEXT } from "../../arguments/rules.ts";
import { DFU_STATUSES, type DfuErrorStatus } from "./codes.ts";

const STATUS = oneOf(...DFU_STATUSES.slice(1));

/**
 * Thrown by an area to fail what the host does with a status of its choice.
 *
 * @example
 * ```ts
 * import { DfuError } from "@usb/gadget/dfu";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new DfuError("errVERIFY", "The checksum is wrong");
 * assertEquals(error.status, "errVERIFY");
 * ```
 *
 * @category Devices
 */
export class DfuError extends Error {
  /** The name of the class. */
  override name = "DfuError";
  /** What the host sees. */
  readonly status: DfuErrorStatus;

  /**
   * Creates an error with a status.
   *
   * @throws {TypeError} If there is no such status.
   */
  constructor(status: DfuErrorStatus, message: string = status) {
    checkArgument("make DFU error", "the status", status, STATUS);
    checkArgument("make DFU error", "the message", message, TEXT);
    super(message);
    this.status = status;
  }
}

/** The status for what an area has thrown, `fallback` if it chose none. */
export function statusOf(
  error: unknown,
  fallback: DfuErrorStatus,
): DfuErrorStatus {
  if (error instanceof DfuError) return error.status;
  const isFull = error instanceof Error && "code" in error &&
    error.code === "ENOSPC";
  return isFull ? "errADDRESS" : fallback;
}
