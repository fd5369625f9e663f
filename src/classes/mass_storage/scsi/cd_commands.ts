/**
 * Commands of CD and DVD drives (MMC-6), for a disc of one data track.
 *
 * @module
 */
import type { BlockDevice } from "../block_device/block_device.ts";
import { read, readCapacity10 } from "./block_commands.ts";
import { answer, type Command, DONE } from "./command.ts";
import type { Cdb } from "./cdb.ts";
import type { Drive } from "./drive.ts";
import type { Handler } from "./primary_commands.ts";
import { SenseError } from "./sense.ts";

const LEAD_OUT = 0xaa;
/** ADR and CONTROL of a data track. */
const DATA_TRACK = 0x14;
/** Blocks before block 0, of 75 a second. */
const LEAD_IN_BLOCKS = 150;
/** What fits onto a CD; larger discs are DVDs. */
const MOST_CD_BLOCKS = 100 * 60 * 75;

function beginsWithLength(length: number, rest: readonly number[]): Uint8Array {
  return Uint8Array.of(length >> 8, length & 0xff, ...rest);
}

/** Four bytes, the highest first. */
function u32(value: number): number[] {
  return [value >>> 24, value >>> 16 & 0xff, value >>> 8 & 0xff, value & 0xff];
}

/** Minute, second and frame of a block, as far as a CD has them. */
function minuteSecondFrame(lba: number): number[] {
  const frames = lba + LEAD_IN_BLOCKS;
  const minute = Math.min(Math.floor(frames / (60 * 75)), 255);
  return [minute, Math.floor(frames / 75) % 60, frames % 75];
}

/** READ TOC/PMA/ATIP: track 1 from block 0 to the end. */
function readToc(drive: Drive, cdb: Cdb): Command {
  const { blockCount } = drive.requireMedium();
  const inMinutes = cdb.has(1, 0x02);
  // Older hosts have the format in the last byte.
  const format = (cdb.u8(2) & 0x0f) || cdb.u8(9) >> 6;
  const first = cdb.u8(6);
  const address = (lba: number) =>
    inMinutes ? [0, ...minuteSecondFrame(lba)] : u32(lba);
  const track = (number: number, lba: number) => [
    0,
    DATA_TRACK,
    number,
    0,
    ...address(lba),
  ];
  const leadOut = track(LEAD_OUT, blockCount);
  const entries = (): number[] => {
    switch (format) {
      case 0: // the tracks
        if (first > 1 && first !== LEAD_OUT) {
          throw new SenseError("invalid field in cdb");
        }
        return first <= 1 ? [...track(1, 0), ...leadOut] : leadOut;
      case 1: // the first track of the last session
        return track(1, 0);
      case 2: // the Q subchannel of the lead-in: first, last, lead-out, track
        return [
          [0xa0, 1, 0, 0],
          [0xa1, 1, 0, 0],
          [0xa2, ...minuteSecondFrame(blockCount)],
          [1, ...minuteSecondFrame(0)],
        ].flatMap(([point, ...address]) => [
          1,
          DATA_TRACK,
          0,
          point,
          ...[0, 0, 0, 0],
          ...address,
        ]);
      default:
        throw new SenseError("invalid field in cdb");
    }
  };
  const all = [1, 1, ...entries()];
  return answer(beginsWithLength(all.length, all), cdb.u16(7));
}

const CD_ROM = 0x0008;
const DVD_ROM = 0x0010;

function profileOf(medium: BlockDevice | undefined): number {
  if (medium === undefined) return 0;
  return medium.blockCount > MOST_CD_BLOCKS ? DVD_ROM : CD_ROM;
}

/** A feature of a drive. */
interface Feature {
  readonly code: number;
  readonly version?: number;
  /** Whether it is always current, or with some media. */
  readonly current: "always" | boolean;
  readonly data: readonly number[];
}

/** The features of a drive that reads (MMC-6, 5.3). */
function featuresOf(medium: BlockDevice | undefined): Feature[] {
  const profile = profileOf(medium);
  const isCurrent = (one: number) => one === profile ? 1 : 0;
  return [
    // Profile List
    {
      code: 0x0000,
      current: "always",
      data: [DVD_ROM, CD_ROM].flatMap((one) => [0, one, isCurrent(one), 0]),
    },
    // Core: on USB, with device busy events
    {
      code: 0x0001,
      version: 2,
      current: "always",
      data: [0, 0, 0, 8, 1, 0, 0, 0],
    },
    // Morphing: events are polled
    { code: 0x0002, version: 1, current: "always", data: [0, 0, 0, 0] },
    // Removable Medium: a tray with eject and lock
    { code: 0x0003, current: "always", data: [0x29, 0, 0, 0] },
    // Random Readable
    {
      code: 0x0010,
      current: profile !== 0,
      data: [...u32(2048), 0, 1, 0, 0],
    },
    // CD Read, DVD Read
    {
      code: 0x001e,
      version: 2,
      current: profile === CD_ROM,
      data: [0, 0, 0, 0],
    },
    { code: 0x001f, current: profile === DVD_ROM, data: [] },
  ];
}

/** GET CONFIGURATION. */
function getConfiguration(drive: Drive, cdb: Cdb): Command {
  const type = cdb.u8(1) & 3;
  const start = cdb.u16(2);
  if (type === 3) throw new SenseError("invalid field in cdb");
  const chosen = featuresOf(drive.medium).filter(({ code, current }) =>
    type === 2 ? code === start : code >= start &&
      (type === 0 || current !== false)
  ).flatMap(({ code, version = 0, current, data }) => [
    code >> 8,
    code & 0xff,
    version << 2 | (current === "always" ? 2 : 0) | (current ? 1 : 0),
    data.length,
    ...data,
  ]);
  const profile = profileOf(drive.medium);
  const rest = [0, 0, profile >> 8, profile & 0xff, ...chosen];
  return answer(Uint8Array.of(...u32(rest.length), ...rest), cdb.u16(7));
}

/** READ DISC INFORMATION: one complete session. */
function readDiscInformation(drive: Drive, cdb: Cdb): Command {
  drive.requireMedium();
  cdb.refuse(1, 0x07); // other data types
  const data = new Uint8Array(34);
  data[1] = data.byteLength - 2;
  data[2] = 0x0e; // the last session and the disc are complete
  data[3] =
    data[4] =
    data[5] =
    data[6] =
      1; // first track, sessions, tracks
  data[7] = 0x20; // unrestricted use
  data.fill(0xff, 16, 24); // no lead-in or lead-out to write
  return answer(data, cdb.u16(7));
}

/** READ TRACK INFORMATION: of track 1. */
function readTrackInformation(drive: Drive, cdb: Cdb): Command {
  const { blockCount } = drive.requireMedium();
  const type = cdb.u8(1) & 3;
  const number = cdb.u32(2);
  // By block, by track or by session
  const exists = type === 0
    ? number < blockCount
    : (type === 1 || type === 2) && number === 1;
  if (!exists) throw new SenseError("invalid field in cdb");
  const data = new Uint8Array(36);
  data[1] = data.byteLength - 2;
  data[2] = data[3] = 1; // track and session
  data[5] = 4; // a data track
  data[6] = 1; // in mode 1
  new DataView(data.buffer).setUint32(24, blockCount);
  return answer(data, cdb.u16(7));
}

const MEDIA_CLASS = 4;
const MEDIA_EVENTS = { none: 0, request: 1, new: 2, removed: 3 };

/** GET EVENT STATUS NOTIFICATION, of the medium. */
function getEventStatusNotification(drive: Drive, cdb: Cdb): Command {
  if (!cdb.has(1, 0x01)) throw new SenseError("invalid field in cdb");
  const supported = 1 << MEDIA_CLASS;
  const length = cdb.u16(7);
  if (!cdb.has(4, supported)) {
    return answer(beginsWithLength(2, [0x80, supported]), length);
  }
  const event = drive.mediaEvent === "none" && drive.ejectRequested
    ? "request"
    : drive.mediaEvent;
  // An event is reported once, by the answer that has room for it.
  if (length >= 8) drive.mediaEvent = "none";
  const status = drive.medium === undefined ? 0 : 0x02;
  return answer(
    beginsWithLength(6, [
      MEDIA_CLASS,
      supported,
      MEDIA_EVENTS[event],
      status,
      0,
      0,
    ]),
    length,
  );
}

/** By operation code. */
export const CD_COMMANDS: ReadonlyMap<number, Handler> = new Map([
  [0x28, read],
  [0xa8, read],
  [0x25, readCapacity10],
  [0x43, readToc],
  [0x46, getConfiguration],
  [0x4a, getEventStatusNotification],
  [0x51, readDiscInformation],
  [0x52, readTrackInformation],
  // SET CD SPEED
  [0xbb, () => DONE],
  // MECHANISM STATUS: idle
  [0xbd, (_drive, cdb) => answer(new Uint8Array(8), cdb.u16(8))],
] as [number, Handler][]);
