/**
 * Commands that disks and CDs have in common (SPC-4, SBC-3).
 *
 * @module
 */
import { flushBlocks } from "./blocks.ts";
import { action, answer, type Command, DONE } from "./command.ts";
import type { Cdb } from "./cdb.ts";
import type { Drive } from "./drive.ts";
import { standardInquiry, vitalProductData } from "./inquiry.ts";
import { modeSense } from "./mode_pages.ts";
import { encodeSense, NO_SENSE, type Sense, SenseError } from "./sense.ts";

/** A command of a drive. */
export type Handler = (drive: Drive, cdb: Cdb) => Command;

/** INQUIRY, also of a unit that does not exist. */
export function inquiry(drive: Drive | undefined, cdb: Cdb): Command {
  const page = cdb.u8(2);
  const wantsPage = cdb.has(1, 0x01);
  if (!wantsPage && page !== 0) throw new SenseError("invalid field in cdb");
  if (wantsPage && drive === undefined) {
    throw new SenseError("invalid field in cdb");
  }
  return answer(
    wantsPage
      ? vitalProductData(page, drive!.identity, drive!.medium)
      : standardInquiry(drive?.identity),
    cdb.u16(3),
  );
}

/** REQUEST SENSE. */
export function requestSense(sense: Sense, cdb: Cdb): Command {
  const format = cdb.has(1, 0x01) ? "descriptor" : "fixed";
  return answer(encodeSense(sense, format), cdb.u8(4));
}

/** REPORT LUNS: those of all units. */
export function reportLuns(count: number, cdb: Cdb): Command {
  const report = cdb.u8(2);
  // All, or those that are well known: there are none.
  if (report > 2) throw new SenseError("invalid field in cdb");
  const shown = report === 1 ? 0 : count;
  const data = new Uint8Array(8 + 8 * shown);
  new DataView(data.buffer).setUint32(0, 8 * shown);
  for (let lun = 0; lun < shown; lun++) data[8 + 8 * lun + 1] = lun;
  return answer(data, cdb.u32(6));
}

/** PREVENT ALLOW MEDIUM REMOVAL. */
function preventAllowMediumRemoval(drive: Drive, cdb: Cdb): Command {
  cdb.refuse(4, 0xfe);
  if (!drive.identity.removable) {
    throw new SenseError("invalid command operation code");
  }
  return action(() => {
    drive.locked = cdb.has(4, 0x01);
  });
}

/** START STOP UNIT: only the ejection has an effect. */
function startStopUnit(drive: Drive, cdb: Cdb): Command {
  cdb.refuse(4, 0xf0); // power conditions
  const start = cdb.has(4, 0x01);
  const load = cdb.has(4, 0x02);
  if (load && !drive.identity.removable) {
    throw new SenseError("invalid field in cdb");
  }
  if (start) {
    drive.requireMedium();
    return DONE;
  }
  return action(async () => {
    if (load && drive.locked) throw new SenseError("medium removal prevented");
    if (drive.medium !== undefined) await flushBlocks(drive.medium);
    if (load) drive.eject();
  });
}

/** REQUEST SENSE reports a pending condition only if nothing has failed. */
function takeSense(drive: Drive): Sense {
  if (drive.sense !== NO_SENSE) {
    const sense = drive.sense;
    drive.sense = NO_SENSE;
    return sense;
  }
  const attention = drive.takeAttention();
  return attention === undefined ? NO_SENSE : { name: attention };
}

/** By operation code. */
export const PRIMARY_COMMANDS: ReadonlyMap<number, Handler> = new Map([
  // TEST UNIT READY
  [0x00, (drive) => {
    drive.requireMedium();
    return DONE;
  }],
  [0x03, (drive, cdb) => requestSense(takeSense(drive), cdb)],
  [0x12, inquiry],
  [0x1a, modeSense],
  [0x5a, modeSense],
  [0x1b, startStopUnit],
  [0x1e, preventAllowMediumRemoval],
] as [number, Handler][]);
