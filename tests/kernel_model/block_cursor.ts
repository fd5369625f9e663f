/**
 * Reads a block from front to back.
 *
 * @module
 */

export class BlockCursor {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  /** How many bytes were taken. */
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.length - this.offset;
  }

  /** The bytes that are left. */
  get rest(): Uint8Array {
    return this.#bytes.subarray(this.offset);
  }

  /** Reads two bytes, `offset` from here, without taking them. */
  u16At(offset: number): number {
    return this.#view.getUint16(this.offset + offset, true);
  }

  /** Reads four bytes, `offset` from here, without taking them. */
  u32At(offset: number): number {
    return this.#view.getUint32(this.offset + offset, true);
  }

  /** Takes the four bytes of the field at `path`. */
  u32(path: string): number {
    this.need(4, path, "field");
    const value = this.u32At(0);
    this.offset += 4;
    return value;
  }

  /** Takes bytes, without a copy. */
  take(length: number): Uint8Array {
    const bytes = this.#bytes.subarray(this.offset, this.offset + length);
    this.offset += length;
    return bytes;
  }

  /**
   * Requires that so many bytes are left.
   *
   * @throws {RangeError} If they are not.
   */
  need(length: number, path: string, what: string): void {
    if (this.left >= length) return;
    throw new RangeError(
      `Cannot decode ${path}: The block ends before this ${what}`,
    );
  }
}
