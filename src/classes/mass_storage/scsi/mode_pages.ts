/**
 * MODE SENSE (SPC-4, 6.11 and 7.5).
 *
 * @module
 */
import { answer, type Command } from "./command.ts";
import type { Cdb } from "./cdb.ts";
import type { Drive } from "./drive.ts";
import { SenseError } from "./sense.ts";

const ALL_PAGES = 0x3f;
const ALL_SUBPAGES = 0xff;
const CHANGEABLE = 1;
const SAVED = 3;

const MODE_SENSE_6 = 0x1a;

/** MODE SENSE (6) and (10). */
export function modeSense(drive: Drive, cdb: Cdb): Command {
  const isShort = cdb.opcode === MODE_SENSE_6;
  const code = cdb.u8(2) & 0x3f;
  const subpage = cdb.u8(3);
  const control = cdb.u8(2) >> 6;
  // Nothing can be saved, or changed.
  if (control === SAVED) {
    throw new SenseError("saving parameters not supported");
  }
  if (subpage !== 0 && subpage !== ALL_SUBPAGES) {
    throw new SenseError("invalid field in cdb");
  }
  const all = pages(drive);
  const chosen = code === ALL_PAGES
    ? [...all]
    : [...all].filter(([each]) => each === code);
  if (chosen.length === 0) throw new SenseError("invalid field in cdb");
  const parameters = chosen.flatMap(([page, contents]) => [
    page,
    contents.length,
    ...(control === CHANGEABLE ? contents.map(() => 0) : contents),
  ]);
  const isProtected = drive.identity.type === "disk" &&
    drive.medium !== undefined && drive.medium.write === undefined;
  const flags = isProtected ? 0x80 : 0;
  // The header: bytes that follow, the type of the medium, flags, no block
  // descriptors.
  const header = isShort
    ? [3 + parameters.length, 0, flags, 0]
    : [0, 6 + parameters.length, 0, flags, 0, 0, 0, 0];
  return answer(
    Uint8Array.of(...header, ...parameters),
    isShort ? cdb.u8(4) : cdb.u16(7),
  );
}

/** The mode pages of a drive, without page code and length. */
function pages({ identity, medium }: Drive): Map<number, number[]> {
  if (identity.type === "cdrom") {
    return new Map([[0x2a, cdCapabilities()]]);
  }
  const caching = Array<number>(18).fill(0);
  // WCE: what was written may be lost until it is flushed.
  if (medium?.flush !== undefined) caching[0] = 0x04;
  return new Map([[0x08, caching]]);
}

/** CD/DVD Capabilities and Mechanical Status (MMC-3, 6.3.11). */
function cdCapabilities(): number[] {
  const page = Array<number>(20).fill(0);
  page[2] = 0; // no audio
  page[4] = 0x29; // tray, eject, lock
  const kilobytesPerSecond = 7056; // 40 times
  page[6] = page[12] = kilobytesPerSecond >> 8;
  page[7] = page[13] = kilobytesPerSecond & 0xff;
  return page;
}
