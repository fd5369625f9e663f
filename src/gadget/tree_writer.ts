/**
 * Changes in a gadget's directory, one by one, and a record of them.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import {
  mkdir,
  readFile,
  readTextFile,
  rmdir,
  symlink,
  unlink,
  writeFile,
} from "../../ffi/file.ts";
import { encodeValue } from "./attribute_value.ts";
import { kernelRelease, makeFunction, withHint } from "./remedies.ts";
import type { AttributeNode } from "./tree_model.ts";

/** Something that was changed in configfs. */
export interface GadgetChange {
  /** What was done; `"bind"` and `"unbind"` are writes to `UDC`. */
  readonly type:
    | "make"
    | "remove"
    | "set"
    | "link"
    | "unlink"
    | "bind"
    | "unbind";
  /** The path below the gadget's directory. */
  readonly path: string;
}

/** Writes below one gadget's directory, and nowhere else. */
export class TreeWriter {
  /** The gadget's directory. */
  readonly root: string;
  /** All that was changed, oldest first. */
  readonly changes: GadgetChange[] = [];
  /** The attributes that were set, by their paths. */
  readonly written = new Map<string, AttributeNode>();

  /** @param root The gadget's directory. */
  constructor(root: string) {
    this.root = root;
  }

  /** The absolute path; refuses what would lead out of the directory. */
  resolve(path: string): string {
    const parts = path.split("/");
    if (path !== "" && parts.some((it) => ["", ".", ".."].includes(it))) {
      throw new TypeError(
        `Cannot change gadget: "${path}" leads out of ${this.root}`,
      );
    }
    return path === "" ? this.root : `${this.root}/${path}`;
  }

  /** Makes a directory. */
  make(path: string): void {
    const absolute = this.resolve(path);
    if (/^functions\/[^/]+$/.test(path)) makeFunction(absolute);
    else mkdir(absolute, { action: "make gadget" });
    this.#record("make", path);
  }

  /** Removes a directory. */
  remove(path: string): void {
    rmdir(this.resolve(path), { action: "remove part of gadget" });
    this.#record("remove", path);
  }

  /** Writes an attribute of `directory`. */
  set(directory: string, node: AttributeNode): void {
    const path = directory === "" ? node.path : `${directory}/${node.path}`;
    const value = node.value instanceof Uint8Array
      ? `${node.value.length} bytes`
      : JSON.stringify(node.value);
    try {
      writeFile(this.resolve(path), encodeValue(node), {
        action: `set gadget attribute "${path}" to ${value}`,
      });
    } catch (error) {
      if (!isSystemError(error, "ENOENT")) throw error;
      throw withHint(error, `this kernel (${kernelRelease()}) has not got it`);
    }
    this.written.set(path, node);
    this.#record("set", path);
  }

  /** Makes a link to another path of the gadget. */
  link(target: string, path: string): void {
    symlink(this.resolve(target), this.resolve(path), {
      action: `add "${target}" to gadget`,
    });
    this.#record("link", path);
  }

  /** Removes a link. */
  unlink(path: string): void {
    unlink(this.resolve(path), { action: "remove link of gadget" });
    this.#record("unlink", path);
  }

  /** Reads an attribute. */
  read(path: string): Uint8Array {
    return readFile(this.resolve(path), { action: "read gadget attribute" });
  }

  /** The UDC that the gadget is bound to, `""` without one. */
  get udc(): string {
    return readTextFile(this.resolve("UDC"), { action: "read gadget's UDC" });
  }

  /** Writes `UDC`; `""` unbinds. */
  setUdc(udc: string): void {
    writeFile(this.resolve("UDC"), udc === "" ? "\n" : udc, {
      action: udc === "" ? "unbind gadget" : `bind gadget to UDC "${udc}"`,
    });
    this.#record(udc === "" ? "unbind" : "bind", "UDC");
  }

  /** Binds where it was bound, if the kernel lets it: after an error, which goes first. */
  setUdcBack(udc: string): void {
    try {
      if (this.udc === "") this.setUdc(udc);
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }

  #record(type: GadgetChange["type"], path: string): void {
    this.changes.push({ type, path });
  }
}
