/**
 * A disk in memory.
 *
 * @module
 */
import { bytesProblem } from "../../../arguments/bytes.ts";
import { checkOptions, type Rules } from "../../../arguments/rules.ts";
import {
  BLOCK_SIZE,
  blockCountOf,
  checkBlocks,
  checkRange,
} from "./arguments.ts";
import type { BlockDevice } from "./block_device.ts";
import { WrittenBlocks } from "./written_blocks.ts";

/**
 * Options of {@linkcode memoryDisk}.
 *
 * @category Block devices
 */
export interface MemoryDiskOptions {
  /** Bytes of a block: 512, 2048 or 4096. By default 512. */
  readonly blockSize?: number;
}

/**
 * A disk in memory: see {@linkcode memoryDisk}. All methods finish before they
 * return.
 *
 * @category Block devices
 */
export interface MemoryDisk extends BlockDevice {
  /** Reads blocks; those that were never written, or were discarded, are zeros. */
  read(lba: number, into: Uint8Array<ArrayBuffer>): void;
  /** Writes blocks. The memory is copied. */
  write(lba: number, from: Uint8Array<ArrayBuffer>): void;
  /** Forgets blocks and frees their memory. Reading them gives zeros. */
  discard(lba: number, count: number): void;
}

const OPTIONS: Rules<MemoryDiskOptions> = { blockSize: BLOCK_SIZE };
const ACTION = "make memory disk";

/**
 * Makes a disk in memory. It takes memory for what was written, in pieces of 4
 * KiB, so that a large disk costs nothing until it is used.
 *
 * @param contents The length in bytes, for a disk of zeros; or the bytes, which
 * are copied. A multiple of the block size.
 * @throws {TypeError} If an argument is of another type, or an option unknown.
 * @throws {RangeError} If the length is not a positive multiple of the block size.
 *
 * @example
 * ```ts
 * import { memoryDisk } from "@usb/gadget/mass-storage";
 * import { assertEquals } from "@std/assert";
 *
 * const disk = memoryDisk(64 << 20);
 * assertEquals(disk.blockCount, 131072);
 *
 * disk.write(7, new TextEncoder().encode("block 7".padEnd(512)));
 * const block = new Uint8Array(512);
 * disk.read(7, block);
 * assertEquals(new TextDecoder().decode(block.subarray(0, 7)), "block 7");
 * ```
 *
 * @category Block devices
 */
export function memoryDisk(
  contents: number | Uint8Array<ArrayBuffer>,
  options: MemoryDiskOptions = {},
): MemoryDisk {
  checkOptions(ACTION, options, OPTIONS);
  const { blockSize = 512 } = options;
  const length = lengthOf(contents);
  const blockCount = blockCountOf(ACTION, length, blockSize);
  const blocks = new WrittenBlocks(blockSize);
  if (typeof contents !== "number") blocks.write(0, contents);
  const shape = { blockSize, blockCount };
  return {
    ...shape,
    read(lba, into) {
      const count = checkBlocks("read blocks", shape, lba, into);
      for (const run of blocks.runs(lba, count)) {
        const start = (run.lba - lba) * blockSize;
        const view = into.subarray(start, start + run.count * blockSize);
        if (run.written) blocks.read(run.lba, view);
        else view.fill(0);
      }
    },
    write(lba, from) {
      checkBlocks("write blocks", shape, lba, from);
      blocks.write(lba, from);
    },
    discard(lba, count) {
      checkRange("discard blocks", shape, lba, count);
      blocks.forget(lba, count);
    },
  };
}

function lengthOf(contents: number | Uint8Array): number {
  if (typeof contents === "number") return contents;
  const problem = bytesProblem(contents, "a number or a Uint8Array");
  if (problem === undefined) return contents.byteLength;
  throw new TypeError(`Cannot ${ACTION}: the contents ${problem}`);
}
