/**
 * Messages from the host's transfers.
 *
 * A message ends with a short packet, or where its length says: many hosts send no
 * zero-length packet after one that ends on a packet border. So its first packet is
 * received alone, and then as much as is missing.
 *
 * A program of the host that is killed stops anywhere in a message. The first
 * message of the next one then ends the read for the rest, and is found there.
 *
 * @module
 */
import type { OutEndpoint } from "../../../functionfs/endpoint/out_endpoint.ts";
import {
  type CommandMessage,
  CommandType,
  dataLengthOf,
  decodeCommand,
  HEADER_SIZE,
} from "../messages.ts";

/** Bytes that are received at once when more has come than was announced. */
const REST = 64 * 1024;

/** Receives messages. */
export class Inbox {
  readonly #endpoint: Pick<OutEndpoint, "read" | "maxPacketSize">;
  readonly #longest: number;

  /** @param longest Bytes of a message, header included. */
  constructor(
    endpoint: Pick<OutEndpoint, "read" | "maxPacketSize">,
    longest: number,
  ) {
    this.#endpoint = endpoint;
    this.#longest = longest;
  }

  /** The next message; what has no whole header is dropped. */
  async next(): Promise<CommandMessage> {
    for (;;) {
      const packet = this.#endpoint.maxPacketSize;
      const first = await this.#endpoint.read(packet);
      const isLast = first.byteLength < packet;
      // A zero-length packet after a message, or garbage.
      if (first.byteLength < HEADER_SIZE) continue;
      const wanted = HEADER_SIZE + dataLengthOf(first);
      const isLie = wanted > this.#longest || first.byteLength > wanted ||
        isLast && first.byteLength < wanted;
      if (isLie) {
        if (!isLast) await this.#drop();
        return decodeCommand(first.subarray(0, HEADER_SIZE), false);
      }
      if (first.byteLength === wanted) return decodeCommand(first, true);
      return await this.#rest(first, wanted);
    }
  }

  /** Receives what is missing of a message. */
  async #rest(
    first: Uint8Array<ArrayBuffer>,
    wanted: number,
  ): Promise<CommandMessage> {
    const packet = this.#endpoint.maxPacketSize;
    const missing = wanted - first.byteLength;
    const size = Math.ceil(missing / packet) * packet;
    const rest = await this.#endpoint.read(size);
    if (rest.byteLength !== missing) {
      if (rest.byteLength === size) await this.#drop();
      const last = rest.subarray(rest.byteLength - rest.byteLength % packet);
      return isMessage(last)
        ? decodeCommand(last, true)
        : decodeCommand(first.subarray(0, HEADER_SIZE), false);
    }
    const bytes = new Uint8Array(wanted);
    bytes.set(first);
    bytes.set(rest, first.byteLength);
    return decodeCommand(bytes, true);
  }

  /** Drops the rest of a transfer. */
  async #drop(): Promise<void> {
    for (;;) {
      const { byteLength } = await this.#endpoint.read(REST);
      if (byteLength < REST) return;
    }
  }
}

/** Whether a packet is a message of its own. */
function isMessage(packet: Uint8Array<ArrayBuffer>): boolean {
  return packet.byteLength >= HEADER_SIZE &&
    packet.byteLength === HEADER_SIZE + dataLengthOf(packet) &&
    (Object.values(CommandType) as number[]).includes(packet[0]);
}
