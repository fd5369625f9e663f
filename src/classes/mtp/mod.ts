/**
 * Phones, media players and cameras: PTP and MTP.
 *
 * {@linkcode Mtp} is a function of a gadget that serves itself. What it offers are
 * {@linkcode ObjectStore}s. {@linkcode stillImageRequests} are the class requests
 * alone.
 *
 * @example A directory as a phone
 * ```ts ignore
 * import { Gadget } from "@usb/gadget";
 * import { directoryStore, Mtp } from "@usb/gadget/mtp";
 *
 * const phone = new Mtp({ storages: [directoryStore("/srv/data")] });
 * await using gadget = await Gadget.start({
 *   vendorId: 0x1209,
 *   productId: 0x0001,
 *   serialNumber: "1",
 *   microsoftOs: true,
 *   functions: [phone],
 * });
 * ```
 *
 * @example A camera whose transactions the host can cancel
 * ```ts
 * import { controlRoutes, usbFunction } from "@usb/gadget";
 * import { stillImageRequests } from "@usb/gadget/mtp";
 *
 * interface Transaction {
 *   abort(): void;
 *   readonly ended: Promise<void>;
 * }
 * const transactions = new Map<number, Transaction>();
 * async function end(id: number) {
 *   transactions.get(id)?.abort();
 *   await transactions.get(id)?.ended;
 * }
 *
 * const camera = usbFunction({
 *   name: "camera",
 *   interfaces: [{ class: 0x06, subclass: 1, protocol: 1 }],
 *   control: controlRoutes(stillImageRequests({
 *     cancel: end, // the device is busy until it resolves
 *     reset: async () => {
 *       await Promise.all([...transactions.keys()].map(end));
 *     },
 *   })),
 * });
 * ```
 *
 * @module
 */
// Devices
export { Mtp } from "./function.ts";
export { MtpStorage, type StorageOptions } from "./mtp_storage.ts";
export type { MtpOptions } from "./options.ts";

// Object stores
export {
  directoryStore,
  type DirectoryStoreOptions,
} from "./store/directory_store.ts";
export {
  type MemoryStore,
  memoryStore,
  type MemoryStoreOptions,
} from "./store/memory_store.ts";
export { ResponseError, type ResponseName } from "./protocol/response.ts";
export type {
  EditableFile,
  NewFile,
  NewFileOptions,
  ObjectEntry,
  ObjectFile,
  ObjectStore,
  StoreSpace,
} from "./store/object_store.ts";

// Requests
export * from "./requests.ts";
