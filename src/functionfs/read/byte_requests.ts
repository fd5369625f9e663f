/**
 * Kernel requests for bytes, no matter which calls will take them.
 *
 * @module
 */
import { addressOf } from "../../../ffi/memory.ts";
import type { KernelRequest, RequestOwner } from "../transfer/request.ts";
import { ExactReader, type Reader, type ReadPort } from "./reader.ts";

/** Makes such requests, and uses them again with their memory. */
export class ByteRequests {
  readonly #port: ReadPort;
  readonly #spare: KernelRequest[] = [];
  /** Bytes that those in the kernel can receive at most. */
  #expected = 0;

  constructor(port: ReadPort) {
    this.#port = port;
  }

  /**
   * Returns a request to push: for `size` bytes, by default one packet of the
   * current speed; or for more, if the first of the waiting calls lacks more
   * than has been requested.
   */
  take(
    owner: RequestOwner,
    size: number | undefined,
    first: Reader | undefined,
  ): KernelRequest {
    const { packetSizes: { largest }, queue } = this.#port;
    const room = this.#enough(size ?? largest, first);
    const request = this.#spare.pop() ?? queue.take(owner, NOTHING);
    if (request.memory.byteLength < room) {
      request.memory = new Uint8Array(room);
      request.address = addressOf(request.memory);
    }
    // Several packets of a slower connection would wait for each other.
    request.wanted = size === undefined && room === largest ? 1 : room;
    this.#expected += this.#mostOf(request);
    return request;
  }

  /** A request is no longer in the kernel. */
  end(request: KernelRequest): void {
    this.#expected -= this.#mostOf(request);
  }

  /** The data of a request that has ended is no longer needed. */
  give(request: KernelRequest): void {
    this.#spare.push(request);
  }

  /** How much it can receive at any speed. */
  #mostOf({ wanted }: KernelRequest): number {
    return Math.max(wanted, this.#port.packetSizes.largest);
  }

  #enough(size: number, first: Reader | undefined): number {
    if (!(first instanceof ExactReader)) return size;
    const { packetSizes } = this.#port;
    const lacking = Math.min(
      first.missing - this.#expected,
      packetSizes.largestRequest(packetSizes.largest),
    );
    return Math.max(size, packetSizes.roundDown(lacking));
  }
}

const NOTHING = new Uint8Array(0);
