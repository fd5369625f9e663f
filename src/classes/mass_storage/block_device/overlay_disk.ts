/**
 * A disk whose changes stay in memory.
 *
 * @module
 */
import { checkBlocks, checkDevice, checkRange } from "./arguments.ts";
import type { BlockDevice } from "./block_device.ts";
import { BlockRanges } from "./block_ranges.ts";
import { WrittenBlocks } from "./written_blocks.ts";

/**
 * A disk whose changes stay in memory: see {@linkcode overlayDisk}.
 *
 * @category Block devices
 */
export interface OverlayDisk extends BlockDevice {
  /**
   * The bytes of all blocks that were written since the last reset, and not
   * discarded after that.
   */
  readonly changedBytes: number;
  /** Writes blocks. The memory is copied; the base is neither read nor written. */
  write(lba: number, from: Uint8Array<ArrayBuffer>): void;
  /** Forgets blocks and frees their memory. Reading them gives zeros. */
  discard(lba: number, count: number): void;
  /**
   * Drops all changes at once, also those of a command that is in progress. A host
   * that has cached or mounted the disk does not notice: eject the medium before,
   * and insert it again.
   */
  reset(): void;
}

/**
 * Makes a disk that begins with the contents of another, and keeps what is
 * written in memory (copy on write): each test or each host finds the same disk.
 *
 * It takes memory for what was written, in pieces of 4 KiB. A write never reads
 * the base, and nothing writes to it: it may be write-protected. What it throws
 * when it is read is passed on. If its contents change, blocks that were not
 * written change with it.
 *
 * @throws {TypeError} If `base` is not a block device.
 *
 * @example
 * ```ts
 * import { memoryDisk, overlayDisk } from "@usb/gadget/mass-storage";
 * import { assertEquals } from "@std/assert";
 *
 * const disk = overlayDisk(memoryDisk(64 << 20));
 * disk.write(7, new Uint8Array(1024).fill(0xff));
 * assertEquals(disk.changedBytes, 1024);
 * disk.reset();
 * assertEquals(disk.changedBytes, 0);
 * ```
 *
 * @category Block devices
 */
export function overlayDisk(base: BlockDevice): OverlayDisk {
  checkDevice("make overlay disk", base);
  const { blockSize, blockCount } = base;
  const shape = { blockSize, blockCount };
  const written = new WrittenBlocks(blockSize);
  /** Blocks that read as zeros, unless they were written later. */
  const discarded = new BlockRanges();
  return {
    ...shape,
    get changedBytes() {
      return written.count * blockSize;
    },
    read(lba, into) {
      const count = checkBlocks("read blocks", shape, lba, into);
      const view = (part: { lba: number; count: number }) => {
        const start = (part.lba - lba) * blockSize;
        return into.subarray(start, start + part.count * blockSize);
      };
      const missing: { lba: number; count: number }[] = [];
      for (const run of written.runs(lba, count)) {
        if (run.written) {
          written.read(run.lba, view(run));
          continue;
        }
        for (const part of discarded.parts(run.lba, run.count)) {
          if (part.inside) view(part).fill(0);
          else missing.push(part);
        }
      }
      return inTurn(missing, (part) => base.read(part.lba, view(part)));
    },
    write(lba, from) {
      checkBlocks("write blocks", shape, lba, from);
      written.write(lba, from);
    },
    discard(lba, count) {
      checkRange("discard blocks", shape, lba, count);
      written.forget(lba, count);
      discarded.add(lba, count);
    },
    reset() {
      written.clear();
      discarded.clear();
    },
  };
}

/** Handles items one after another; synchronously as far as no promise comes. */
function inTurn<T>(
  items: readonly T[],
  handle: (item: T) => void | Promise<void>,
  from = 0,
): void | Promise<void> {
  for (let index = from; index < items.length; index++) {
    const pending = handle(items[index]);
    if (pending !== undefined) {
      return pending.then(() => inTurn(items, handle, index + 1));
    }
  }
}
