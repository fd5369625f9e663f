/**
 * The objects of all storages, by their handles. A handle is given when an object is
 * first found, stays while it exists, moves with it, and is never given again.
 *
 * @module
 */
import { Slices } from "../../slices.ts";
import { ALL } from "../protocol/codes.ts";
import { ResponseError, responseTo } from "../protocol/response.ts";
import type { ObjectEntry } from "../store/object_store.ts";
import { nameForHost, ObjectNode } from "./object_node.ts";
import type { Storage } from "./storage.ts";

/** What has changed without the host. */
export type ObjectChange = "added" | "removed" | "changed";

/** Objects by handle. */
export class ObjectTable {
  /**
   * Called with each difference to what the host could know, when a folder is
   * listed again or the store is asked about an object.
   */
  onChange: ((change: ObjectChange, node: ObjectNode) => void) | undefined;
  readonly #nodes = new Map<number, ObjectNode>();
  readonly #roots = new Map<number, ObjectNode>();
  #lastHandle = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /** Adds a storage. */
  addStorage(storage: Storage): void {
    const entry: ObjectEntry = { name: "", kind: "folder", size: 0 };
    this.#roots.set(storage.id, new ObjectNode(0, storage, undefined, entry));
  }

  /** Removes a storage, with all its objects. Throws `Invalid_StorageID` if there is none. */
  removeStorage(id: number): void {
    const root = this.root(id);
    this.#roots.delete(id);
    this.#forgetChildren(root);
  }

  /** The storages, in the order in which they were added. */
  get storages(): Storage[] {
    return Array.from(this.#roots.values(), ({ storage }) => storage);
  }

  /** Throws `Invalid_StorageID` if there is none. */
  root(storageId: number): ObjectNode {
    const root = this.#roots.get(storageId);
    if (root === undefined) throw new ResponseError("Invalid_StorageID");
    return root;
  }

  /** The storages that a parameter selects: one, or all of them. */
  roots(storageId: number): ObjectNode[] {
    return storageId === ALL ? [...this.#roots.values()] : [
      this.root(storageId),
    ];
  }

  /** The object with a handle. */
  find(handle: number): ObjectNode | undefined {
    return this.#nodes.get(handle);
  }

  /** The same. Throws `Invalid_ObjectHandle` if there is none. */
  node(handle: number): ObjectNode {
    const node = this.find(handle);
    if (node === undefined) throw new ResponseError("Invalid_ObjectHandle");
    return node;
  }

  /** An object, with what the store says of it now. */
  async current(handle: number): Promise<ObjectNode> {
    const node = this.node(handle);
    const { size, modified } = node.entry;
    if (!await this.#look(node)) {
      if (this.#holds(node)) {
        this.forget(node);
        this.onChange?.("removed", node);
      }
      throw new ResponseError("Invalid_ObjectHandle");
    }
    if (size !== node.entry.size || modified !== node.entry.modified) {
      this.onChange?.("changed", node);
    }
    return node;
  }

  /** Asks the store about an object that the host has changed. */
  async refresh(node: ObjectNode): Promise<void> {
    if (!await this.#look(node)) this.forget(node);
  }

  /** Fails unless a folder still exists: it can be gone after an `await`. */
  checkFolder(folder: ObjectNode): void {
    if (this.#holds(folder)) return;
    const isRoot = folder.parent === undefined;
    throw new ResponseError(
      isRoot ? "Store_Not_Available" : "Invalid_ParentObject",
    );
  }

  /** Whether an object, or root, is one of the table's. */
  #holds(node: ObjectNode): boolean {
    const { parent, handle, storage } = node;
    if (parent === undefined) return this.#roots.get(storage.id) === node;
    return this.#nodes.get(handle) === node;
  }

  /**
   * Runs one after another what changes a store together with this table, so that a
   * listing of the same folder does not see half of it. Not to be nested.
   */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** The objects in a folder, as the store lists them now. */
  async children(folder: ObjectNode): Promise<ObjectNode[]> {
    await this.update(folder);
    return [...folder.children.values()];
  }

  /**
   * Everything in a folder, at every depth up to `depth`; folders before what is in
   * them. Folders in it that cannot be listed, or are gone, look empty.
   */
  async *within(
    folder: ObjectNode,
    depth = Infinity,
  ): AsyncGenerator<ObjectNode> {
    const folders = [{ folder, level: 1 }];
    const slices = new Slices();
    for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
      const { level } = next;
      if (level > depth) continue;
      const children = await this.children(next.folder).catch((error) => {
        const isExpected = level > 1 && responseTo(error) !== undefined;
        if (isExpected) return [];
        throw error;
      });
      for (const node of children) {
        yield node;
        if (node.isFolder) folders.push({ folder: node, level: level + 1 });
        if (slices.isOver) await slices.next();
      }
    }
  }

  /** Lists a folder again. */
  update(folder: ObjectNode): Promise<void> {
    return this.exclusively(async () => {
      this.checkFolder(folder);
      const onChange = folder.isListed ? this.onChange : undefined;
      const { children } = folder;
      const listed = new Set<string>();
      const slices = new Slices();
      for await (const entry of await folder.storage.store.list(folder.path)) {
        if (listed.has(entry.name)) continue;
        listed.add(entry.name);
        const node = children.get(entry.name);
        if (node?.entry.kind === entry.kind) {
          const { size, modified } = node.entry;
          node.entry = entry;
          if (size !== entry.size || modified !== entry.modified) {
            onChange?.("changed", node);
          }
        } else {
          if (node !== undefined) {
            // A folder has taken the place of a file, or the reverse.
            this.forget(node);
            onChange?.("removed", node);
          }
          const added = this.add(folder, entry);
          onChange?.("added", added);
        }
        if (slices.isOver) await slices.next();
      }
      for (const node of children.values()) {
        if (listed.has(node.entry.name)) continue;
        this.forget(node);
        onChange?.("removed", node);
        if (slices.isOver) await slices.next();
      }
      folder.isListed = true;
    });
  }

  /**
   * Reports an object that the program has made, unless the host knows it; in a
   * folder that is new to the host as well.
   *
   * @returns Whether the store has it.
   */
  async announce(storageId: number, path: string): Promise<boolean> {
    let folder = this.root(storageId);
    for (const name of path.split("/")) {
      const known = folder.children.get(name);
      const { isListed } = folder;
      await this.update(folder);
      const node = folder.children.get(name);
      if (node === undefined) return false;
      if (!isListed && node !== known) this.onChange?.("added", node);
      folder = node;
    }
    return true;
  }

  /** The folder with this path, if it has been listed. */
  listed(storageId: number, path: string): ObjectNode | undefined {
    let node = this.#roots.get(storageId);
    for (const name of path === "" ? [] : path.split("/")) {
      node = node?.children.get(name);
    }
    return node?.isListed ? node : undefined;
  }

  /** All folders of a storage that have been listed. */
  allListed(storageId: number): ObjectNode[] {
    const found: ObjectNode[] = [];
    const visit = (node: ObjectNode) => {
      if (node.isListed) found.push(node);
      for (const child of node.children.values()) visit(child);
    };
    const root = this.#roots.get(storageId);
    if (root !== undefined) visit(root);
    return found;
  }

  /** A handle for an object that is going to exist. */
  reserveHandle(): number {
    return ++this.#lastHandle;
  }

  /**
   * Adds an object that the store has.
   *
   * @throws {ResponseError} If the folder is gone.
   */
  add(
    folder: ObjectNode,
    entry: ObjectEntry,
    handle: number = this.reserveHandle(),
  ): ObjectNode {
    const node = new ObjectNode(handle, folder.storage, folder, entry);
    this.#attach(folder, node);
    this.#nodes.set(handle, node);
    return node;
  }

  /**
   * Follows an object that has another name, folder or storage now. Those in it go
   * with it.
   *
   * @throws {ResponseError} If the folder is gone.
   */
  moved(node: ObjectNode, folder: ObjectNode, name: string): void {
    this.checkFolder(folder);
    node.parent?.detach(node);
    node.parent = folder;
    node.entry = { ...node.entry, name };
    this.#attach(folder, node);
    if (node.storage !== folder.storage) setStorage(node, folder.storage);
  }

  /**
   * Gives the handles of an object, and of those in it, to its copy, and the other
   * way round.
   */
  exchange(node: ObjectNode, copy: ObjectNode): void {
    node.exchange(copy);
    this.#nodes.set(node.handle, node);
    this.#nodes.set(copy.handle, copy);
    for (const [name, child] of node.children) {
      const other = copy.children.get(name);
      if (other?.isFolder === child.isFolder) this.exchange(child, other);
    }
  }

  /** Removes an object, with all that is in it. */
  forget(node: ObjectNode): void {
    node.parent?.detach(node);
    this.#nodes.delete(node.handle);
    this.#forgetChildren(node);
  }

  /** Returns whether the store has an object as the table knows it. */
  async #look(node: ObjectNode): Promise<boolean> {
    const entry = await node.storage.store.look(node.path);
    if (entry?.kind !== node.entry.kind) return false;
    node.entry = { ...entry, name: node.entry.name };
    return true;
  }

  #attach(folder: ObjectNode, node: ObjectNode): void {
    this.checkFolder(folder);
    const { name } = node.entry;
    const before = folder.children.get(name);
    if (before !== undefined) this.forget(before);
    node.name = nameForHost(name, (it) => folder.hasName(it));
    folder.attach(node);
  }

  #forgetChildren(node: ObjectNode): void {
    for (const child of node.children.values()) {
      this.#nodes.delete(child.handle);
      this.#forgetChildren(child);
    }
    node.children.clear();
  }
}

function setStorage(node: ObjectNode, storage: Storage): void {
  node.storage = storage;
  for (const child of node.children.values()) setStorage(child, storage);
}
