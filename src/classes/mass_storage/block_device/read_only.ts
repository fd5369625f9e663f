/**
 * A disk that hosts cannot write.
 *
 * @module
 */
import { checkDevice } from "./arguments.ts";
import type { BlockDevice } from "./block_device.ts";

/**
 * Makes a write-protected disk of another: the same blocks, without `write`,
 * `flush` and `discard`.
 *
 * @throws {TypeError} If `disk` is not a block device.
 *
 * @example
 * ```ts
 * import { memoryDisk, readOnly } from "@usb/gadget/mass-storage";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(readOnly(memoryDisk(8 << 20)).write, undefined);
 * ```
 *
 * @category Block devices
 */
export function readOnly(disk: BlockDevice): BlockDevice {
  checkDevice("make read-only disk", disk);
  const { blockSize, blockCount } = disk;
  return { blockSize, blockCount, read: (lba, into) => disk.read(lba, into) };
}
