/**
 * A disk of which only parts have contents.
 *
 * @module
 */

/** What fills a part of the disk. */
export interface Content {
  /** Bytes. */
  readonly size: number;
  /**
   * Reads a part.
   *
   * @param into Zeros, of which it may leave some. All of it exists.
   */
  read(offset: number, into: Uint8Array<ArrayBuffer>): void | Promise<void>;
}

/** Bytes in memory. */
export class MemoryContent implements Content {
  readonly size: number;
  readonly #bytes: Uint8Array;

  /** @param bytes They are used, not copied. */
  constructor(bytes: Uint8Array) {
    this.size = bytes.byteLength;
    this.#bytes = bytes;
  }

  /** Copies a part. */
  read(offset: number, into: Uint8Array): void {
    into.set(this.#bytes.subarray(offset, offset + into.byteLength));
  }
}

/** Contents at their places; all else is zeros. */
export class Segments {
  /** Where each begins, ascending. */
  readonly #starts: number[] = [];
  readonly #contents: Content[] = [];

  /** Adds content behind all that has been added before. */
  add(start: number, content: Content): void {
    if (content.size === 0) return;
    this.#starts.push(start);
    this.#contents.push(content);
  }

  /** Reads a part of the disk; returns a promise if some content does. */
  read(
    offset: number,
    into: Uint8Array<ArrayBuffer>,
  ): void | Promise<void> {
    into.fill(0);
    const end = offset + into.byteLength;
    let index = this.#indexAt(offset);
    // Up to the first content that has to be waited for.
    for (; index < this.#starts.length && this.#starts[index] < end; index++) {
      const pending = this.#readOne(index, offset, into);
      if (pending === undefined) continue;
      return this.#readOthers(pending, index + 1, offset, into);
    }
  }

  async #readOthers(
    pending: Promise<void>,
    index: number,
    offset: number,
    into: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    await pending;
    const end = offset + into.byteLength;
    for (; index < this.#starts.length && this.#starts[index] < end; index++) {
      await this.#readOne(index, offset, into);
    }
  }

  /** Reads what of one content lies in a part of the disk. */
  #readOne(
    index: number,
    offset: number,
    into: Uint8Array<ArrayBuffer>,
  ): void | Promise<void> {
    const start = this.#starts[index];
    const content = this.#contents[index];
    const from = Math.max(start, offset);
    const to = Math.min(start + content.size, offset + into.byteLength);
    if (from >= to) return;
    return content.read(
      from - start,
      into.subarray(from - offset, to - offset),
    );
  }

  /** The last content that begins at or before an offset, or the first one. */
  #indexAt(offset: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle] <= offset) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}
