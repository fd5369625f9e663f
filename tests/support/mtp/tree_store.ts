/**
 * A store in memory, which can fail and wait where a test wants it.
 *
 * @module
 */
import type {
  EditableFile,
  NewFile,
  ObjectEntry,
  ObjectStore,
} from "../../../src/classes/mtp/store/object_store.ts";

/** What is at a path: bytes of a file, or a folder. */
export type Item = Uint8Array<ArrayBuffer> | "folder";

/** A store in memory. */
export class TreeStore implements Required<Omit<ObjectStore, "watch">> {
  /** By path. */
  readonly items = new Map<string, Item>();
  /** When objects were modified, in milliseconds since 1970. */
  readonly times = new Map<string, number>();
  free = 2 ** 40;
  /** Files that are open. */
  openFiles = 0;
  /** Called before each method, with its name and path: it can throw, or wait. */
  before: (method: keyof ObjectStore | "commit" | "write", path: string) =>
    | void
    | Promise<void> = () => {};

  /** @param items Files by path, as bytes or text; folders. */
  constructor(items: Readonly<Record<string, Item | string>> = {}) {
    for (const [path, item] of Object.entries(items)) this.put(path, item);
  }

  /** Changes it without the responder. */
  put(path: string, item: Item | string): void {
    const isText = typeof item === "string" && item !== "folder";
    this.items.set(
      path,
      isText ? new TextEncoder().encode(item) : item as Item,
    );
    this.times.set(path, this.times.get(path) ?? Date.UTC(2024, 1, 29, 12));
  }

  /** A file as text. */
  text(path: string): string {
    return new TextDecoder().decode(this.#file(path));
  }

  async list(folder: string): Promise<ObjectEntry[]> {
    await this.before("list", folder);
    if (folder !== "" && this.items.get(folder) !== "folder") throw gone();
    const prefix = folder === "" ? "" : `${folder}/`;
    const isChild = (path: string) =>
      path.startsWith(prefix) && !path.slice(prefix.length).includes("/");
    return [...this.items.keys()].filter(isChild).map((it) => this.#entry(it)!);
  }

  async look(path: string): Promise<ObjectEntry | undefined> {
    await this.before("look", path);
    return this.#entry(path);
  }

  async open(path: string): Promise<EditableFile> {
    await this.before("open", path);
    return this.#open(path);
  }

  async space(): Promise<{ capacity: number; free: number }> {
    await this.before("space", "");
    return { capacity: 2 ** 41, free: this.free };
  }

  async create(
    path: string,
    { modified }: { modified?: number },
  ): Promise<NewFile> {
    await this.before("create", path);
    const content = new Content();
    this.openFiles++;
    return {
      write: async (offset, from) => {
        await this.before("write", path);
        content.write(offset, from);
      },
      commit: async () => {
        await this.before("commit", path);
        this.put(path, content.bytes);
        if (modified !== undefined) this.times.set(path, modified);
      },
      close: () => void this.openFiles--,
    };
  }

  async makeFolder(path: string): Promise<void> {
    await this.before("makeFolder", path);
    this.put(path, "folder");
  }

  async rename(from: string, to: string): Promise<void> {
    await this.before("rename", from);
    renameKeys(this.items, from, to);
    renameKeys(this.times, from, to);
  }

  async remove(path: string): Promise<void> {
    await this.before("remove", path);
    if ((await this.list(path).catch(() => [])).length > 0) {
      throw Object.assign(new Error(path), { code: "ENOTEMPTY" });
    }
    this.items.delete(path);
  }

  async edit(path: string): Promise<EditableFile> {
    await this.before("edit", path);
    return this.#open(path);
  }

  #open(path: string): EditableFile {
    const content = new Content(this.#file(path));
    const keep = () => this.put(path, content.bytes);
    this.openFiles++;
    return {
      get byteLength() {
        return content.bytes.byteLength;
      },
      read: (offset, into) => {
        const part = content.bytes.subarray(offset, offset + into.byteLength);
        into.set(part);
        return part.byteLength;
      },
      write: async (offset, from) => {
        await this.before("write", path);
        content.write(offset, from);
        keep();
      },
      resize: (byteLength) => {
        content.resize(byteLength);
        keep();
      },
      close: () => void this.openFiles--,
    };
  }

  #file(path: string): Uint8Array<ArrayBuffer> {
    const item = this.items.get(path);
    if (item === undefined || item === "folder") throw gone();
    return item;
  }

  #entry(path: string): ObjectEntry | undefined {
    const item = this.items.get(path);
    if (item === undefined) return undefined;
    const name = path.slice(path.lastIndexOf("/") + 1);
    const modified = this.times.get(path);
    return item === "folder"
      ? { name, kind: "folder", size: 0, modified }
      : { name, kind: "file", size: item.byteLength, modified };
  }
}

/** Bytes that grow. */
class Content {
  bytes: Uint8Array<ArrayBuffer>;

  constructor(bytes = new Uint8Array()) {
    this.bytes = bytes.slice();
  }

  write(offset: number, from: Uint8Array): void {
    const end = offset + from.byteLength;
    if (end > this.bytes.byteLength) this.resize(end);
    this.bytes.set(from, offset);
  }

  resize(byteLength: number): void {
    const bytes = new Uint8Array(byteLength);
    bytes.set(this.bytes.subarray(0, byteLength));
    this.bytes = bytes;
  }
}

function gone(): Error {
  return Object.assign(new Error("gone"), { code: "ENOENT" });
}

function renameKeys<T>(map: Map<string, T>, from: string, to: string): void {
  for (const [path, value] of [...map]) {
    if (path !== from && !path.startsWith(`${from}/`)) continue;
    map.delete(path);
    map.set(to + path.slice(from.length), value);
  }
}
