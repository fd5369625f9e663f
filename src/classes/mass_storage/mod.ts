/**
 * Mass storage: disks over Bulk-Only Transport.
 *
 * @example A reset that ends the current command, whatever it waits for
 * ```ts
 * import {
 *   AbortedTransferError,
 *   bulkPair,
 *   controlRoutes,
 *   type EndpointPair,
 *   usbFunction,
 * } from "@usb/gadget";
 * import { massStorageRequests } from "@usb/gadget/mass-storage";
 *
 * let current: EndpointPair | undefined;
 *
 * const disk = usbFunction({
 *   name: "disk",
 *   interfaces: [{
 *     class: 0x08,
 *     subclass: 6,
 *     protocol: 0x50,
 *     endpoints: { link: bulkPair() },
 *   }],
 *   control: controlRoutes(massStorageRequests({
 *     async reset() {
 *       await current?.discard(); // the host will not fetch data and status
 *       // Then flush() both endpoints, for what is in the controller's FIFOs.
 *     },
 *   })),
 *   async serve({ endpoints: { link } }) {
 *     current = link;
 *     for (;;) {
 *       try {
 *         await execute(link, await link.read(1024));
 *       } catch (error) {
 *         // A reset: on to the next command.
 *         if (!(error instanceof AbortedTransferError)) throw error;
 *       }
 *     }
 *   },
 * });
 *
 * async function execute(link: EndpointPair, cbw: Uint8Array) {
 *   // Data from or to the host, then the status:
 *   await link.write(new Uint8Array(13));
 * }
 * ```
 *
 * @module
 */
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

// Requests
export * from "./requests.ts";
