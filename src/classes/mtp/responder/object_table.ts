/**
 * The objects of all storages, by their handles. A handle is given when an object is
 * first found, stays while it exists, moves with it, and is never given again.
 *
 * @module
 */
import { ALL } from "../protocol/codes.ts";
import { ResponseError } from "../protocol/response.ts";
import type { ObjectEntry } from "../store/object_store.ts";
import { nameForHost, ObjectNode } from "./object_node.ts";
import type { Storage } from "./storage.ts";

/** What has changed without the host. */
export type ObjectChange = "added" | "removed" | "changed";

/** Milliseconds after which a long listing lets other events run. */
const SLICE = 0.5;

/** Objects by handle. */
export class ObjectTable {
  readonly #nodes = new Map<number, ObjectNode>();
  readonly #roots = new Map<number, ObjectNode>();
  #lastHandle = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /** Adds a storage. */
  addStorage(storage: Storage): void {
    const entry: ObjectEntry = { name: "", kind: "folder", size: 0 };
    this.#roots.set(storage.id, new ObjectNode(0, storage, undefined, entry));
  }

  /** Removes a storage, with all its objects. */
  removeStorage(id: number): void {
    const root = this.#roots.get(id);
    if (root === undefined) return;
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

  /** Throws `Invalid_ObjectHandle` if there is none. */
  node(handle: number): ObjectNode {
    const node = this.#nodes.get(handle);
    if (node === undefined) throw new ResponseError("Invalid_ObjectHandle");
    return node;
  }

  /** An object, with what the store says of it now. */
  async current(handle: number): Promise<ObjectNode> {
    const node = this.node(handle);
    await this.refresh(node);
    return node;
  }

  /** Asks the store about an object again. Throws `Invalid_ObjectHandle` if it is gone. */
  async refresh(node: ObjectNode): Promise<void> {
    const entry = await node.storage.store.look(node.path);
    if (entry === undefined || entry.kind !== node.entry.kind) {
      this.forget(node);
      throw new ResponseError("Invalid_ObjectHandle");
    }
    node.entry = { ...entry, name: node.entry.name };
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

  /** Everything in a folder, at every depth up to `depth`. */
  async *within(
    folder: ObjectNode,
    depth = Infinity,
  ): AsyncGenerator<ObjectNode> {
    if (depth < 1) return;
    for (const node of await this.children(folder)) {
      yield node;
      if (node.isFolder) yield* this.within(node, depth - 1);
    }
  }

  /**
   * Lists a folder again.
   *
   * @param onChange Called with each difference to the listing before, if there was
   * one.
   */
  update(
    folder: ObjectNode,
    onChange?: (change: ObjectChange, node: ObjectNode) => void,
  ): Promise<void> {
    return this.exclusively(async () => {
      if (!folder.isListed) onChange = undefined;
      const known = folder.children;
      const left = new Map(known);
      const entries = await folder.storage.store.list(folder.path);
      let began = performance.now();
      for await (const entry of entries) {
        const node = left.get(entry.name);
        if (node?.entry.kind === entry.kind) {
          left.delete(entry.name);
          const { size, modified } = node.entry;
          node.entry = entry;
          if (size !== entry.size || modified !== entry.modified) {
            onChange?.("changed", node);
          }
        } else if (!known.has(entry.name) || node !== undefined) {
          if (node !== undefined) {
            // A folder has taken the place of a file, or the reverse.
            left.delete(entry.name);
            this.forget(node);
            onChange?.("removed", node);
          }
          onChange?.("added", this.add(folder, entry));
        }
        if (performance.now() - began > SLICE) {
          await new Promise((resolve) => setTimeout(resolve));
          began = performance.now();
        }
      }
      for (const node of left.values()) {
        this.forget(node);
        onChange?.("removed", node);
      }
      folder.isListed = true;
    });
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

  /** Adds an object that the store has. */
  add(
    folder: ObjectNode,
    entry: ObjectEntry,
    handle: number = this.reserveHandle(),
  ): ObjectNode {
    const node = new ObjectNode(handle, folder.storage, folder, entry);
    this.#nodes.set(handle, node);
    this.#attach(folder, node);
    return node;
  }

  /** Follows an object that has another name or folder in the store now. */
  moved(node: ObjectNode, folder: ObjectNode, name: string): void {
    node.parent?.children.delete(node.entry.name);
    node.parent = folder;
    node.entry = { ...node.entry, name };
    this.#attach(folder, node);
  }

  /** Removes an object, with all that is in it. */
  forget(node: ObjectNode): void {
    const siblings = node.parent?.children;
    if (siblings?.get(node.entry.name) === node) {
      siblings.delete(node.entry.name);
    }
    this.#nodes.delete(node.handle);
    this.#forgetChildren(node);
  }

  #attach(folder: ObjectNode, node: ObjectNode): void {
    const siblings = folder.children;
    const isTaken = (name: string) =>
      siblings.has(name) || siblings.values().some((it) => it.name === name);
    node.name = nameForHost(node.entry.name, isTaken);
    siblings.set(node.entry.name, node);
  }

  #forgetChildren(node: ObjectNode): void {
    for (const child of node.children.values()) {
      this.#nodes.delete(child.handle);
      this.#forgetChildren(child);
    }
    node.children.clear();
  }
}
