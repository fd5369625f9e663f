/**
 * A disk in a file, or on a block device.
 *
 * @module
 */
import {
  checkArgument,
  checkOptions,
  FLAG,
  NUMBER,
  type Rules,
  TEXT,
} from "../../../arguments/rules.ts";
import { OpenFile, type TransferFailure } from "../../../files/open_file.ts";
import { SenseError, type SenseName } from "../scsi/sense.ts";
import {
  BLOCK_SIZE,
  blockCountOf,
  checkBlocks,
  checkRange,
} from "./arguments.ts";
import type { BlockDevice } from "./block_device.ts";

/**
 * Options of {@linkcode fileDisk}.
 *
 * @category Block devices
 */
export interface FileDiskOptions {
  /** Bytes of a block: 512, 2048 or 4096. By default 512. */
  readonly blockSize?: number;
  /** Whether the disk is write-protected. By default, hosts may write. */
  readonly readOnly?: boolean;
  /**
   * Bytes of the file that is made if there is none, or an empty one, such as
   * `64 << 20` for 64 MiB. They are zeros that take no room until they are
   * written. A file that exists keeps its contents and its length.
   */
  readonly create?: number;
  /**
   * Whether data bypasses the page cache (O_DIRECT). By default, it does not, and
   * with a bad sector fails what the kernel caches together: 4 KiB or more. With
   * it, only the sector fails; but each transfer waits for the disk. The block
   * size must be a multiple of that of the underlying disk.
   */
  readonly direct?: boolean;
}

/**
 * A disk in a file: see {@linkcode fileDisk}.
 *
 * @category Block devices
 */
export interface FileDisk extends BlockDevice, Disposable {
  /** The path of the file. */
  readonly path: string;
  /**
   * Closes the file. Calls that are pending end as if it were open; later ones
   * fail with EBADF. It makes nothing durable: call `flush` first.
   */
  close(): void;
}

const OPTIONS: Rules<FileDiskOptions> = {
  blockSize: BLOCK_SIZE,
  readOnly: FLAG,
  create: NUMBER,
  direct: FLAG,
};
const ACTION = "make file disk";

/**
 * Makes a disk of a file, or of a block device such as `/dev/sdb`. It needs only
 * `--allow-ffi`.
 *
 * The event loop does not wait for the disk: what the page cache has is read at
 * once, and everything else on another thread.
 *
 * - `flush` is fdatasync. If data that the host wrote was lost, it fails once.
 * - `discard` frees the room that blocks take in the file, which becomes sparse.
 *   It does not exist where the file system, or the device, cannot do that.
 * - A block that cannot be read fails with "unrecovered read error", as does one
 *   that a file has lost because it was cut in the meantime. One that cannot be
 *   written fails with "write error", or "space allocation failed write protect"
 *   if no room is left on the file system (SBC-3, 4.7.3.6): Linux hosts report
 *   ENOSPC. All name the block, except those of `flush`.
 * - The length is that of the file when it is opened, and must be a multiple of
 *   the block size.
 *
 * A block device must not be mounted or in use, unless `readOnly` is set. Nothing
 * guards a file from other programs: while a host writes, use it for nothing else.
 *
 * @param path The file, relative to the current directory.
 * @throws {TypeError} If an argument is of another type, or an option unknown.
 * @throws {RangeError} If the length is not a positive multiple of the block size.
 * @throws {Error} If the file cannot be opened: what the system reports, such as
 * ENOENT and EACCES; EISDIR for a directory; ENOTBLK for a FIFO or other device;
 * EBUSY for a block device that is in use; EINVAL for `direct` where the file
 * system has no direct I/O.
 *
 * @example
 * ```ts ignore
 * import { fileDisk } from "@usb/gadget/mass-storage";
 *
 * using stick = fileDisk("stick.img", { create: 64 << 20 });
 * using image = fileDisk("debian.iso", { blockSize: 2048, readOnly: true });
 * ```
 *
 * @category Block devices
 */
export function fileDisk(
  path: string,
  options: FileDiskOptions = {},
): FileDisk {
  checkArgument(ACTION, "the path", path, TEXT);
  checkOptions(ACTION, options, OPTIONS);
  const { blockSize = 512, readOnly = false, create, direct } = options;
  if (create !== undefined) {
    if (readOnly) {
      throw new TypeError(
        `Cannot ${ACTION}: "create" is not for a disk that is "readOnly": remove one of them`,
      );
    }
    blockCountOf(ACTION, create, blockSize);
  }
  const file = new OpenFile(path, {
    write: !readOnly,
    create: create !== undefined,
    direct,
    granularity: blockSize,
  });
  try {
    if (file.byteLength === 0 && create !== undefined) file.resize(create);
    return diskOf(file, blockSize, readOnly);
  } catch (error) {
    file.close();
    throw error;
  }
}

const NO_ROOM = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** What the host sees when the file fails. */
function senseError(
  sense: SenseName,
  cause: Error & Partial<TransferFailure>,
  lba?: number,
): Error {
  const { code = "" } = cause;
  if (code === "EBADF") return cause; // closed: no matter of a block
  if (NO_ROOM.has(code)) sense = "space allocation failed write protect";
  return new SenseError(sense, { lba, cause });
}

function diskOf(
  file: OpenFile,
  blockSize: number,
  readOnly: boolean,
): FileDisk {
  const { path, alignment, punchesHoles } = file;
  if (blockSize % alignment !== 0) {
    throw new RangeError(
      `Cannot ${ACTION}: "blockSize" must be a multiple of ${alignment} for direct I/O, is ${blockSize}: ${path}`,
    );
  }
  const blockCount = blockCountOf(ACTION, file.byteLength, blockSize, path);
  const shape = { blockSize, blockCount };

  /** Reads or writes; what fails names its block. */
  function transfer(
    direction: "read" | "write",
    lba: number,
    bytes: Uint8Array<ArrayBuffer>,
  ): void | Promise<void> {
    checkBlocks(`${direction} blocks`, shape, lba, bytes);
    const sense = direction === "read"
      ? "unrecovered read error"
      : "write error";
    const { byteLength } = bytes;
    const fail = (cause: Error & Partial<TransferFailure>): never => {
      const { done = 0 } = cause;
      throw senseError(sense, cause, lba + Math.floor(done / blockSize));
    };
    const end = (done: number) => {
      if (done === byteLength) return;
      const error = new Error(`The file was cut while it was open: ${path}`);
      fail(Object.assign(error, { done }));
    };
    const result = file[direction](lba * blockSize, bytes);
    return typeof result === "number" ? end(result) : result.then(end, fail);
  }

  const disk: FileDisk = {
    path,
    ...shape,
    read: (lba, into) => transfer("read", lba, into),
    close: () => file.close(),
    [Symbol.dispose]: () => file.close(),
  };
  if (readOnly) return disk;
  disk.write = (lba, from) => transfer("write", lba, from);
  disk.flush = () =>
    file.sync().catch((cause) => {
      throw senseError("write error", cause);
    });
  if (!punchesHoles) return disk;
  disk.discard = (lba, count) => {
    checkRange("discard blocks", shape, lba, count);
    return file.punchHole(lba * blockSize, count * blockSize).catch(
      (cause) => {
        throw senseError("write error", cause, lba);
      },
    );
  };
  return disk;
}
