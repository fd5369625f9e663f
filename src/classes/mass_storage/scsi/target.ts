/**
 * The SCSI target device: its logical units, and which command does what.
 *
 * @module
 */
import { BLOCK_COMMANDS } from "./block_commands.ts";
import { CD_COMMANDS } from "./cd_commands.ts";
import { Cdb } from "./cdb.ts";
import type { Command } from "./command.ts";
import type { Drive } from "./drive.ts";
import {
  inquiry,
  PRIMARY_COMMANDS,
  reportLuns,
  requestSense,
} from "./primary_commands.ts";
import { NO_SENSE, SenseError } from "./sense.ts";

const REQUEST_SENSE = 0x03;
const INQUIRY = 0x12;
const GET_CONFIGURATION = 0x46;
const GET_EVENT_STATUS_NOTIFICATION = 0x4a;
const REPORT_LUNS = 0xa0;
/** A pending unit attention does not stop these (SAM-5, 5.14; MMC-6, 4.1). */
const CALM = new Set([
  REQUEST_SENSE,
  INQUIRY,
  REPORT_LUNS,
  GET_CONFIGURATION,
  GET_EVENT_STATUS_NOTIFICATION,
]);

/**
 * Begins a command: checks it, and returns what it does.
 *
 * @param drives The logical units.
 * @param bytes The CDB, 16 bytes.
 * @throws {SenseError} If the command is refused.
 */
export function beginCommand(
  drives: readonly Drive[],
  lun: number,
  bytes: Uint8Array,
): Command {
  const cdb = new Cdb(bytes);
  const { opcode } = cdb;
  const drive = drives[lun] as Drive | undefined;
  if (drive === undefined) return withoutUnit(drives, cdb);
  if (opcode !== REQUEST_SENSE) drive.sense = NO_SENSE;
  if (!CALM.has(opcode)) {
    const attention = drive.takeAttention();
    if (attention !== undefined) throw new SenseError(attention);
  }
  if (opcode === REPORT_LUNS) {
    cdb.checkControl();
    return reportLuns(drives.length, cdb);
  }
  const handler = PRIMARY_COMMANDS.get(opcode) ??
    (drive.identity.type === "cdrom" ? CD_COMMANDS : BLOCK_COMMANDS)
      .get(opcode);
  if (handler === undefined) {
    throw new SenseError("invalid command operation code");
  }
  cdb.checkControl();
  return handler(drive, cdb);
}

/** The commands that a logical unit answers although it does not exist. */
function withoutUnit(drives: readonly Drive[], cdb: Cdb): Command {
  switch (cdb.opcode) {
    case INQUIRY:
      return inquiry(undefined, cdb);
    case REQUEST_SENSE:
      return requestSense({ name: "logical unit not supported" }, cdb);
    case REPORT_LUNS:
      return reportLuns(drives.length, cdb);
    default:
      throw new SenseError("logical unit not supported");
  }
}
