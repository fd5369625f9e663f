/**
 * What the host sends: the first packet of each transfer, and the rest of it.
 *
 * A header says how long its transfer is, so reads never ask for more: the host
 * need not end a transfer with a short packet.
 *
 * @module
 */
import { decodeHeader, paddedSize } from "./header.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes that are received at once; a multiple of all packet sizes. */
const PIECE = 256 * 1024;

/** A part of a transfer. */
export interface Arrival {
  readonly bytes: Bytes;
  /** Whether a short packet has ended the transfer. */
  readonly ends: boolean;
}

/** Receives transfers in their order. */
export class Inbox {
  readonly #receive: (size: number) => Promise<Bytes>;
  readonly #packetSize: number;

  /** @param receive Receives a transfer of up to so many bytes. */
  constructor(receive: (size: number) => Promise<Bytes>, packetSize: number) {
    this.#receive = receive;
    this.#packetSize = packetSize;
  }

  /** The first packet of the next transfer. */
  async first(): Promise<Arrival> {
    for (;;) {
      const bytes = await this.#receive(this.#packetSize);
      // It has ended a transfer that ended on a packet border.
      if (bytes.byteLength === 0) continue;
      return { bytes, ends: bytes.byteLength < this.#packetSize };
    }
  }

  /** More of a transfer, of which so many bytes are missing. */
  async more(missing: number): Promise<Arrival> {
    const packets = Math.ceil(missing / this.#packetSize);
    const size = Math.min(PIECE, packets * this.#packetSize);
    const bytes = await this.#receive(size);
    return { bytes, ends: bytes.byteLength < size };
  }

  /**
   * Finds the transfer of another program in what should have been the rest of a
   * transfer: a host was killed, and the next one has begun with a short packet.
   */
  transferIn({ bytes }: Arrival): Arrival | undefined {
    const size = bytes.byteLength;
    const packet = bytes.subarray(size - size % this.#packetSize);
    const header = decodeHeader(packet);
    if (header === undefined) return undefined;
    const expected = header.kind === "message" ? header.size : 0;
    return packet.byteLength === paddedSize(expected)
      ? { bytes: packet, ends: true }
      : undefined;
  }
}
