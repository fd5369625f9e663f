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

/** Two pieces in turn: one is filled while the other one is sent. */
export class PieceMemory {
  readonly #size: number;
  #pieces: Piece[] = [];
  #turn = 0;

  /** @param size Bytes of a piece. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Returns a piece when its last transfer is done, and fails as that does. */
  async take(): Promise<Piece> {
    this.#turn ^= 1;
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
