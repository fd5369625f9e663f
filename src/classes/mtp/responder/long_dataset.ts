/**
 * Lists of any length for the host.
 *
 * @module
 */
import { DatasetWriter } from "../protocol/dataset.ts";
import type { OutgoingData } from "./operation.ts";

/** Bytes after which a piece of a list is closed. */
const PIECE = 0x10000;

/**
 * A dataset that is a count of 32 bits, and so many items. It is kept in pieces:
 * growing one block of memory would copy megabytes at once.
 */
export class LongDataset {
  #count = 0;
  #byteLength = 4;
  #last = new DatasetWriter();
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];

  /** Where to write the next item. */
  item(): DatasetWriter {
    this.#count++;
    if (this.#last.bytes.byteLength >= PIECE) this.#close();
    return this.#last;
  }

  /** All of it. No items can be added afterwards. */
  finish(): OutgoingData {
    this.#close();
    this.#pieces.unshift(new DatasetWriter().u32(this.#count).bytes);
    const pieces = this.#pieces;
    // Reads follow each other: the search begins where the one before ended.
    let index = 0;
    let start = 0;
    return {
      byteLength: this.#byteLength,
      read(offset, into) {
        if (offset < start) index = start = 0;
        let filled = 0;
        while (index < pieces.length && filled < into.byteLength) {
          const piece = pieces[index];
          const at = offset + filled - start;
          if (at >= piece.byteLength) {
            start += piece.byteLength;
            index++;
            continue;
          }
          const part = piece.subarray(at, at + into.byteLength - filled);
          into.set(part, filled);
          filled += part.byteLength;
        }
        return filled;
      },
      close() {},
    };
  }

  #close(): void {
    const { bytes } = this.#last;
    this.#byteLength += bytes.byteLength;
    this.#pieces.push(bytes);
    this.#last = new DatasetWriter();
  }
}
