/**
 * What the host sends: wrappers, and the data after them.
 *
 * Reads of one packet stand in the kernel for the next wrapper and for 4 KiB after
 * it, so that a small write does not wait for this program between its wrapper and
 * its data. They fit whatever comes: a wrapper takes one of them, and data is
 * larger than they are or ends with a short packet.
 *
 * @module
 */

/** Bytes of data that reads stand for; a multiple of all block sizes. */
const AHEAD = 4096;
/** Smaller packets, those of full speed, would be too many reads. */
const LEAST_PACKET = 512;

/** A part of the host's data. */
export interface Arrival {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether the data ends here, although more was announced. */
  readonly endsEarly: boolean;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Reads wrappers and data in the order in which the host sends them. */
export class Inbox {
  readonly #receive: (size: number) => Promise<Bytes>;
  readonly #packetSize: number;
  readonly #pieceSize: number;
  /** Reads for data, which stand together with that of a wrapper. */
  readonly #ahead: number;
  #standing: Promise<Bytes>[] = [];
  /** The read of the next piece after those that stand. */
  #piece: Promise<Bytes> | undefined;

  /**
   * @param receive Receives a transfer of up to so many bytes. It must not be
   * left unhandled if it fails.
   * @param pieceSize The size of reads for more data.
   */
  constructor(
    receive: (size: number) => Promise<Bytes>,
    packetSize: number,
    pieceSize: number,
  ) {
    this.#receive = receive;
    this.#packetSize = packetSize;
    this.#pieceSize = pieceSize;
    this.#ahead = packetSize < LEAST_PACKET ? 0 : AHEAD / packetSize;
  }

  /** Begins to wait for the next wrapper. */
  expectWrapper(): void {
    while (this.#standing.length <= this.#ahead) {
      this.#standing.push(this.#receive(this.#packetSize));
    }
  }

  /** The next wrapper, or whatever comes in its place. */
  wrapper(): Promise<Bytes> {
    return this.#standing.shift()!;
  }

  /** Begins to receive data. */
  expectData(length: number): void {
    this.#expectPiece(length - this.#standing.length * this.#packetSize);
  }

  /** The next part of the data, of which so many bytes remain. */
  async data(remaining: number): Promise<Arrival> {
    if (this.#standing.length > 0) return await this.#packets(remaining);
    const wanted = Math.min(remaining, this.#pieceSize);
    const bytes = await this.#piece!;
    this.#piece = undefined;
    const endsEarly = bytes.byteLength < wanted;
    if (!endsEarly) this.#expectPiece(remaining - bytes.byteLength);
    return { bytes, endsEarly };
  }

  /** Drops all reads, which the kernel has returned. */
  forget(): void {
    this.#standing = [];
    this.#piece = undefined;
  }

  #expectPiece(remaining: number): void {
    if (remaining <= 0) return;
    this.#piece = this.#receive(Math.min(remaining, this.#pieceSize));
  }

  /** Joins the packets of the reads that stand, as far as the data goes. */
  async #packets(remaining: number): Promise<Arrival> {
    const room = Math.min(remaining, this.#standing.length * this.#packetSize);
    const bytes = new Uint8Array(room);
    let received = 0;
    while (received < room) {
      const packet = await this.#standing.shift()!;
      const part = packet.subarray(0, room - received);
      bytes.set(part, received);
      received += part.byteLength;
      if (packet.byteLength < this.#packetSize) break;
    }
    return {
      bytes: bytes.subarray(0, received),
      endsEarly: received < room,
    };
  }
}
