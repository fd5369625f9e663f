/**
 * What a disk stores its blocks in.
 *
 * @module
 */

/**
 * The blocks of a disk or a CD, wherever they are: in memory, in a file, on
 * another machine, or computed when they are read.
 *
 * All methods may return a promise, in which case the disk waits for it. Calls do
 * not overlap: the next one begins when the one before it is done. What a method
 * throws fails the host's command: a {@linkcode SenseError} with the sense that
 * it names, any other error as an unrecovered read error or a write error. If the
 * error names no block, blocks are tried one by one to find those that fail.
 *
 * @example A disk whose blocks are computed
 * ```ts
 * import type { BlockDevice } from "@usb/gadget/mass-storage";
 *
 * // 1 GiB, of which each block holds its own number.
 * const numbers: BlockDevice = {
 *   blockSize: 512,
 *   blockCount: 2 * 1024 * 1024,
 *   read(lba, into) {
 *     const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
 *     for (let at = 0; at < into.byteLength; at += 512) {
 *       for (let word = 0; word < 512; word += 4) {
 *         view.setUint32(at + word, lba + at / 512, true);
 *       }
 *     }
 *   },
 * };
 * ```
 *
 * @category Block devices
 */
export interface BlockDevice {
  /** Bytes of a block: 512 or 4096; 2048 for a CD. */
  readonly blockSize: number;
  /** The number of blocks, at least 1. */
  readonly blockCount: number;
  /**
   * Reads blocks.
   *
   * @param lba The first block.
   * @param into Receives them: as many whole blocks as it has room for, at least
   * one. All of them exist. It may be used until the returned promise settles.
   */
  read(lba: number, into: Uint8Array<ArrayBuffer>): void | Promise<void>;
  /**
   * Writes blocks. Without this method, the disk is write-protected.
   *
   * @param lba The first block.
   * @param from Whole blocks, at least one. All of them exist. The memory is
   * used again after the returned promise has settled.
   */
  write?(lba: number, from: Uint8Array<ArrayBuffer>): void | Promise<void>;
  /**
   * Makes durable what was written. With this method, the disk reports a write
   * cache, and hosts flush it. Without it, a write is durable when it is done.
   */
  flush?(): void | Promise<void>;
  /**
   * Forgets the contents of blocks, which the host does not need any more.
   * Reading them gives anything of their past, or zeros. Without this method,
   * hosts do not discard blocks.
   */
  discard?(lba: number, count: number): void | Promise<void>;
}
