/**
 * A drive with files.
 *
 * @module
 */
import {
  checkOptions,
  FLAG,
  isWithin,
  oneOf,
  type Rules,
} from "../../../arguments/rules.ts";
import { checkBlocks } from "../block_device/arguments.ts";
import type { BlockDevice } from "../block_device/block_device.ts";
import { Slices } from "../../slices.ts";
import type { FatDirectory } from "./source.ts";
import { ACTION, TreeReader } from "./tree.ts";
import { layOut } from "./volume.ts";

/**
 * Options of {@linkcode fatDisk}.
 *
 * @category Block devices
 */
export interface FatDiskOptions {
  /**
   * The name of the drive: up to 11 characters of ASCII, without `" * + , . / : ;
   * < = > ? [ \ ] |`. Small letters become capitals. By default it has none.
   */
  readonly label?: string;
  /**
   * The number by which hosts recognise the volume, from 0 to 0xffffffff. By
   * default a random one, as what they have cached of another snapshot must not
   * be used for this one.
   */
  readonly serialNumber?: number;
  /**
   * Whether the disk has a partition table with one partition, as hosts expect
   * of USB drives. Without it, the volume begins at the first block, as on a
   * floppy disk. By default true.
   */
  readonly partitionTable?: boolean;
  /** Bytes of a block: 512 or 4096. By default 512. */
  readonly blockSize?: number;
}

const OPTIONS: Rules<FatDiskOptions> = {
  label: {
    expected:
      'up to 11 characters of ASCII without "*+,./:;<=>?[\\]|, of which the first is no space',
    accepts: (value) =>
      typeof value === "string" &&
      /^(?! )[ !#-)\-0-9@-Z^-{}~]{1,11}$/.test(value),
  },
  serialNumber: {
    expected: "an integer from 0 to 0xffffffff",
    accepts: (value) => isWithin(value, 0, 2 ** 32 - 1),
  },
  partitionTable: FLAG,
  blockSize: oneOf(512, 4096),
};

/**
 * Makes a write-protected disk with a FAT file system (Microsoft's FAT
 * specification of 2005; Linux, Windows and macOS read it) that has the files of
 * a directory, or of the program. It needs only `--allow-ffi`.
 *
 * The file system does not exist as a whole: directories are in memory, and all
 * else is computed, or read from the files, when the host reads it. A directory
 * with 100 GB of files takes some hundred bytes of memory for each of them.
 *
 * **A snapshot.** Names and sizes are those of the moment in which the disk is
 * made; contents are those of the moment in which the host reads them. A file
 * that has shrunk since then has zeros at its end, one that has grown is cut. One
 * that cannot be read any more fails with "unrecovered read error", and no other
 * file does. To show what is new, make another disk, and put it into the drive in
 * place of this one: {@linkcode LogicalUnit.insert}.
 *
 * **Files of this machine.** Links are left out, as is what is neither a file nor
 * a directory. None is ever followed, even if it takes the place of a file or
 * directory later; only the path that is given may be a link. No file stays open.
 * Contents that are not in the page cache are read on another thread. Names are
 * looked up on this one, in short slices, which matters on a network file system
 * that does not answer.
 *
 * **Names.** They are kept where FAT and Windows can have them, up to 255 UTF-16
 * code units. Otherwise the file is there under another name:
 * - `" * / : < > ? \ |`, control characters, and dots and spaces at the end become
 *   underscores: `12:30.log` is `12_30.log`.
 * - Names of devices in Windows, whatever their extension, get one: `aux.txt` is
 *   `aux_.txt`.
 * - Hosts ignore case. Of names that differ only by case, or have become the same,
 *   the first one stays, and the next is `makefile (2)`.
 * - What is not UTF-8, or half of a surrogate pair, becomes U+FFFD.
 *
 * Each file has a short name as well, such as `LONGNA~1.TXT`, in ASCII.
 *
 * **Times** are those of the last modification, to two seconds, from 1980 to 2107.
 * FAT knows no time zones: they are in the local time of this process, which the
 * variable `TZ` changes, and hosts take them for theirs.
 *
 * **Sizes.** A file has 4 GiB - 1 bytes at most; a directory 65,536 entries, of
 * which a file takes one, and another for each 13 code units of a name that is not
 * also its short name; the disk 2 TiB, or 8 TiB with blocks of 4096 bytes. The
 * volume is FAT16 up to 255 MiB, and FAT32 from there on or if the root directory
 * needs more than 512 entries.
 *
 * @param source The path of a directory, or its URL; or files by name.
 * @throws {TypeError} If the source or an option is of another type, a name of the
 * program is empty, `.`, `..` or has a slash, or the path is no directory.
 * @throws {RangeError} If a file, a directory or the disk is too large for FAT.
 * @throws {Error} What the system reports for a directory that cannot be read,
 * such as ENOENT and EACCES.
 *
 * @example The logs of this machine, with a file that says what they are
 * ```ts ignore
 * import { fatDisk, MassStorage } from "@usb/gadget/mass-storage";
 *
 * const disk = await fatDisk({
 *   "readme.txt": "The logs of the machine in the cellar",
 *   "logs": new URL("file:///var/log"),
 * }, { label: "LOGS" });
 * const storage = new MassStorage({ luns: [disk] });
 * ```
 *
 * @example A file of 3 GB that is computed
 * ```ts
 * import { fatDisk } from "@usb/gadget/mass-storage";
 * import { assertEquals } from "@std/assert";
 *
 * const disk = await fatDisk({
 *   data: {
 *     "numbers.bin": {
 *       size: 3_000_000_000,
 *       read(offset, into) {
 *         for (let at = 0; at < into.length; at++) into[at] = offset + at;
 *       },
 *     },
 *   },
 * });
 * assertEquals(disk.write, undefined);
 * ```
 *
 * @category Block devices
 */
export async function fatDisk(
  source: string | URL | FatDirectory,
  options: FatDiskOptions = {},
): Promise<BlockDevice> {
  checkOptions(ACTION, options, OPTIONS);
  const { label, blockSize = 512, partitionTable = true } = options;
  const { serialNumber = crypto.getRandomValues(new Uint32Array(1))[0] } =
    options;
  const slices = new Slices();
  const now = Date.now();
  const root = await new TreeReader(slices, now).read(source);
  const { geometry, segments } = await layOut(root, {
    sectorSize: blockSize,
    hasPartitionTable: partitionTable,
    label: label?.toUpperCase(),
    serialNumber,
    now,
  }, slices);
  const shape = { blockSize, blockCount: geometry.start + geometry.sectors };
  return {
    ...shape,
    read(lba, into) {
      checkBlocks("read blocks", shape, lba, into);
      return segments.read(lba * blockSize, into);
    },
  };
}
