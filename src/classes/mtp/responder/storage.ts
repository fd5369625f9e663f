/**
 * A storage of the device, as the responder knows it.
 *
 * @module
 */
import type { ObjectStore } from "../store/object_store.ts";

/** How a storage is shown to the host. */
export interface StorageOptions {
  readonly store: ObjectStore;
  /** The name that programs on the host show. */
  readonly name: string;
  /** Distinguishes storages of the device. */
  readonly volume: string;
  readonly removable: boolean;
  readonly readOnly: boolean;
}

/** A storage that the host can see. */
export interface Storage extends StorageOptions {
  /** Its StorageID. */
  readonly id: number;
}
