/**
 * Changes in a gadget's directory, one by one, and a record of them.
 *
 * @module
 */
import { isSystemError, type SystemErrorFields } from "../../../ffi/errno.ts";
import {
  exists,
  mkdir,
  readFile,
  readTextFile,
  rmdir,
  symlink,
  unlink,
  writeFile,
} from "../../../ffi/file.ts";
import { kernelRelease } from "../../../ffi/kernel_release.ts";
import { encodeValue } from "./value.ts";
import { withHint } from "../../remedies/hint.ts";
import { type AttributeNode, isMedium } from "./tree.ts";
import { functionModule, moduleRemedy } from "../../remedies/kernel.ts";

/**
 * A change in configfs.
 *
 * @category Gadget
 */
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

  /** Makes a directory; for that of a function the kernel loads its driver. */
  make(path: string): void {
    const [, type] = /^functions\/([^/.]+)[^/]*$/.exec(path) ?? [];
    const action = type === undefined
      ? "make part of gadget"
      : `make function of type "${type}"`;
    this.#change(
      "make",
      path,
      (it) => mkdir(it, { action }),
      ({ code }) =>
        type !== undefined && code === "ENOENT"
          ? `the kernel has no driver for it: ${
            moduleRemedy(functionModule(type))
          }`
          : undefined,
    );
  }

  /** Removes a directory. */
  remove(path: string): void {
    const action = "remove part of gadget";
    this.#change("remove", path, (it) => rmdir(it, { action }));
  }

  /** Writes an attribute of `directory`. */
  set(directory: string, node: AttributeNode): void {
    const path = directory === "" ? node.path : `${directory}/${node.path}`;
    const value = node.value instanceof Uint8Array
      ? `${node.value.length} bytes`
      : JSON.stringify(node.value);
    const action = `set gadget attribute "${path}" to ${value}`;
    this.#change(
      "set",
      path,
      (it) => writeFile(it, encodeValue(node), { action }),
      (error) => attributeHint(error, node),
    );
    this.written.set(path, node);
  }

  /** Makes a link to another path of the gadget. */
  link(target: string, path: string): void {
    const to = this.resolve(target);
    const action = `add "${target}" to gadget`;
    this.#change("link", path, (it) => symlink(to, it, { action }));
  }

  /** Removes a link. */
  unlink(path: string): void {
    const action = "remove link of gadget";
    this.#change("unlink", path, (it) => unlink(it, { action }));
  }

  /** Reads an attribute. */
  read(path: string): Uint8Array {
    return readFile(this.resolve(path), { action: "read gadget attribute" });
  }

  /** The UDC that the gadget is bound to, `""` without one. */
  get udc(): string {
    const path = this.resolve("UDC");
    return this.#call(() =>
      readTextFile(path, { action: "read gadget's UDC" })
    );
  }

  /** Writes `UDC`; `""` unbinds. */
  setUdc(udc: string): void {
    const [type, action] = udc === ""
      ? ["unbind", "unbind gadget"] as const
      : ["bind", `bind gadget to UDC "${udc}"`] as const;
    this.#change(type, "UDC", (it) => writeFile(it, udc || "\n", { action }));
  }

  /** Unbinds the gadget, if it is bound. */
  unbind(): void {
    if (this.udc === "") return;
    try {
      this.setUdc("");
    } catch (error) {
      // The kernel has unbound it in the meantime.
      if (!isSystemError(error, "ENODEV")) throw error;
    }
  }

  /** Binds the gadget again after an error, which matters more than one of this. */
  setUdcBack(udc: string): void {
    try {
      if (this.udc === "") this.setUdc(udc);
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }

  /** Makes a change, and records it. */
  #change(
    type: GadgetChange["type"],
    path: string,
    run: (absolute: string) => void,
    hint?: (error: SystemErrorFields) => string | undefined,
  ): void {
    const absolute = this.resolve(path);
    this.#call(() => run(absolute), hint);
    this.changes.push({ type, path });
  }

  /** Makes a call, and adds a hint to its error: that the gadget is gone, or `hint`. */
  #call<T>(
    run: () => T,
    hint?: (error: SystemErrorFields) => string | undefined,
  ): T {
    try {
      return run();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const gone = error.code === "ENOENT" && !exists(this.root);
      throw withHint(error, gone ? REMOVED : hint?.(error));
    }
  }
}

/** What to do about a gadget whose directory is gone. */
export const REMOVED =
  "another program has removed the gadget; stop it, and start it again";

/** An error number of the kernel that is not for user space. */
const ETOOSMALL = "E525";

/** Why the kernel has refused the value of an attribute. */
function attributeHint(
  { code, syscall, path = "" }: SystemErrorFields,
  node: AttributeNode,
): string | undefined {
  if (syscall === "open" && code === "ENOENT") {
    return exists(path.slice(0, path.lastIndexOf("/")))
      ? `this kernel (${kernelRelease()}) has no such attribute; check its name`
      : "the directory of the attribute does not exist";
  }
  const { value } = node;
  if (!isMedium(node.path) || typeof value !== "string") return undefined;
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return exists(value) ? undefined : `the file "${value}" does not exist`;
    case "EACCES":
    case "EPERM":
      return `the kernel may not open the file "${value}" for this process`;
    case ETOOSMALL:
      return `the file "${value}" is smaller than the drive's smallest medium`;
    default:
      return undefined;
  }
}
