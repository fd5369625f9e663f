/**
 * Sense data: why a command failed (SPC-4, 4.5).
 *
 * @module
 */

/**
 * The conditions that a disk reports, by their names in SPC-4, annex D.
 *
 * @category Block devices
 */
export type SenseName =
  | "no additional sense information"
  | "write error"
  | "unrecovered read error"
  | "miscompare during verify operation"
  | "parameter list length error"
  | "invalid command operation code"
  | "logical block address out of range"
  | "invalid field in cdb"
  | "logical unit not supported"
  | "saving parameters not supported"
  | "invalid field in parameter list"
  | "write protected"
  | "space allocation failed write protect"
  | "not ready to ready change, medium may have changed"
  | "medium not present"
  | "logical unit is in process of becoming ready"
  | "medium removal prevented"
  | "internal target failure"
  | "data phase error"
  | "illegal mode for this track";

/** Sense keys by the field's names (SPC-4, table 48). */
export const SenseKey = {
  NO_SENSE: 0x0,
  NOT_READY: 0x2,
  MEDIUM_ERROR: 0x3,
  HARDWARE_ERROR: 0x4,
  ILLEGAL_REQUEST: 0x5,
  UNIT_ATTENTION: 0x6,
  DATA_PROTECT: 0x7,
  ABORTED_COMMAND: 0xb,
  MISCOMPARE: 0xe,
} as const;

/** The sense key, and the additional sense code with its qualifier as 16 bits. */
const CODES: Readonly<Record<SenseName, readonly [key: number, code: number]>> =
  {
    "no additional sense information": [SenseKey.NO_SENSE, 0x0000],
    "logical unit is in process of becoming ready": [
      SenseKey.NOT_READY,
      0x0401,
    ],
    "write error": [SenseKey.MEDIUM_ERROR, 0x0c00],
    "unrecovered read error": [SenseKey.MEDIUM_ERROR, 0x1100],
    "parameter list length error": [SenseKey.ILLEGAL_REQUEST, 0x1a00],
    "miscompare during verify operation": [SenseKey.MISCOMPARE, 0x1d00],
    "invalid command operation code": [SenseKey.ILLEGAL_REQUEST, 0x2000],
    "logical block address out of range": [SenseKey.ILLEGAL_REQUEST, 0x2100],
    "invalid field in cdb": [SenseKey.ILLEGAL_REQUEST, 0x2400],
    "logical unit not supported": [SenseKey.ILLEGAL_REQUEST, 0x2500],
    "invalid field in parameter list": [SenseKey.ILLEGAL_REQUEST, 0x2600],
    "write protected": [SenseKey.DATA_PROTECT, 0x2700],
    "space allocation failed write protect": [SenseKey.DATA_PROTECT, 0x2707],
    "not ready to ready change, medium may have changed": [
      SenseKey.UNIT_ATTENTION,
      0x2800,
    ],
    "saving parameters not supported": [SenseKey.ILLEGAL_REQUEST, 0x3900],
    "medium not present": [SenseKey.NOT_READY, 0x3a00],
    "internal target failure": [SenseKey.HARDWARE_ERROR, 0x4400],
    "data phase error": [SenseKey.ABORTED_COMMAND, 0x4b00],
    "medium removal prevented": [SenseKey.ILLEGAL_REQUEST, 0x5302],
    "illegal mode for this track": [SenseKey.ILLEGAL_REQUEST, 0x6400],
  };

/** Whether a value is the name of a sense. */
export function isSenseName(value: unknown): value is SenseName {
  return typeof value === "string" && Object.hasOwn(CODES, value);
}

/**
 * Details of a {@linkcode SenseError}.
 *
 * @category Block devices
 */
export interface SenseErrorOptions extends ErrorOptions {
  /** The first block that failed. */
  readonly lba?: number;
}

/**
 * A command fails with this sense data. A {@linkcode BlockDevice} throws it to
 * choose what the host sees. Linux reports the two errors of the medium to a
 * program as EIO, or as ENODATA for direct I/O.
 *
 * @example Block 4711 cannot be read
 * ```ts
 * import { memoryDisk, SenseError } from "@usb/gadget/mass-storage";
 *
 * const disk = memoryDisk(8 << 20);
 * const failing = {
 *   ...disk,
 *   read(lba: number, into: Uint8Array<ArrayBuffer>) {
 *     if (lba <= 4711 && 4711 < lba + into.byteLength / 512) {
 *       throw new SenseError("unrecovered read error", { lba: 4711 });
 *     }
 *     return disk.read(lba, into);
 *   },
 * };
 * ```
 *
 * @category Block devices
 */
export class SenseError extends Error {
  /** @ignore */
  override readonly name = "SenseError";
  /** What the host is to see. */
  readonly sense: SenseName;
  /** The first block that failed, if the error names it. */
  readonly lba: number | undefined;

  /**
   * Makes an error to throw.
   *
   * @param sense What the host is to see.
   * @throws {TypeError} If there is no such name.
   */
  constructor(sense: SenseName, options: SenseErrorOptions = {}) {
    const { lba } = options;
    if (!isSenseName(sense)) {
      throw new TypeError(
        `Cannot make sense error: there is no sense "${sense}"`,
      );
    }
    super(lba === undefined ? sense : `${sense}: block ${lba}`, options);
    this.sense = sense;
    this.lba = lba;
  }
}

/** What the last command of a logical unit has left for REQUEST SENSE. */
export interface Sense {
  readonly name: SenseName;
  /** The first block that failed. */
  readonly lba?: number;
}

/** The sense of a unit in which nothing is wrong. */
export const NO_SENSE: Sense = { name: "no additional sense information" };

/**
 * Encodes sense data: fixed format (SPC-4, 4.5.3), 18 bytes, or the descriptor
 * format (4.5.2), which has room for a block beyond 2^32.
 */
export function encodeSense(
  { name, lba }: Sense,
  format: "fixed" | "descriptor" = "fixed",
): Uint8Array<ArrayBuffer> {
  const [key, code] = CODES[name];
  if (format === "descriptor") {
    const bytes = new Uint8Array(lba === undefined ? 8 : 20);
    const view = new DataView(bytes.buffer);
    bytes[0] = 0x72; // current error
    bytes[1] = key;
    view.setUint16(2, code);
    if (lba === undefined) return bytes;
    bytes[7] = 12;
    bytes[9] = 10; // an information descriptor of 10 more bytes
    bytes[10] = 0x80; // VALID
    view.setBigUint64(12, BigInt(lba));
    return bytes;
  }
  const bytes = new Uint8Array(18);
  const view = new DataView(bytes.buffer);
  const hasLba = lba !== undefined && lba < 2 ** 32;
  bytes[0] = hasLba ? 0xf0 : 0x70; // VALID, current error
  bytes[2] = key;
  if (hasLba) view.setUint32(3, lba);
  bytes[7] = 10; // bytes that follow
  view.setUint16(12, code);
  return bytes;
}
