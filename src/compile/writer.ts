/**
 * Fills a block of known length.
 *
 * @module
 */

/** Fills a block, which is allocated once, from front to back. Numbers are little-endian. */
export class Writer {
  readonly #view: DataView<ArrayBuffer>;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #offset = 0;

  constructor(length: number) {
    this.#bytes = new Uint8Array(length);
    this.#view = new DataView(this.#bytes.buffer);
  }

  u8(value: number): void {
    this.#bytes[this.#offset++] = value;
  }

  u16(value: number): void {
    this.#view.setUint16(this.#offset, value, true);
    this.#offset += 2;
  }

  u32(value: number): void {
    this.#view.setUint32(this.#offset, value, true);
    this.#offset += 4;
  }

  bytes(values: ArrayLike<number>): void {
    this.#bytes.set(values, this.#offset);
    this.#offset += values.length;
  }

  /** Writes ASCII text, followed by zeros up to `width` bytes. */
  ascii(value: string, width: number): void {
    for (let i = 0; i < value.length; i++) {
      this.#bytes[this.#offset + i] = value.charCodeAt(i);
    }
    this.zeros(width);
  }

  /** Skips bytes, which are 0. */
  zeros(count: number): void {
    this.#offset += count;
  }

  /**
   * Returns the block.
   *
   * @throws {RangeError} If it is not full, which is a bug of this package.
   */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.#offset !== this.#bytes.length) {
      throw new RangeError(
        `Cannot finish block: ${this.#offset} of ${this.#bytes.length} bytes written`,
      );
    }
    return this.#bytes;
  }
}
