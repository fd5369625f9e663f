/**
 * What a FAT disk is made of.
 *
 * @module
 */

/**
 * A directory of a {@linkcode fatDisk}: its files and directories by name.
 *
 * @category Block devices
 */
export interface FatDirectory {
  /** What has the name: see {@linkcode fatDisk} for names that FAT cannot have. */
  readonly [name: string]: FatEntry;
}

/**
 * A file or directory of a {@linkcode fatDisk}:
 *
 * - a string: a text file, in UTF-8;
 * - a `Uint8Array`: a file with these bytes, which are used, not copied;
 * - a URL, such as `new URL("file:///var/log")`: a file or directory of this
 *   machine;
 * - an object with a `read` method: a file whose contents are computed;
 * - any other object: a directory.
 *
 * @category Block devices
 */
export type FatEntry = string | Uint8Array | URL | FatFile | FatDirectory;

/**
 * A file whose contents are computed when the host reads them.
 *
 * @category Block devices
 */
export interface FatFile {
  /** Bytes: up to 4 GiB - 1. */
  readonly size: number;
  /** When it was modified. By default the time at which the disk was made. */
  readonly modified?: Date;
  /**
   * Reads a part. Hosts read blocks, in any order, and keep them for later.
   *
   * @param offset Where the part begins: a multiple of the block size.
   * @param into Receives it. It holds zeros, of which the rest stays if there is
   * less to read. It may be used until the returned promise settles.
   * @throws Anything: the host reports an error of the medium.
   */
  read(offset: number, into: Uint8Array<ArrayBuffer>): void | Promise<void>;
}
