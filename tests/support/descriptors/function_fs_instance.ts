/**
 * A FunctionFS instance outside any gadget, to test what its ep0 accepts.
 *
 * @module
 */
import { FUNCTIONFS_DESCRIPTORS_MAGIC } from "../../../src/compile/functionfs_abi.ts";
import { O_NONBLOCK, O_RDWR } from "../../../ffi/abi.ts";
import { isSystemError } from "../../../ffi/errno.ts";
import { close, exists, mkdir, open, rmdir, write } from "../../../ffi/file.ts";
import { listMounts, mount, unmount } from "../../../ffi/mount.ts";

const GADGETS = "/sys/kernel/config/usb_gadget";

/** The kernel's reaction to the blocks. */
export interface KernelVerdict {
  /** The block that was refused, if one was. */
  readonly refused?: "descriptors" | "strings";
  /** The error of that write. */
  readonly errno?: string;
}

/** A mounted FunctionFS instance. */
export class FunctionFsInstance implements Disposable {
  /** The mount point. */
  readonly mountPoint: string;
  readonly #name: string;
  readonly #gadget: string;

  /** Creates and mounts an instance. Its name must be unused. */
  constructor(name: string) {
    if (!listMounts().some(({ type }) => type === "configfs")) {
      mount({
        source: "none",
        target: "/sys/kernel/config",
        type: "configfs",
      });
    }
    this.#name = name;
    this.#gadget = `${GADGETS}/${name}`;
    this.mountPoint = `/tmp/${name}`;
    mkdir(this.#gadget);
    mkdir(`${this.#gadget}/functions/ffs.${name}`);
    if (!exists(this.mountPoint)) mkdir(this.mountPoint);
    this.#mount();
  }

  /**
   * Opens ep0, writes the blocks until one is refused, and closes ep0, which makes FunctionFS forget them. Only the
   * flags remain, and a block in the legacy format does not replace them: before such a block the instance is mounted
   * again.
   *
   * @param confirm Called when ep0 is open, which uses a file descriptor. If it returns false, nothing is written.
   * @returns The kernel's reaction, or undefined if nothing was written.
   */
  write(
    descriptors: Uint8Array<ArrayBuffer>,
    strings: Uint8Array<ArrayBuffer>,
    confirm: () => boolean = () => true,
  ): KernelVerdict | undefined {
    if (descriptors[0] === FUNCTIONFS_DESCRIPTORS_MAGIC) {
      unmount(this.mountPoint);
      this.#mount();
    }
    const fd = open(`${this.mountPoint}/ep0`, O_RDWR | O_NONBLOCK);
    try {
      if (!confirm()) return undefined;
      const errno = errnoOf(() => write(fd, descriptors));
      if (errno !== undefined) return { refused: "descriptors", errno };
      const stringsErrno = errnoOf(() => write(fd, strings));
      if (stringsErrno === undefined) return {};
      return { refused: "strings", errno: stringsErrno };
    } finally {
      close(fd);
    }
  }

  /** Unmounts and removes the instance. */
  [Symbol.dispose](): void {
    unmount(this.mountPoint);
    rmdir(this.mountPoint);
    rmdir(`${this.#gadget}/functions/ffs.${this.#name}`);
    rmdir(this.#gadget);
  }

  #mount(): void {
    mount({
      source: this.#name,
      target: this.mountPoint,
      type: "functionfs",
    });
  }
}

function errnoOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return error.code;
  }
}
