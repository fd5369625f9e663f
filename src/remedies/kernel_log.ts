/**
 * The kernel's log, which has the reason of calls that fail without one.
 *
 * @module
 */
import { O_NONBLOCK, O_RDONLY } from "../../ffi/abi.ts";
import { isSystemError } from "../../ffi/errno.ts";
import { close, open, read, seekToEnd } from "../../ffi/file.ts";

const KMSG = "/dev/kmsg";
/** The kernel's longest record, `CONSOLE_EXT_LOG_MAX`. */
const RECORD_SIZE = 8192;

/** The lines that the kernel logs while the object lives. */
export class KernelLog implements Disposable {
  #fd: number | undefined;

  /** Opens the log. Without the right to, it has no lines. */
  constructor() {
    try {
      this.#fd = open(KMSG, O_RDONLY | O_NONBLOCK);
      seekToEnd(this.#fd);
    } catch {
      // In a container, or without root.
      this[Symbol.dispose]();
    }
  }

  /** The lines since the last call, without their prefixes. */
  lines(): string[] {
    const lines: string[] = [];
    while (this.#fd !== undefined) {
      const record = new Uint8Array(RECORD_SIZE);
      try {
        const length = read(this.#fd, record, { path: KMSG });
        if (length === 0) break;
        lines.push(messageOf(new TextDecoder().decode(
          record.subarray(0, length),
        )));
      } catch (error) {
        if (isSystemError(error, "EPIPE")) continue; // Records were overwritten.
        break;
      }
    }
    return lines;
  }

  /** Closes the log. */
  [Symbol.dispose](): void {
    if (this.#fd !== undefined) close(this.#fd);
    this.#fd = undefined;
  }
}

/** A record is `LEVEL,SEQUENCE,TIME,FLAGS;MESSAGE`, and then lines of ` KEY=VALUE`. */
function messageOf(record: string): string {
  const message = record.slice(record.indexOf(";") + 1).split("\n", 1)[0];
  return message.replace(
    /\\x([0-9a-f]{2})/g,
    (_, hex: string) => String.fromCharCode(parseInt(hex, 16)),
  );
}
