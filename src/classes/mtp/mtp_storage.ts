/**
 * Storages of an MTP device.
 *
 * @module
 */
import type { ObjectStore } from "./store/object_store.ts";

/**
 * A storage of {@linkcode Mtp}: a store, and how the host sees it.
 *
 * @category Devices
 */
export interface StorageOptions {
  /** What is in it. */
  readonly store: ObjectStore;
  /**
   * The name that programs on the host show, up to 254 characters.
   * @default {"Storage"}
   */
  readonly name?: string;
  /**
   * Whether the host sees it as a medium that can be removed.
   * @default {false}
   */
  readonly removable?: boolean;
  /**
   * Whether the host cannot change anything in it.
   * @default {true if the store has no `create`}
   */
  readonly readOnly?: boolean;
}

/**
 * A storage of {@linkcode Mtp}.
 *
 * @category Devices
 */
export class MtpStorage {
  /** What is in it. */
  readonly store: ObjectStore;
  /** The name that programs on the host show. */
  readonly name: string;
  /** Whether the host sees it as a medium that can be removed. */
  readonly removable: boolean;
  /** Whether the host cannot change anything in it. */
  readonly readOnly: boolean;

  /** Made by {@linkcode Mtp}. */
  constructor({ store, name, removable, readOnly }: Required<StorageOptions>) {
    this.store = store;
    this.name = name;
    this.removable = removable;
    this.readOnly = readOnly;
  }
}
