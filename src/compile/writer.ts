/**
 * Fills a block of known length.
 *
 * @module
 */

/** Writes little-endian numbers one after the other into a block that is allocated once. */
export class Writer {
  readonly #view: DataView<ArrayBuffer>;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #offset = 0;

  /**
   * Allocates the block.
   *
   * @param length The length of the whole block, in bytes.
   */
  constructor(length: number) {
    this.#bytes = new Uint8Array(length);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /**
   * Writes one byte.
   *
   * @param value The value.
   */
  u8(value: number): void {
    this.#bytes[this.#offset++] = value;
  }

  /**
   * Writes two bytes.
   *
   * @param value The value.
   */
  u16(value: number): void {
    this.#view.setUint16(this.#offset, value, true);
    this.#offset += 2;
  }

  /**
   * Writes four bytes.
   *
   * @param value The value, signed or unsigned.
   */
  u32(value: number): void {
    this.#view.setUint32(this.#offset, value, true);
    this.#offset += 4;
  }

  /**
   * Writes bytes.
   *
   * @param values The bytes.
   */
  bytes(values: ArrayLike<number>): void {
    this.#bytes.set(values, this.#offset);
    this.#offset += values.length;
  }

  /**
   * Writes ASCII text and fills up with zeros.
   *
   * @param value The text.
   * @param width The bytes to fill, at least as many as the text has.
   */
  ascii(value: string, width: number): void {
    for (let i = 0; i < value.length; i++) {
      this.#bytes[this.#offset + i] = value.charCodeAt(i);
    }
    this.zeros(width);
  }

  /**
   * Leaves bytes as they are, and nobody has written them before.
   *
   * @param count How many.
   */
  zeros(count: number): void {
    this.#offset += count;
  }

  /**
   * Ends the block.
   *
   * @returns The block.
   * @throws {RangeError} When the computed length was wrong, which is a bug of this package.
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
