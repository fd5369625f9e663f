/**
 * Fields of command descriptor blocks (SPC-4, 4.2).
 *
 * @module
 */
import { SenseError } from "./sense.ts";

/** A command descriptor block, zeros after its end. */
export class Cdb {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  /** @param bytes 16 bytes. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  }

  /** The operation code. */
  get opcode(): number {
    return this.bytes[0];
  }

  /** A byte. */
  u8(at: number): number {
    return this.bytes[at];
  }

  /** Two bytes. */
  u16(at: number): number {
    return this.#view.getUint16(at);
  }

  /** Four bytes. */
  u32(at: number): number {
    return this.#view.getUint32(at);
  }

  /** Whether a bit is set. */
  has(at: number, mask: number): boolean {
    return (this.bytes[at] & mask) !== 0;
  }

  /** Fails the command if any of some bits is set. */
  refuse(at: number, mask: number): void {
    if (this.has(at, mask)) throw new SenseError("invalid field in cdb");
  }

  /** The CONTROL byte is the last one; normal ACA is not supported. */
  checkControl(): void {
    // The group code decides the length (SPC-4, 4.2.5.1).
    const length = [6, 10, 10, 16, 16, 12][this.opcode >> 5];
    if (length !== undefined && this.has(length - 1, 0x04)) {
      throw new SenseError("invalid field in cdb");
    }
  }

  /**
   * The first block, and the count of blocks, where commands of its length have
   * them. A block number that no disk can have is an unsafe integer.
   */
  blocks(): { lba: number; count: number } {
    switch (this.opcode >> 5) {
      case 0: // 6 bytes: 21 bits, and 0 blocks are 256
        return { lba: this.u32(0) & 0x1fffff, count: this.u8(4) || 256 };
      case 4: // 16 bytes
        return {
          lba: this.u32(2) * 2 ** 32 + this.u32(6),
          count: this.u32(10),
        };
      case 5: // 12 bytes
        return { lba: this.u32(2), count: this.u32(6) };
      default: // 10 bytes
        return { lba: this.u32(2), count: this.u16(7) };
    }
  }
}
