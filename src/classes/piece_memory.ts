/**
 * Memory for data on its way to the host.
 *
 * @module
 */

/** Memory of one piece. */
export interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The transfer that sends from it. */
  inUse?: Promise<unknown>;
}

/** Pieces in turn: one is filled while the others are sent. */
export class PieceMemory {
  readonly #size: number;
  readonly #count: number;
  #pieces: Piece[] = [];
  #turn = 0;

  /** @param size Bytes of a piece. */
  constructor(size: number, count = 2) {
    this.#size = size;
    this.#count = count;
  }

  /** Returns a piece when its last transfer is done, and fails as that does. */
  async take(): Promise<Piece> {
    this.#turn = (this.#turn + 1) % this.#count;
    const piece = this.#pieces[this.#turn] ??= {
      bytes: new Uint8Array(this.#size),
    };
    const { inUse } = piece;
    piece.inUse = undefined;
    await inUse;
    return piece;
  }

  /** Takes new memory from now on: the old one is still being filled, or its transfers have failed. */
  forget(): void {
    this.#pieces = [];
  }
}
