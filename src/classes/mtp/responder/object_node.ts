/**
 * Objects as the host knows them.
 *
 * @module
 */
import { MAX_STRING } from "../protocol/dataset.ts";
import { formatOf } from "../protocol/formats.ts";
import { ObjectFormat } from "../protocol/codes.ts";
import type { ObjectEntry } from "../store/object_store.ts";
import type { Storage } from "./storage.ts";

/** Files have nothing in them: one map for all. */
const NONE = new Map<string, ObjectNode>();

/** A file or a folder to which the host has a handle; or the root of a storage. */
export class ObjectNode {
  #handle: number;
  storage: Storage;
  /** The folder it is in; `undefined` for a root. */
  parent: ObjectNode | undefined;
  /** What the store has said of it, with the store's name. */
  entry: ObjectEntry;
  /** Its name for the host. */
  name: string;
  /** Those that are known, by the store's names. */
  readonly children: Map<string, ObjectNode>;
  /** Names for the host of those in it whose own it cannot have. */
  #replacements: Set<string> | undefined;
  /** Whether all that are in it were known once. */
  isListed = false;
  /** What the host has set with SetObjectReferences. */
  references: readonly number[] = [];
  /** What the host has sent it as, if its name does not say so. */
  givenFormat: number | undefined;

  constructor(
    handle: number,
    storage: Storage,
    parent: ObjectNode | undefined,
    entry: ObjectEntry,
  ) {
    this.#handle = handle;
    this.storage = storage;
    this.parent = parent;
    this.entry = entry;
    this.name = entry.name;
    this.children = this.isFolder ? new Map() : NONE;
  }

  /** 0 for a root. */
  get handle(): number {
    return this.#handle;
  }

  get isFolder(): boolean {
    return this.entry.kind === "folder";
  }

  /** The code of its format. */
  get format(): number {
    if (this.isFolder) return ObjectFormat.Association;
    const format = formatOf(this.entry.name);
    const isUnknown = format === ObjectFormat.Undefined;
    return isUnknown ? this.givenFormat ?? format : format;
  }

  /** Its path in the store. */
  get path(): string {
    const { parent, entry } = this;
    if (parent === undefined) return "";
    return pathIn(parent, entry.name);
  }

  /** Whether an object in it has this name, for the store or for the host. */
  hasName(name: string): boolean {
    return this.children.has(name) || !!this.#replacements?.has(name);
  }

  /** Puts an object into it. */
  attach(node: ObjectNode): void {
    this.children.set(node.entry.name, node);
    if (node.name === node.entry.name) return;
    this.#replacements ??= new Set();
    this.#replacements.add(node.name);
  }

  /** Takes an object out of it, if it is in it. */
  detach(node: ObjectNode): void {
    if (this.children.get(node.entry.name) !== node) return;
    this.children.delete(node.entry.name);
    this.#replacements?.delete(node.name);
  }

  /** Exchanges what makes it the same object for the host, wherever it is. */
  exchange(other: ObjectNode): void {
    [this.#handle, other.#handle] = [other.#handle, this.#handle];
    const { references } = this;
    this.references = other.references;
    other.references = references;
  }

  /** Whether it is in a folder, at any depth, or is that folder. */
  isWithin(folder: ObjectNode): boolean {
    return this === folder || !!this.parent?.isWithin(folder);
  }
}

/** The path of a name in a folder. */
export function pathIn(folder: ObjectNode, name: string): string {
  const { path } = folder;
  return path === "" ? name : `${path}/${name}`;
}

/**
 * The name under which the host sees an object: it must be UTF-16, and fit a string
 * of MTP. Others are shortened or get replacement characters, and a number where
 * that would make two equal.
 */
export function nameForHost(
  name: string,
  isTaken: (name: string) => boolean,
): string {
  const isUsable = name.isWellFormed() && name.length <= MAX_STRING;
  if (isUsable && !isTaken(name)) return name;
  const text = name.toWellFormed();
  const [extension = ""] = /\.[^.]{1,15}$/.exec(text) ?? [];
  const base = text.slice(0, text.length - extension.length);
  for (let number = 0;; number++) {
    const end = (number === 0 ? "" : `~${number}`) + extension;
    const candidate = base.slice(0, MAX_STRING - end.length).toWellFormed() +
      end;
    if (!isTaken(candidate)) return candidate;
  }
}
