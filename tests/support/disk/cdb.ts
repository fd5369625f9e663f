/**
 * Command descriptor blocks, as SPC-4, SBC-3 and MMC-6 define them.
 *
 * @module
 */

/** The bytes of a number, most significant first. */
export function bytesOf(value: number | bigint, width: number): number[] {
  return Array.from(
    { length: width },
    (_, at) => Number(BigInt(value) >> BigInt(8 * (width - 1 - at)) & 0xffn),
  );
}

/** A command of 10 bytes with a block and a count. */
function blocks10(
  code: number,
  flags: number,
  lba: number,
  count: number,
): number[] {
  return [code, flags, ...bytesOf(lba, 4), 0, ...bytesOf(count, 2), 0];
}

function blocks12(
  code: number,
  flags: number,
  lba: number,
  count: number,
): number[] {
  return [code, flags, ...bytesOf(lba, 4), ...bytesOf(count, 4), 0, 0];
}

function blocks16(
  code: number,
  flags: number,
  lba: number | bigint,
  count: number,
): number[] {
  return [code, flags, ...bytesOf(lba, 8), ...bytesOf(count, 4), 0, 0];
}

export function testUnitReady(): number[] {
  return [0x00, 0, 0, 0, 0, 0];
}

export function requestSense(length = 252, descriptor = false): number[] {
  return [0x03, Number(descriptor), 0, 0, length, 0];
}

/** @param page Of vital product data; the standard data without. */
export function inquiry(length = 255, page?: number): number[] {
  const evpd = Number(page !== undefined);
  return [0x12, evpd, page ?? 0, ...bytesOf(length, 2), 0];
}

export function readCapacity10(): number[] {
  return blocks10(0x25, 0, 0, 0);
}

export function readCapacity16(length = 32): number[] {
  return [0x9e, 0x10, ...bytesOf(0, 8), ...bytesOf(length, 4), 0, 0];
}

/** @param count Up to 256, which is encoded as 0. */
export function read6(lba: number, count: number): number[] {
  return [0x08, ...bytesOf(lba & 0x1fffff, 3), count & 0xff, 0];
}

export function read10(lba: number, count: number, flags = 0): number[] {
  return blocks10(0x28, flags, lba, count);
}

export function read12(lba: number, count: number, flags = 0): number[] {
  return blocks12(0xa8, flags, lba, count);
}

export function read16(
  lba: number | bigint,
  count: number,
  flags = 0,
): number[] {
  return blocks16(0x88, flags, lba, count);
}

/** @param count Up to 256, which is encoded as 0. */
export function write6(lba: number, count: number): number[] {
  return [0x0a, ...bytesOf(lba & 0x1fffff, 3), count & 0xff, 0];
}

export function write10(lba: number, count: number, flags = 0): number[] {
  return blocks10(0x2a, flags, lba, count);
}

export function write12(lba: number, count: number, flags = 0): number[] {
  return blocks12(0xaa, flags, lba, count);
}

export function write16(
  lba: number | bigint,
  count: number,
  flags = 0,
): number[] {
  return blocks16(0x8a, flags, lba, count);
}

/** @param bytchk BYTCHK: 0 for no data, 1 for all blocks, 3 for one block. */
export function verify10(lba: number, count: number, bytchk = 0): number[] {
  return blocks10(0x2f, bytchk << 1, lba, count);
}

/** See {@linkcode verify10}. */
export function verify12(lba: number, count: number, bytchk = 0): number[] {
  return blocks12(0xaf, bytchk << 1, lba, count);
}

/** See {@linkcode verify10}. */
export function verify16(
  lba: number | bigint,
  count: number,
  bytchk = 0,
): number[] {
  return blocks16(0x8f, bytchk << 1, lba, count);
}

/** Bits of WRITE SAME. */
export const UNMAP_BIT = 0x08;
/** No data-out buffer: zeros, without a data phase. WRITE SAME (16) only. */
export const NDOB = 0x01;

export function writeSame10(lba: number, count: number, flags = 0): number[] {
  return blocks10(0x41, flags, lba, count);
}

export function writeSame16(
  lba: number | bigint,
  count: number,
  flags = 0,
): number[] {
  return blocks16(0x93, flags, lba, count);
}

/** @param length The length of the parameter list. */
export function unmap(length: number, anchor = 0): number[] {
  return [0x42, anchor, 0, 0, 0, 0, 0, ...bytesOf(length, 2), 0];
}

/** The parameter list of UNMAP: ranges of blocks. */
export function unmapList(
  ...ranges: readonly (readonly [lba: number | bigint, count: number])[]
): Uint8Array<ArrayBuffer> {
  const length = 16 * ranges.length;
  return Uint8Array.from([
    ...bytesOf(length + 6, 2),
    ...bytesOf(length, 2),
    ...bytesOf(0, 4),
    ...ranges.flatMap(([lba, count]) => [
      ...bytesOf(lba, 8),
      ...bytesOf(count, 4),
      ...bytesOf(0, 4),
    ]),
  ]);
}

export function synchronizeCache10(lba = 0, count = 0, flags = 0): number[] {
  return blocks10(0x35, flags, lba, count);
}

export function synchronizeCache16(
  lba: number | bigint = 0,
  count = 0,
  flags = 0,
): number[] {
  return blocks16(0x91, flags, lba, count);
}

/** Page control: which values of a mode page. */
export const PageControl = { current: 0, changeable: 1, default: 2, saved: 3 };

/** Options of MODE SENSE. */
export interface ModeSenseOptions {
  readonly length?: number;
  /** DBD: without block descriptors. */
  readonly noBlocks?: boolean;
  readonly control?: number;
  readonly subpage?: number;
}

export function modeSense6(page: number, {
  length = 255,
  noBlocks = false,
  control = 0,
  subpage = 0,
}: ModeSenseOptions = {}): number[] {
  return [0x1a, noBlocks ? 8 : 0, control << 6 | page, subpage, length, 0];
}

export function modeSense10(page: number, {
  length = 255,
  noBlocks = false,
  control = 0,
  subpage = 0,
}: ModeSenseOptions = {}): number[] {
  const flags = noBlocks ? 8 : 0;
  const pageBits = control << 6 | page;
  const size = bytesOf(length, 2);
  return [0x5a, flags, pageBits, subpage, 0, 0, 0, ...size, 0];
}

/** Bits of START STOP UNIT. */
export const StartStop = { stop: 0, start: 1, eject: 2, load: 3 };

/** @param bits LOEJ and START. */
export function startStop(bits: number, power = 0): number[] {
  return [0x1b, 0, 0, 0, power << 4 | bits, 0];
}

export function preventRemoval(prevent: number): number[] {
  return [0x1e, 0, 0, 0, prevent, 0];
}

export function reportLuns(length = 256, select = 0): number[] {
  return [0xa0, 0, select, 0, 0, 0, ...bytesOf(length, 4), 0, 0];
}

export function readFormatCapacities(length = 252): number[] {
  return [0x23, 0, 0, 0, 0, 0, 0, ...bytesOf(length, 2), 0];
}

/** @param format 0: tracks; 1: sessions; 2: the full table. */
export function readToc(
  format: number,
  { msf = false, track = 0, length = 1024 } = {},
): number[] {
  const bits = msf ? 2 : 0;
  const size = bytesOf(length, 2);
  return [0x43, bits, format, 0, 0, 0, track, ...size, 0];
}

/** @param type RT: 0 all features, 1 the current ones, 2 one feature. */
export function getConfiguration(
  type: number,
  { first = 0, length = 1024 } = {},
): number[] {
  const size = bytesOf(length, 2);
  return [0x46, type, ...bytesOf(first, 2), 0, 0, 0, ...size, 0];
}

export function readDiscInformation(length = 256, type = 0): number[] {
  return [0x51, type, 0, 0, 0, 0, 0, ...bytesOf(length, 2), 0];
}

/** @param type 0: a block; 1: a track; 2: a session. */
export function readTrackInformation(
  type: number,
  number: number,
  length = 256,
): number[] {
  const size = bytesOf(length, 2);
  return [0x52, type, ...bytesOf(number, 4), 0, ...size, 0];
}

/** @param classes A bit for each class of events; 0x10 for media. */
export function getEventStatus(
  classes: number,
  { polled = true, length = 256 } = {},
): number[] {
  const size = bytesOf(length, 2);
  return [0x4a, Number(polled), 0, 0, classes, 0, 0, ...size, 0];
}

export function mechanismStatus(length = 256): number[] {
  return [0xbd, 0, 0, 0, 0, 0, 0, 0, ...bytesOf(length, 2), 0, 0];
}

export function setCdSpeed(): number[] {
  return [0xbb, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0];
}
