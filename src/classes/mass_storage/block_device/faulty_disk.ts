/**
 * A disk that fails as a test wants it.
 *
 * @module
 */
import { checkOptions, LIST, type Rules } from "../../../arguments/rules.ts";
import { checkBlocks, checkDevice, checkRange } from "./arguments.ts";
import type { BlockDevice } from "./block_device.ts";
import { FaultInjection } from "./fault_injection.ts";
import type {
  DiskFaultPlan,
  DiskFaultRule,
  InjectedDiskFault,
} from "./fault_rules.ts";

/**
 * A disk with faults: see {@linkcode faultyDisk}.
 *
 * @category Block devices
 */
export interface FaultyDisk extends BlockDevice {
  /**
   * The rules from now on; they can be set at any time. An empty array heals the
   * disk, and operations that hang go on.
   *
   * @throws {TypeError} When set to something of another type.
   * @throws {RangeError} When a number is out of range.
   */
  rules: readonly DiskFaultRule[];
  /** What was injected, in its order. */
  readonly faults: readonly InjectedDiskFault[];
}

const PLAN: Rules<DiskFaultPlan> = { rules: LIST };

/**
 * Makes a test double of a disk: it fails at chosen blocks, and does everything
 * else as `disk` does.
 *
 * An operation with an error at a block has done the blocks before it, and none
 * after it. The error is a `SenseError` that names the block.
 *
 * @param plan The rules to begin with.
 * @throws {TypeError} If an argument is of another type, or something unknown or
 * missing.
 * @throws {RangeError} If a number is out of range.
 *
 * @example
 * ```ts
 * import { faultyDisk, memoryDisk, SenseError } from "@usb/gadget/mass-storage";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const disk = faultyDisk(memoryDisk(8 << 20), {
 *   rules: [{ operation: "read", lba: 4711 }],
 * });
 * const error = assertThrows(
 *   () => disk.read(4708, new Uint8Array(8 * 512)),
 *   SenseError,
 * );
 * assertEquals(error.sense, "unrecovered read error");
 * assertEquals(error.lba, 4711);
 * assertEquals(disk.faults.length, 1);
 *
 * disk.rules = [];
 * disk.read(4708, new Uint8Array(8 * 512));
 * ```
 *
 * @category Block devices
 */
export function faultyDisk(disk: BlockDevice, plan: DiskFaultPlan): FaultyDisk {
  checkDevice("make faulty disk", disk);
  checkOptions("make faulty disk", plan, PLAN, ["rules"]);
  const { blockSize, blockCount } = disk;
  const shape = { blockSize, blockCount };
  const faults = new FaultInjection(plan.rules);
  const faulty: FaultyDisk = {
    ...shape,
    get rules() {
      return faults.rules;
    },
    set rules(rules) {
      faults.rules = rules;
    },
    faults: faults.injected,
    read(lba, into) {
      const count = checkBlocks("read blocks", shape, lba, into);
      return faults.around(
        { operation: "read", lba, count },
        (count) => disk.read(lba, into.subarray(0, count * blockSize)),
      );
    },
  };
  if (disk.write !== undefined) {
    faulty.write = (lba, from) => {
      const count = checkBlocks("write blocks", shape, lba, from);
      return faults.around(
        { operation: "write", lba, count },
        (count) => disk.write!(lba, from.subarray(0, count * blockSize)),
      );
    };
  }
  if (disk.discard !== undefined) {
    faulty.discard = (lba, count) => {
      checkRange("discard blocks", shape, lba, count);
      return faults.around(
        { operation: "discard", lba, count },
        (count) => disk.discard!(lba, count),
      );
    };
  }
  if (disk.flush !== undefined) {
    faulty.flush = () =>
      faults.around({ operation: "flush" }, () => disk.flush!());
  }
  return faulty;
}
