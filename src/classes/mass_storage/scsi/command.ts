/**
 * What a SCSI command does, for the transport that carries its data.
 *
 * @module
 */

/** Whether the host has given up the command that is under way. */
export interface Run {
  readonly abandoned: boolean;
}

/**
 * A command whose CDB is valid. The transport moves its data in pieces, each a
 * multiple of all block sizes but the last one, and then finishes it. Anything may
 * throw a `SenseError`.
 */
export interface Command {
  /** The direction of the data, for the host: `"in"` is to the host. */
  readonly direction: "in" | "out";
  /** Bytes of the data. */
  readonly byteLength: number;
  /**
   * Fills a piece of data for the host, or takes one from it.
   *
   * @param offset Where the piece begins in the data.
   * @throws {PartialError} If only the beginning of the piece is good.
   */
  transfer?(
    offset: number,
    piece: Uint8Array<ArrayBuffer>,
  ): void | Promise<void>;
  /** Does what follows the data, or all that a command without data does. */
  finish?(run: Run): void | Promise<void>;
}

/** Some bytes of a piece were transferred; then came the error. */
export class PartialError extends Error {
  readonly good: number;
  override readonly cause: unknown;

  constructor(good: number, cause: unknown) {
    super("only a part was transferred");
    this.good = good;
    this.cause = cause;
  }
}

/** A command that is done. */
export const DONE: Command = { direction: "in", byteLength: 0 };

/** A command without data. */
export function action(finish: (run: Run) => void | Promise<void>): Command {
  return { ...DONE, finish };
}

/** A command that returns bytes, up to the length that the host allows. */
export function answer(bytes: Uint8Array, allocationLength: number): Command {
  const data = bytes.subarray(0, allocationLength);
  return {
    direction: "in",
    byteLength: data.byteLength,
    transfer: (offset, piece) =>
      piece.set(data.subarray(offset, offset + piece.byteLength)),
  };
}

/** A command that needs all bytes of the host before it acts. */
export function request(
  byteLength: number,
  finish: (bytes: Uint8Array<ArrayBuffer>, run: Run) => void | Promise<void>,
): Command {
  const bytes = new Uint8Array(byteLength);
  return {
    direction: "out",
    byteLength,
    transfer: (offset, piece) => bytes.set(piece, offset),
    finish: (run) => finish(bytes, run),
  };
}
