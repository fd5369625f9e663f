/**
 * Checks of what the ready-made block devices are made of and called with.
 *
 * @module
 */
import { checkBytes } from "../../../arguments/bytes.ts";
import {
  CALLBACK,
  checkArgument,
  isWithin,
  OBJECT,
  oneOf,
} from "../../../arguments/rules.ts";
import type { BlockDevice } from "./block_device.ts";

/** A block size that hosts accept. */
export const BLOCK_SIZE = oneOf(512, 2048, 4096);

/** @throws {TypeError} If a value has not the form of a block device. */
export function checkDevice(action: string, device: BlockDevice): void {
  checkArgument(action, "the disk", device, OBJECT);
  const { blockSize, blockCount } = device;
  checkArgument(action, "blockSize of the disk", blockSize, BLOCK_SIZE);
  checkArgument(action, "blockCount of the disk", blockCount, {
    expected: "an integer of 1 or more",
    accepts: (value) => isWithin(value, 1, Number.MAX_SAFE_INTEGER),
  });
  checkArgument(action, "read of the disk", device.read, CALLBACK);
  for (const name of ["write", "flush", "discard"] as const) {
    const method = device[name];
    if (method === undefined) continue;
    checkArgument(action, `${name} of the disk`, method, CALLBACK);
  }
}

/**
 * Checks a range of blocks.
 *
 * @throws {RangeError} If it is empty, or not all of them exist.
 */
export function checkRange(
  action: string,
  { blockCount }: Pick<BlockDevice, "blockCount">,
  lba: number,
  count: number,
): void {
  if (
    isWithin(lba, 0, blockCount - 1) && isWithin(count, 1, blockCount - lba)
  ) return;
  throw new RangeError(
    `Cannot ${action}: the disk has blocks 0 to ${
      blockCount - 1
    }, not ${count} at ${lba}`,
  );
}

/**
 * Checks the memory of blocks and where they lie; returns how many they are.
 *
 * @throws {TypeError} If the memory is not a `Uint8Array`.
 * @throws {RangeError} If it holds no whole blocks, or not all of them exist.
 */
export function checkBlocks(
  action: string,
  device: Pick<BlockDevice, "blockSize" | "blockCount">,
  lba: number,
  bytes: Uint8Array,
): number {
  checkBytes(action, "the memory of the blocks", bytes);
  const { blockSize } = device;
  const count = bytes.byteLength / blockSize;
  if (!Number.isInteger(count)) {
    throw new RangeError(
      `Cannot ${action}: the memory must have a multiple of ${blockSize} bytes, has ${bytes.byteLength}`,
    );
  }
  checkRange(action, device, lba, count);
  return count;
}

/**
 * The number of blocks in so many bytes.
 *
 * @param path The file that has them, for the message.
 * @throws {RangeError} If they are not whole blocks, at least one.
 */
export function blockCountOf(
  action: string,
  byteLength: number,
  blockSize: number,
  path?: string,
): number {
  const count = byteLength / blockSize;
  if (Number.isSafeInteger(byteLength) && isWithin(count, 1, byteLength)) {
    return count;
  }
  const where = path === undefined ? "" : `: ${path}`;
  throw new RangeError(
    `Cannot ${action}: the length must be a positive multiple of ${blockSize} bytes, is ${byteLength}${where}`,
  );
}
