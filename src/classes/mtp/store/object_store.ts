/**
 * What a storage of an MTP device has in it.
 *
 * @module
 */

/**
 * A file or a folder of an {@linkcode ObjectStore}.
 *
 * @category Object stores
 */
export interface ObjectEntry {
  /** Its name in its folder, 1 to 255 characters without `/` and NUL. */
  readonly name: string;
  /** What it is. */
  readonly kind: "file" | "folder";
  /** Bytes; 0 for a folder. */
  readonly size: number;
  /** When it was modified, in milliseconds since 1970. */
  readonly modified?: number;
}

/**
 * A file that is open. Closing it does not end calls that are pending.
 *
 * @category Object stores
 */
export interface ObjectFile {
  /** Bytes in it now. */
  readonly byteLength: number;
  /**
   * Reads into memory from an offset on; returns the number of bytes, fewer than
   * there is room for only at the end of the file.
   */
  read(
    offset: number,
    into: Uint8Array<ArrayBuffer>,
  ): number | Promise<number>;
  /** Closes it. Called once. */
  close(): void;
}

/**
 * A file that is open for changes.
 *
 * @category Object stores
 */
export interface EditableFile extends ObjectFile {
  /** Writes all bytes at an offset. The memory is used again afterwards. */
  write(offset: number, from: Uint8Array<ArrayBuffer>): unknown;
  /** Cuts it, or lengthens it with zeros. */
  resize(byteLength: number): void | Promise<void>;
}

/**
 * A file that is being received. It is not in the store before
 * {@linkcode commit}; closed without that, nothing of it remains.
 *
 * @category Object stores
 */
export interface NewFile {
  /** Writes all bytes at an offset. The memory is used again afterwards. */
  write(offset: number, from: Uint8Array<ArrayBuffer>): unknown;
  /** Puts the file into the store. */
  commit(): void | Promise<void>;
  /** Ends it, committed or not. Called once. */
  close(): void;
}

/**
 * What the host announces of a file that it is going to send.
 *
 * @category Object stores
 */
export interface NewFileOptions {
  /** Bytes, if the host knows. */
  readonly size?: number;
  /** When it was modified, in milliseconds since 1970. */
  readonly modified?: number;
}

/**
 * The room of an {@linkcode ObjectStore}, in bytes.
 *
 * @category Object stores
 */
export interface StoreSpace {
  /** In use or not. */
  readonly capacity: number;
  /** Not in use. */
  readonly free: number;
}

/**
 * Folders and files that an MTP device offers: a directory of this machine
 * ({@linkcode directoryStore}), memory ({@linkcode memoryStore}), or a program's
 * own.
 *
 * An object is addressed by its path: names with slashes between them, and `""`
 * for the root folder. The responder passes paths that {@linkcode list} has led to,
 * and for new objects names without `/` and NUL, which are not `.` or `..`.
 *
 * Methods may be asynchronous, and are called one after another but for
 * {@linkcode watch}. What they throw fails the host's operation: a
 * {@linkcode ResponseError} with that response, and errors of the system such as
 * ENOENT, EACCES or ENOSPC with the one that fits. Anything else is a
 * `General_Error` for the host, and reported.
 *
 * A store without `create` is read-only: then none of the methods from `create` on
 * is called, and the host is informed.
 *
 * @category Object stores
 */
export interface ObjectStore {
  /** Everything in a folder; any order. */
  list(
    folder: string,
  ):
    | Iterable<ObjectEntry>
    | AsyncIterable<ObjectEntry>
    | Promise<Iterable<ObjectEntry>>;
  /** One object as it is now; `undefined` if it does not exist. */
  look(
    path: string,
  ): ObjectEntry | undefined | Promise<ObjectEntry | undefined>;
  /** Opens a file for reading. */
  open(path: string): ObjectFile | Promise<ObjectFile>;
  /** The room; without it, the host sees no limit. */
  space?(): StoreSpace | Promise<StoreSpace>;
  /**
   * Calls back when something in a folder may have changed, but not by the methods
   * of this interface: the responder then lists it again and reports the differences
   * to the host. Without a folder, anything may have changed. Only folders that were
   * listed before need to be watched.
   *
   * @returns Ends it.
   */
  watch?(changed: (folder?: string) => void): Disposable;

  /** Begins a file that does not exist. */
  create?(path: string, options: NewFileOptions): NewFile | Promise<NewFile>;
  /** Makes a folder that does not exist. */
  makeFolder?(path: string): void | Promise<void>;
  /**
   * Gives an object another path in this store, where nothing is. If it throws
   * EXDEV, the object is copied and removed.
   */
  rename?(from: string, to: string): void | Promise<void>;
  /** Removes a file, or an empty folder. */
  remove?(path: string): void | Promise<void>;
  /** Opens a file for changes. */
  edit?(path: string): EditableFile | Promise<EditableFile>;
}
