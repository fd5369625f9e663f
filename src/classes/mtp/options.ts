/**
 * Options of MTP devices.
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
  type Rule,
  type Rules,
  TEXT,
} from "../../arguments/rules.ts";
import type { LocalizedString } from "../../definition/function.ts";
import { MAX_STRING } from "./protocol/dataset.ts";
import type { MtpStorage, StorageOptions } from "./mtp_storage.ts";
import type { ObjectStore } from "./store/object_store.ts";

/**
 * Options of {@linkcode Mtp}. Texts for the host have up to 254 characters.
 *
 * @category Devices
 */
export interface MtpOptions<N extends string = string> {
  /** The storages at first, any number: each a store, or one with options. */
  readonly storages: readonly (ObjectStore | StorageOptions)[];
  /**
   * The name of the function in its gadget. Two of a kind need two names.
   * @default {"mtp"}
   */
  readonly name?: N;
  /**
   * `iInterface`: the name of the interface. Programs that use libmtp look for
   * `"MTP"` in it.
   * @default {"MTP", or "Camera" with `capture`}
   */
  readonly description?: LocalizedString;
  /**
   * The manufacturer of the device.
   * @default {"Linux"}
   */
  readonly manufacturer?: string;
  /**
   * The model.
   * @default {"MTP device"}
   */
  readonly model?: string;
  /**
   * The version of the device.
   * @default {"1.0"}
   */
  readonly version?: string;
  /**
   * Distinguishes the device from all others: 32 hexadecimal digits (MTP 1.1,
   * 5.1.1.14).
   * @default {zeros}
   */
  readonly serialNumber?: string;
  /**
   * The name that the host shows for the device. The host can change it.
   * @default {the model}
   */
  readonly friendlyName?: string;
  /** The charge of the battery in percent, 0 to 100. Without it, the device has no battery. */
  readonly battery?: () => number;
  /**
   * A small JPEG picture of a file; `undefined` if it has none. Called for the
   * information on each file, which has the size of its picture, and for the
   * picture.
   */
  readonly thumbnail?: (
    storage: MtpStorage,
    path: string,
  ) => Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /**
   * Takes a picture when the host asks for it (PTP's InitiateCapture): adds it to
   * the storage, and returns its path there. Makes the device a camera, with which
   * the host uses its PTP driver.
   *
   * The host is informed of the picture, and that it is taken; or that the storage
   * is full, if it throws ENOSPC. Other errors are `"error"` events of the function.
   * One picture is taken at a time.
   *
   * @param storage The one that the host names, or else the first.
   * @param signal Aborted when the host closes its session, or is gone.
   */
  readonly capture?: (
    storage: MtpStorage,
    signal: AbortSignal,
  ) => string | Promise<string>;
}

const ACTION = "make MTP device";

const SHORT_TEXT: Rule = {
  expected: `a string of up to ${MAX_STRING} characters`,
  accepts: (value) => typeof value === "string" && value.length <= MAX_STRING,
};

const OPTIONS: Rules<MtpOptions> = {
  storages: LIST,
  name: TEXT,
  description: LOCALIZED_TEXT,
  manufacturer: SHORT_TEXT,
  model: SHORT_TEXT,
  version: SHORT_TEXT,
  serialNumber: SHORT_TEXT,
  friendlyName: SHORT_TEXT,
  battery: CALLBACK,
  thumbnail: CALLBACK,
  capture: CALLBACK,
};

const STORAGE_OPTIONS: Rules<StorageOptions> = {
  store: OBJECT,
  name: SHORT_TEXT,
  removable: FLAG,
  readOnly: FLAG,
};

/** Checks the options of a device, but for its storages. */
export function checkMtpOptions(options: MtpOptions): void {
  checkOptions(ACTION, options, OPTIONS, ["storages"]);
}

/** Methods that a store must have, and those that it may have. */
const REQUIRED = ["list", "look", "open"] as const;
const OPTIONAL = [
  "space",
  "watch",
  "create",
  "makeFolder",
  "rename",
  "remove",
  "edit",
] as const;

/**
 * Checks a storage, and returns its options.
 *
 * @throws {TypeError} If it is neither a store nor options with one.
 */
export function storageOptions(
  action: string,
  given: ObjectStore | StorageOptions,
): Required<StorageOptions> {
  checkArgument(action, "the storage", given, OBJECT);
  const options = "list" in given ? { store: given } : given;
  checkOptions(action, options, STORAGE_OPTIONS, ["store"]);
  const { store, name = "Storage", removable = false } = options;
  for (const method of [...REQUIRED, ...OPTIONAL]) {
    const isMissing = store[method] === undefined &&
      (OPTIONAL as readonly string[]).includes(method);
    if (isMissing) continue;
    checkArgument(action, `"${method}" of the store`, store[method], CALLBACK);
  }
  const { readOnly = store.create === undefined } = options;
  if (!readOnly && store.create === undefined) {
    throw new TypeError(
      `Cannot ${action}: a store without "create" is read-only`,
    );
  }
  return { store, name, removable, readOnly };
}
