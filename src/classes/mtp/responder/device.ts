/**
 * What the operations work on.
 *
 * @module
 */
import { DeviceProperty, EventCode } from "../protocol/codes.ts";
import type { EditableFile } from "../store/object_store.ts";
import type { ObjectNode } from "./object_node.ts";
import { type ObjectChange, ObjectTable } from "./object_table.ts";
import type { Storage, StorageOptions } from "./storage.ts";

/** Who the device is, and what it asks of the program. */
export interface DeviceOptions {
  readonly manufacturer: string;
  readonly model: string;
  readonly version: string;
  readonly serialNumber: string;
  /** The name that the host shows, and can change. */
  readonly friendlyName: string;
  /** Percent. Without it, the device reports no battery. */
  readonly battery?: () => number;
  /**
   * A small JPEG of a file; `undefined` if it has none. Called for the information
   * on each file, which has the thumbnail's size, and for the thumbnail.
   */
  readonly thumbnail?: (
    storage: Storage,
    path: string,
  ) => Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Takes a picture, and returns its path in the storage. */
  readonly capture?: (
    storage: Storage,
    signal: AbortSignal,
  ) => string | Promise<string>;
}

/** A file that the host has announced, and sends next. */
export interface AnnouncedFile {
  readonly handle: number;
  readonly folder: ObjectNode;
  readonly name: string;
  /** Bytes; `undefined` if the host has not said, or only that there are 4 GiB or more. */
  readonly size: number | undefined;
  /** When it was modified, in milliseconds since 1970. */
  readonly modified: number | undefined;
  readonly format: number;
}

/** A file that is open for changes. */
export interface Edit {
  readonly node: ObjectNode;
  readonly file: EditableFile;
}

/** Reports of changes that were not made by the host. */
const CHANGE_EVENTS: Readonly<Record<ObjectChange, number>> = {
  added: EventCode.ObjectAdded,
  removed: EventCode.ObjectRemoved,
  changed: EventCode.ObjectInfoChanged,
};

/** Properties of the device that are texts and that the host can set, and what they are at first. */
export type TextProperties = Map<number, string>;

/** A device: its storages and objects, its properties, and what lasts as long as a session. */
export class Device {
  readonly options: DeviceOptions;
  readonly objects = new ObjectTable();
  /** Texts that the host can set, by the codes of the properties. */
  readonly texts: TextProperties;
  /** What a reset of a property restores. */
  readonly defaultTexts: ReadonlyMap<number, string>;
  /**
   * Called with what the host has to learn, with up to three parameters: not with
   * what the host has done itself. It must not throw.
   *
   * @param transactionId The transaction that it is about, if any.
   */
  onEvent:
    | ((
      code: number,
      parameters: readonly number[],
      transactionId?: number,
    ) => void)
    | undefined;
  /** Called with errors of what no operation waits for. It must not throw. */
  onError: ((error: unknown) => void) | undefined;
  /** What SendObject receives. */
  announced: AnnouncedFile | undefined;
  /** Files that are open for changes, by their handles. */
  readonly edits = new Map<number, Edit>();
  #lastStorage = 0;
  #capture: AbortController | undefined;

  constructor(options: DeviceOptions) {
    this.options = options;
    this.defaultTexts = new Map([
      [DeviceProperty.SynchronizationPartner, ""],
      [DeviceProperty.DeviceFriendlyName, options.friendlyName],
      [DeviceProperty.SessionInitiatorVersionInfo, ""],
    ]);
    this.texts = new Map(this.defaultTexts);
    this.objects.onChange = (change, node) => {
      if (change === "removed") this.closeEdits((it) => it.isWithin(node));
      this.#announce(CHANGE_EVENTS[change], [node.handle]);
    };
  }

  /** The name that the host shows. The host learns of changes. */
  get friendlyName(): string {
    return this.texts.get(DeviceProperty.DeviceFriendlyName)!;
  }

  set friendlyName(name: string) {
    if (name === this.friendlyName) return;
    this.texts.set(DeviceProperty.DeviceFriendlyName, name);
    this.#announce(EventCode.DevicePropChanged, [
      DeviceProperty.DeviceFriendlyName,
    ]);
  }

  /** Adds a storage, whose StorageID no other had before. */
  addStorage(options: StorageOptions): Storage {
    // The upper half is the physical storage, the lower one its partition (PTP 5.2.3).
    const id = ++this.#lastStorage * 0x10000 + 1;
    const storage = { ...options, id };
    this.objects.addStorage(storage);
    this.#announce(EventCode.StoreAdded, [id]);
    return storage;
  }

  /** Removes a storage with its objects. Operations on them that run fail. */
  removeStorage(id: number): void {
    this.closeEdits(({ storage }) => storage.id === id);
    if (this.announced?.folder.storage.id === id) this.announced = undefined;
    this.objects.removeStorage(id);
    this.#announce(EventCode.StoreRemoved, [id]);
  }

  /** Whether a picture is being taken. */
  get isCapturing(): boolean {
    return this.#capture !== undefined;
  }

  /** A picture is being taken. Returns a signal that is aborted with the session. */
  beginCapture(): AbortSignal {
    this.#capture = new AbortController();
    return this.#capture.signal;
  }

  /** The picture is taken. */
  endCapture(): void {
    this.#capture = undefined;
  }

  /**
   * Drops what belongs to the session: the announced object, open files, and the
   * picture that is being taken.
   */
  endSession(): void {
    this.announced = undefined;
    this.#capture?.abort();
    this.#capture = undefined;
    this.closeEdits(() => true);
  }

  /** Closes files that are open for changes. */
  closeEdits(which: (node: ObjectNode) => boolean): void {
    for (const [handle, { node, file }] of this.edits) {
      if (!which(node)) continue;
      this.edits.delete(handle);
      file.close();
    }
  }

  #announce(code: number, parameters: readonly number[]): void {
    this.onEvent?.(code, parameters);
  }
}
