/**
 * Mass storage: disks and CD drives over Bulk-Only Transport.
 *
 * {@linkcode MassStorage} is a function of a gadget that serves itself. Its media
 * are {@linkcode BlockDevice}s. {@linkcode massStorageRequests} are the class
 * requests alone.
 *
 * @example A disk in memory, and an empty CD drive
 * ```ts ignore
 * import { Gadget } from "@usb/gadget";
 * import { MassStorage, memoryDisk } from "@usb/gadget/mass-storage";
 *
 * const storage = new MassStorage({
 *   luns: [memoryDisk(64 << 20), { type: "cdrom" }],
 * });
 * await using gadget = await Gadget.start({
 *   vendorId: 0x1209,
 *   productId: 0x0001,
 *   serialNumber: "000000000001",
 *   functions: [storage],
 * });
 * ```
 *
 * @module
 */
// Devices
export { MassStorage } from "./function.ts";
export { type EjectOptions, LogicalUnit } from "./logical_unit.ts";
export { type LogicalUnitOptions, type MassStorageOptions } from "./options.ts";

// Block devices
export type { BlockDevice } from "./block_device/block_device.ts";
export type {
  DiskFaultKind,
  DiskFaultPlan,
  DiskFaultRule,
  DiskOperation,
  InjectedDiskFault,
} from "./block_device/fault_rules.ts";
export { type FaultyDisk, faultyDisk } from "./block_device/faulty_disk.ts";
export {
  type FileDisk,
  fileDisk,
  type FileDiskOptions,
} from "./block_device/file_disk.ts";
export {
  type MemoryDisk,
  memoryDisk,
  type MemoryDiskOptions,
} from "./block_device/memory_disk.ts";
export { type OverlayDisk, overlayDisk } from "./block_device/overlay_disk.ts";
export { readOnly } from "./block_device/read_only.ts";
export {
  SenseError,
  type SenseErrorOptions,
  type SenseName,
} from "./scsi/sense.ts";

// FAT
export { fatDisk, type FatDiskOptions } from "./fat/fat_disk.ts";
export type { FatDirectory, FatEntry, FatFile } from "./fat/source.ts";

// Requests
export * from "./requests.ts";
