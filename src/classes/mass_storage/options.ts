/**
 * Options of disks and CD drives.
 *
 * @module
 */
import {
  CALLBACK,
  checkArgument,
  checkOptions,
  FLAG,
  LIST,
  LOCALIZED_TEXT,
  OBJECT,
  oneOf,
  type Rule,
  type Rules,
  TEXT,
} from "../../arguments/rules.ts";
import type { LocalizedString } from "../../definition/function.ts";
import type { BlockDevice } from "./block_device/block_device.ts";
import type { Identity } from "./scsi/drive.ts";

/**
 * A logical unit of {@linkcode MassStorage}: a drive, with a medium in it or
 * without. Texts are printable ASCII.
 *
 * @category Devices
 */
export interface LogicalUnitOptions {
  /** What is in the drive at first. Without it, the drive is empty. */
  readonly medium?: BlockDevice;
  /**
   * A disk has blocks of 512 or 4096 bytes; the disc of a CD drive has blocks of
   * 2048 bytes and cannot be written.
   * @default {"disk"}
   */
  readonly type?: "disk" | "cdrom";
  /**
   * Whether the host expects the medium to be changed. A disk that is not
   * removable has a medium from the start and keeps it.
   * @default {true}
   */
  readonly removable?: boolean;
  /**
   * Up to 8 characters for INQUIRY.
   * @default {"Linux"}
   */
  readonly vendor?: string;
  /**
   * Up to 16 characters for INQUIRY.
   * @default {"Disk", or "CD-ROM"}
   */
  readonly product?: string;
  /**
   * Up to 4 characters for INQUIRY.
   * @default {"1"}
   */
  readonly revision?: string;
  /**
   * Up to 32 characters, which distinguish the unit from all others (vital
   * product data 80h and 83h). Hosts identify a disk by the serial number of the
   * gadget first.
   * @default {the number of the unit}
   */
  readonly serialNumber?: string;
  /**
   * Called when the host has ejected the medium, with the medium. What it throws
   * is reported.
   */
  readonly onEject?: (medium: BlockDevice) => void;
}

/**
 * Options of {@linkcode MassStorage}.
 *
 * @category Devices
 */
export interface MassStorageOptions<N extends string = string> {
  /**
   * The logical units, 1 to 16: each a medium, for a removable disk, or a drive
   * with options.
   */
  readonly luns: readonly (BlockDevice | LogicalUnitOptions)[];
  /**
   * The name of the function in its gadget. Two of a kind need two names.
   * @default {"disk"}
   */
  readonly name?: N;
  /** `iInterface`: the name of the interface. */
  readonly description?: LocalizedString;
  /**
   * Whether the end of data that is shorter than the host expects is a halt, as
   * Bulk-Only Transport prefers (6.7.2). For the few controllers that cannot halt
   * an endpoint, false: a short or zero-length packet then ends it. A wrapper that
   * is not valid halts the endpoints in any case.
   * @default {true}
   */
  readonly stall?: boolean;
}

const ACTION = "make mass storage";

const OPTIONS: Rules<MassStorageOptions> = {
  luns: LIST,
  name: TEXT,
  description: LOCALIZED_TEXT,
  stall: FLAG,
};

const UNIT_OPTIONS: Rules<LogicalUnitOptions> = {
  medium: OBJECT,
  type: oneOf("disk", "cdrom"),
  removable: FLAG,
  vendor: ascii(8),
  product: ascii(16),
  revision: ascii(4),
  serialNumber: ascii(32),
  onEject: CALLBACK,
};

function ascii(most: number): Rule {
  return {
    expected: `up to ${most} characters of printable ASCII`,
    accepts: (value) =>
      typeof value === "string" && value.length <= most &&
      /^[\x20-\x7e]*$/.test(value),
  };
}

/** Checks the options of a function. */
export function checkMassStorageOptions(options: MassStorageOptions): void {
  checkOptions(ACTION, options, OPTIONS, ["luns"]);
  const count = options.luns.length;
  if (count < 1 || count > 16) {
    throw new RangeError(
      `Cannot ${ACTION}: there must be 1 to 16 logical units, are ${count}`,
    );
  }
}

/** A logical unit whose options are checked and complete. */
export interface Unit {
  readonly identity: Identity;
  readonly medium: BlockDevice | undefined;
  readonly onEject: ((medium: BlockDevice) => void) | undefined;
}

/** Checks a logical unit. */
export function unitOf(
  lun: number,
  given: BlockDevice | LogicalUnitOptions,
): Unit {
  const action = `${ACTION} with logical unit ${lun}`;
  checkArgument(action, "the unit", given, OBJECT);
  const options: LogicalUnitOptions = "read" in given
    ? { medium: given }
    : given;
  checkOptions(action, options, UNIT_OPTIONS);
  const { type = "disk", removable = true, medium, onEject } = options;
  if (!removable && (medium === undefined || type === "cdrom")) {
    throw new TypeError(
      type === "cdrom"
        ? `Cannot ${action}: a CD drive is removable`
        : `Cannot ${action}: a disk that is not removable needs a medium`,
    );
  }
  if (medium !== undefined) checkMedium(action, medium, type);
  return {
    identity: {
      type,
      removable,
      vendor: options.vendor ?? "Linux",
      product: options.product ?? (type === "disk" ? "Disk" : "CD-ROM"),
      revision: options.revision ?? "1",
      serialNumber: options.serialNumber ?? String(lun),
    },
    medium,
    onEject,
  };
}

/** The block sizes of each type. */
const BLOCK_SIZES = { disk: [512, 4096], cdrom: [2048] };

/**
 * Checks a medium.
 *
 * @throws {TypeError} If it is not a block device.
 * @throws {RangeError} If its blocks do not suit the drive.
 */
export function checkMedium(
  action: string,
  medium: BlockDevice,
  type: Identity["type"],
): void {
  checkArgument(action, "the medium", medium, OBJECT);
  checkArgument(action, '"read" of the medium', medium.read, CALLBACK);
  for (const method of ["write", "flush", "discard"] as const) {
    if (medium[method] === undefined) continue;
    checkArgument(
      action,
      `"${method}" of the medium`,
      medium[method],
      CALLBACK,
    );
  }
  const { blockSize, blockCount } = medium;
  if (!BLOCK_SIZES[type].includes(blockSize)) {
    throw new RangeError(
      `Cannot ${action}: blocks of a ${type} have ${
        BLOCK_SIZES[type].join(" or ")
      } bytes, those of the medium have ${blockSize}`,
    );
  }
  if (!Number.isSafeInteger(blockCount * blockSize) || blockCount < 1) {
    throw new RangeError(
      `Cannot ${action}: the medium must have 1 block or more, has ${blockCount}`,
    );
  }
}
