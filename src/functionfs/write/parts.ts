/**
 * The parts of one transfer, gathered into pieces for kernel requests.
 *
 * The host sees one transfer only if every kernel request but the last one is
 * whole packets. Parts have any size, so they are copied into memory for such
 * pieces, which is used again and again. (A gather list, IOCB_CMD_PWRITEV,
 * would save this copy, 40 µs per MiB. It needs the address of every part, and
 * parts that stay as they are until the kernel has copied them.)
 *
 * @module
 */
import type { PartSource, PartsOwner } from "./part_source.ts";

/** Memory for full pieces, for all writes of an endpoint. */
export class PieceMemory {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  /** Takes memory for `size` bytes, with any content. */
  take(size: number): Uint8Array<ArrayBuffer> {
    const memory = this.#free.pop();
    return memory?.byteLength === size ? memory : new Uint8Array(size);
  }

  /** Returns it. */
  give(memory: Uint8Array<ArrayBuffer>): void {
    this.#free.push(memory);
  }

  /** Keeps one piece for the next write. */
  trim(): void {
    this.#free.splice(1);
  }
}

/** How pieces are cut. */
export interface PiecePort {
  readonly name: string;
  /** Bytes of a full piece: whole packets. */
  readonly pieceSize: number;
  /** Bytes of the smallest piece of whole packets. */
  readonly pieceStep: number;
  readonly pieceMemory: PieceMemory;
}

/** The parts of a transfer, which become pieces. */
export class Parts {
  /** Bytes of all parts, `Infinity` if that is not known. */
  readonly total: number;
  /** The write. */
  owner!: PartsOwner;
  readonly #name: string;
  readonly #source: PartSource;
  readonly #size: number;
  readonly #step: number;
  readonly #pool: PieceMemory;
  /** Bytes that are not in a piece yet. */
  #left: number;
  /** The part that is being copied, and how much of it has been. */
  #part: Uint8Array | undefined;
  #copied = 0;
  /** The piece that is being filled. */
  #memory = NOTHING;
  #filled = 0;
  #ended = false;

  /** Takes the parts of a source. */
  constructor(source: PartSource, port: PiecePort) {
    this.total = this.#left = source.total;
    this.#name = port.name;
    this.#source = source;
    this.#size = port.pieceSize;
    this.#step = port.pieceStep;
    this.#pool = port.pieceMemory;
  }

  /** Whether the last piece was returned. It may be empty. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Returns the next piece, if there is one now.
   *
   * @param soon Whether it may be less than a full one.
   */
  next(soon: boolean): Uint8Array<ArrayBuffer> | undefined {
    while (this.#filled < this.#size) {
      this.#part ??= this.#source.next(this.owner);
      if (this.#part === undefined) break;
      if (!this.#copy(this.#part)) return undefined;
    }
    if (this.#filled < this.#size) {
      this.#ended = this.#source.over;
      if (this.#ended) return this.#cut(this.#filled);
      if (!soon) return undefined;
    }
    const whole = this.#filled - this.#filled % this.#step;
    return whole > 0 ? this.#cut(whole) : undefined;
  }

  /** A piece is no longer needed. */
  give(piece: Uint8Array<ArrayBuffer>): void {
    const { buffer } = piece;
    if (buffer.byteLength === this.#size) {
      this.#pool.give(new Uint8Array(buffer));
    }
  }

  /** No more pieces are wanted. */
  stop(): void {
    this.#source.stop();
    this.give(this.#memory);
    this.#memory = NOTHING;
    this.#pool.trim();
  }

  /** Copies as much of a part as fits into the piece; returns whether it could. */
  #copy(part: Uint8Array): boolean {
    const size = part.byteLength;
    if (size === 0) {
      // It was not empty before.
      this.owner.onPartsFailure(
        new TypeError(
          `Cannot write to endpoint "${this.#name}": the data was detached before it was sent`,
        ),
      );
      return false;
    }
    if (this.#memory.byteLength === 0) this.#renew();
    const room = this.#memory.byteLength - this.#filled;
    const whole = this.#copied === 0 && size <= room;
    const bytes = whole
      ? part
      : part.subarray(this.#copied, this.#copied + room);
    this.#memory.set(bytes, this.#filled);
    this.#filled += bytes.byteLength;
    this.#left -= bytes.byteLength;
    this.#copied += bytes.byteLength;
    if (this.#copied === size) {
      this.#part = undefined;
      this.#copied = 0;
    }
    return true;
  }

  /** Makes a piece of the first bytes. */
  #cut(count: number): Uint8Array<ArrayBuffer> {
    const memory = this.#memory;
    if (count === memory.byteLength) {
      this.#memory = NOTHING;
      this.#filled = 0;
      return memory;
    }
    const rest = memory.subarray(count, this.#filled);
    this.#filled = rest.byteLength;
    if (count < memory.byteLength / 2) {
      // A short piece does not keep the memory of a full one.
      const piece = memory.slice(0, count);
      memory.set(rest);
      return piece;
    }
    this.#memory = NOTHING;
    if (rest.byteLength > 0) {
      this.#renew();
      this.#memory.set(rest);
    }
    return memory.subarray(0, count);
  }

  /** Takes memory for the next piece. */
  #renew(): void {
    const size = Math.min(this.#size, this.#filled + this.#left);
    this.#memory = size === this.#size
      ? this.#pool.take(size)
      : new Uint8Array(size);
  }
}

const NOTHING = new Uint8Array(0);
