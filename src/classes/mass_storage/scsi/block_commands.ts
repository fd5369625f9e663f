/**
 * Commands of disks that read, write, check and discard blocks (SBC-3, 5).
 *
 * @module
 */
import type { BlockDevice } from "../block_device/block_device.ts";
import {
  discardBlocks,
  flushBlocks,
  readBlocks,
  writeBlocks,
} from "./blocks.ts";
import {
  action,
  answer,
  type Command,
  DONE,
  PartialError,
  request,
  type Run,
} from "./command.ts";
import type { Cdb } from "./cdb.ts";
import type { Drive } from "./drive.ts";
import type { Handler } from "./primary_commands.ts";
import { checkRange, forEachPiece, PIECE, presence, rangeOf } from "./range.ts";
import { SenseError } from "./sense.ts";

/** PROTECT fields of commands that are longer than 6 bytes. */
const PROTECT = 0xe0;
const FORCE_UNIT_ACCESS = 0x08;

/** Fails unless blocks can be written. */
function checkWritable(medium: BlockDevice): void {
  if (medium.write === undefined) throw new SenseError("write protected");
}

/** READ (6), (10), (12) and (16). */
export function read(drive: Drive, cdb: Cdb): Command {
  if (cdb.opcode !== 0x08) cdb.refuse(1, PROTECT);
  const { medium, lba, count, checkPresent } = rangeOf(drive, cdb);
  const { blockSize } = medium;
  return {
    direction: "in",
    byteLength: count * blockSize,
    transfer(offset, piece) {
      checkPresent();
      return readBlocks(medium, lba + offset / blockSize, piece);
    },
  };
}

/** WRITE (6), (10), (12) and (16), and WRITE AND VERIFY, which is the same here. */
function write(drive: Drive, cdb: Cdb): Command {
  if (cdb.opcode !== 0x0a) cdb.refuse(1, PROTECT);
  const { medium, lba, count, checkPresent } = rangeOf(drive, cdb);
  checkWritable(medium);
  const { blockSize } = medium;
  const isLong = cdb.opcode !== 0x0a;
  const flushes = isLong && cdb.has(1, FORCE_UNIT_ACCESS) && medium.flush;
  const finish = () => {
    checkPresent();
    return flushBlocks(medium);
  };
  return {
    direction: "out",
    byteLength: count * blockSize,
    transfer(offset, piece) {
      checkPresent();
      return writeBlocks(medium, lba + offset / blockSize, piece);
    },
    ...(flushes ? { finish } : {}),
  };
}

/** VERIFY (10), (12) and (16): blocks can be read, or have certain contents. */
function verify(drive: Drive, cdb: Cdb): Command {
  cdb.refuse(1, PROTECT);
  const range = rangeOf(drive, cdb);
  const { medium, lba, count, checkPresent } = range;
  const { blockSize } = medium;
  const bytes = new Uint8Array(Math.min(PIECE, count * blockSize));
  const reads = (first: number, blocks: number) =>
    readBlocks(medium, first, bytes.subarray(0, blocks * blockSize));
  switch ((cdb.u8(1) >> 1) & 3) {
    case 0:
      return action((run) => forEachPiece(range, run, reads));
    case 1:
      return {
        direction: "out",
        byteLength: count * blockSize,
        async transfer(offset, piece) {
          const first = lba + offset / blockSize;
          for (let at = 0; at < piece.byteLength; at += PIECE) {
            const part = piece.subarray(at, at + PIECE);
            checkPresent();
            await reads(first + at / blockSize, part.byteLength / blockSize);
            compare(first + at / blockSize, part, bytes, blockSize);
          }
        },
      };
    case 3: // each block is compared with the same one
      if (count === 0) return DONE;
      return request(
        blockSize,
        (block, run) =>
          forEachPiece(range, run, async (first, blocks) => {
            await reads(first, blocks);
            for (let index = 0; index < blocks; index++) {
              const at = index * blockSize;
              compare(first + index, block, bytes.subarray(at), blockSize);
            }
          }),
      );
    default:
      throw new SenseError("invalid field in cdb");
  }
}

/** Compares as many bytes as were expected. */
function compare(
  lba: number,
  expected: Uint8Array,
  found: Uint8Array,
  blockSize: number,
): void {
  const different = expected.findIndex((byte, index) => byte !== found[index]);
  if (different < 0) return;
  const block = Math.floor(different / blockSize);
  throw new PartialError(
    block * blockSize,
    new SenseError("miscompare during verify operation", { lba: lba + block }),
  );
}

const WRITE_SAME_16 = 0x93;

/** WRITE SAME (10) and (16): one block for all of a range, or a discard. */
function writeSame(drive: Drive, cdb: Cdb): Command {
  cdb.refuse(1, PROTECT | 0x06); // protection, obsolete fields
  const range = rangeOf(drive, cdb);
  const { medium, lba, count } = range;
  checkWritable(medium);
  // WSNZ in the Block Limits page
  if (count === 0) throw new SenseError("invalid field in cdb");
  const unmaps = cdb.has(1, 0x18); // UNMAP or ANCHOR
  if (unmaps && (medium.discard === undefined || cdb.has(1, 0x10))) {
    throw new SenseError("invalid field in cdb");
  }
  const hasNoData = cdb.opcode === WRITE_SAME_16 && cdb.has(1, 0x01);
  const fill = (block: Uint8Array, run: Run) => {
    // Discarded blocks need not be zero, so others than zeros are written.
    if (unmaps && block.every((byte) => byte === 0)) {
      return discardBlocks(medium, lba, count);
    }
    const { blockSize } = medium;
    const bytes = new Uint8Array(Math.min(PIECE, count * blockSize));
    for (let at = 0; at < bytes.byteLength; at += blockSize) {
      bytes.set(block, at);
    }
    return forEachPiece(
      range,
      run,
      (first, blocks) =>
        writeBlocks(medium, first, bytes.subarray(0, blocks * blockSize)),
    );
  };
  return hasNoData
    ? action((run) => fill(new Uint8Array(medium.blockSize), run))
    : request(medium.blockSize, fill);
}

/** UNMAP (SBC-3, 5.28): ranges of blocks to discard. */
function unmap(drive: Drive, cdb: Cdb): Command {
  const medium = drive.requireMedium();
  if (medium.discard === undefined) {
    throw new SenseError("invalid command operation code");
  }
  checkWritable(medium);
  cdb.refuse(1, 0x01); // ANCHOR
  const length = cdb.u16(7);
  if (length === 0) return DONE;
  if (length < 8) throw new SenseError("parameter list length error");
  const checkPresent = presence(drive);
  return request(length, async (bytes, run) => {
    const ranges = unmapRanges(bytes);
    for (const { lba, count } of ranges) checkRange(medium, lba, count);
    for (const { lba, count } of ranges) {
      if (run.abandoned) return;
      checkPresent();
      if (count > 0) await discardBlocks(medium, lba, count);
    }
  });
}

/** The ranges of an UNMAP parameter list. */
function unmapRanges(bytes: Uint8Array): { lba: number; count: number }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Descriptors that are cut off are ignored.
  const size = Math.min(view.getUint16(2), bytes.byteLength - 8);
  const ranges = [];
  for (let at = 8; at + 16 <= 8 + size; at += 16) {
    const lba = view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
    ranges.push({ lba, count: view.getUint32(at + 8) });
  }
  return ranges;
}

/** SYNCHRONIZE CACHE (10) and (16): everything, whatever blocks it names. */
function synchronizeCache(drive: Drive, cdb: Cdb): Command {
  const { medium } = rangeOf(drive, cdb);
  return medium.flush ? action(() => flushBlocks(medium)) : DONE;
}

/** READ CAPACITY (10). */
export function readCapacity10(drive: Drive, cdb: Cdb): Command {
  const { blockCount, blockSize } = drive.requireMedium();
  // PMI is obsolete, and a block without it an error.
  if (cdb.has(8, 0x01) || cdb.u32(2) !== 0) {
    throw new SenseError("invalid field in cdb");
  }
  const data = new DataView(new ArrayBuffer(8));
  data.setUint32(0, Math.min(blockCount - 1, 0xffffffff));
  data.setUint32(4, blockSize);
  return answer(new Uint8Array(data.buffer), data.byteLength);
}

/** SERVICE ACTION IN (16): READ CAPACITY (16). */
function readCapacity16(drive: Drive, cdb: Cdb): Command {
  if ((cdb.u8(1) & 0x1f) !== 0x10) throw new SenseError("invalid field in cdb");
  const { blockCount, blockSize, discard } = drive.requireMedium();
  const data = new DataView(new ArrayBuffer(32));
  data.setBigUint64(0, BigInt(blockCount - 1));
  data.setUint32(8, blockSize);
  if (discard) data.setUint8(14, 0x80); // LBPME
  return answer(new Uint8Array(data.buffer), cdb.u32(10));
}

/** READ FORMAT CAPACITIES (UFI, 4.10), which Windows sends. */
function readFormatCapacities(drive: Drive, cdb: Cdb): Command {
  const { medium } = drive;
  const data = new DataView(new ArrayBuffer(12));
  data.setUint8(3, 8); // one descriptor
  data.setUint32(4, Math.min(medium?.blockCount ?? 0xffffffff, 0xffffffff));
  data.setUint32(8, medium?.blockSize ?? 512);
  data.setUint8(8, medium === undefined ? 3 : 2); // no medium, formatted
  return answer(new Uint8Array(data.buffer), cdb.u16(7));
}

/** By operation code. */
export const BLOCK_COMMANDS: ReadonlyMap<number, Handler> = new Map([
  [0x08, read],
  [0x28, read],
  [0xa8, read],
  [0x88, read],
  [0x0a, write],
  [0x2a, write],
  [0xaa, write],
  [0x8a, write],
  [0x2f, verify],
  [0xaf, verify],
  [0x8f, verify],
  [0x41, writeSame],
  [0x93, writeSame],
  [0x42, unmap],
  [0x35, synchronizeCache],
  [0x91, synchronizeCache],
  [0x25, readCapacity10],
  [0x9e, readCapacity16],
  [0x23, readFormatCapacities],
] as [number, Handler][]);
