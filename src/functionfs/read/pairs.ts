/**
 * Readers of transfers, and the kernel requests for them.
 *
 * @module
 */
import { Fifo } from "../transfer/fifo.ts";
import {
  MAX_REQUEST_SIZE,
  type PacketSizes,
} from "../transfer/packet_sizes.ts";
import type { KernelRequest } from "../transfer/request.ts";
import { type Reader, TransferReader } from "./reader.ts";

/** Two queues in the same order: what has the same place belongs together. */
export class ReadPairs {
  /** Calls that wait for data. */
  readonly readers = new Fifo<Reader>();
  /** Requests; those beyond the last reader are ahead of readers. */
  readonly requests = new Fifo<KernelRequest>();
  readonly #packetSizes: PacketSizes;
  /** Whether every request is known to fit its reader. */
  #allFitSurely = true;

  constructor(packetSizes: PacketSizes) {
    this.#packetSizes = packetSizes;
  }

  /** Adds a reader. */
  add(reader: Reader): void {
    // It may meet a request that is ahead of readers.
    if (this.requests.length > this.readers.length) this.change();
    this.readers.push(reader);
  }

  /** Others have come to stand side by side. */
  change(): void {
    this.#allFitSurely = false;
  }

  /** The first place of a request that is not for its reader, or -1. */
  firstMisfit(): number {
    if (this.#allFitSurely) return -1;
    const count = Math.min(this.readers.length, this.requests.length);
    for (let index = 0; index < count; index++) {
      if (!fits(this.requests.at(index)!, this.readers.at(index)!)) {
        return index;
      }
    }
    this.#allFitSurely = true;
    return -1;
  }

  /** Whether a reader may leave data behind, or needs several requests. */
  isAlone(index: number): boolean {
    const reader = this.readers.at(index);
    return !(reader instanceof TransferReader) ||
      reader.size > MAX_REQUEST_SIZE ||
      !this.#packetSizes.areWhole(reader.size);
  }

  /**
   * Passes the requests from `index` on to the readers behind it, so that the
   * last one is ahead of readers. Returns whether that is possible.
   */
  moveUp(index: number): boolean {
    const last = Math.min(this.readers.length, this.requests.length);
    for (let at = index; at < last; at++) {
      const reader = this.readers.at(at) as TransferReader;
      const next = this.readers.at(at + 1);
      if (reader.lends || reader.size > MAX_REQUEST_SIZE) return false;
      // Behind the end of a session, it could swallow what is not for it.
      if (next === undefined && reader.session !== undefined) return false;
      if (next !== undefined && !fits(this.requests.at(at)!, next)) {
        return false;
      }
    }
    for (let at = index; at < last; at++) {
      (this.readers.at(at) as TransferReader).letGo();
    }
    return true;
  }
}

/** Whether a request is what a reader would ask for. */
function fits(request: KernelRequest, reader: Reader): boolean {
  return request === reader.request ||
    reader instanceof TransferReader && request.wanted === reader.missing;
}
