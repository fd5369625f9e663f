/**
 * The wrappers of commands and their status (Bulk-Only Transport 1.0, 5).
 *
 * @module
 */

/** Bytes of a Command Block Wrapper. */
const CBW_LENGTH = 31;
const CBW_SIGNATURE = 0x43425355;
const CSW_LENGTH = 13;
const CSW_SIGNATURE = 0x53425355;

/** `bCSWStatus`. */
export const Status = { PASSED: 0, FAILED: 1, PHASE_ERROR: 2 } as const;

/** A value of {@linkcode Status}. */
export type StatusCode = (typeof Status)[keyof typeof Status];

/** A Command Block Wrapper. */
export interface CommandBlockWrapper {
  readonly tag: number;
  /** Bytes of data that the host expects. */
  readonly length: number;
  readonly direction: "in" | "out";
  readonly lun: number;
  /** The command, with zeros up to 16 bytes. */
  readonly cdb: Uint8Array;
}

/** Decodes a wrapper; `undefined` unless it is valid and meaningful (6.2). */
export function decodeCbw(bytes: Uint8Array): CommandBlockWrapper | undefined {
  if (bytes.byteLength !== CBW_LENGTH) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, CBW_LENGTH);
  const flags = bytes[12];
  const lun = bytes[13];
  const cdbLength = bytes[14];
  if (
    view.getUint32(0, true) !== CBW_SIGNATURE || (flags & 0x7f) !== 0 ||
    lun > 15 || cdbLength < 1 || cdbLength > 16
  ) return undefined;
  return {
    tag: view.getUint32(4, true),
    length: view.getUint32(8, true),
    direction: flags === 0 ? "out" : "in",
    lun,
    // What follows the CDB is not part of it.
    cdb: bytes.slice(15).fill(0, cdbLength),
  };
}

/** Encodes a Command Status Wrapper. */
export function encodeCsw(
  tag: number,
  residue: number,
  status: StatusCode,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(CSW_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, CSW_SIGNATURE, true);
  view.setUint32(4, tag, true);
  view.setUint32(8, residue, true);
  bytes[12] = status;
  return bytes;
}
