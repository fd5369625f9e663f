/**
 * The blocks of a disk in a test.
 *
 * @module
 */
import type { BlockDevice } from "../../../src/classes/mass_storage/mod.ts";

/** Reads blocks. The memory is not zero before, so that a block that is left out shows. */
export async function readBlocks(
  disk: BlockDevice,
  lba: number,
  count: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const into = new Uint8Array(count * disk.blockSize).fill(0xee);
  await disk.read(lba, into);
  return into;
}

/** A disk that a test compares another one with: nothing but an array. */
export function arrayDisk(
  contents: Uint8Array<ArrayBuffer>,
  blockSize: number,
): Required<Omit<BlockDevice, "flush">> {
  const part = (lba: number, length: number) =>
    contents.subarray(lba * blockSize, lba * blockSize + length);
  return {
    blockSize,
    blockCount: contents.byteLength / blockSize,
    read(lba, into) {
      into.set(part(lba, into.byteLength));
    },
    write(lba, from) {
      part(lba, from.byteLength).set(from);
    },
    discard(lba, count) {
      part(lba, count * blockSize).fill(0);
    },
  };
}
