/**
 * The packet sizes that an endpoint can have, and what fits into them.
 *
 * @module
 */
import type { CompiledEndpoint } from "../../compile/compile.ts";
import type { FunctionSpeed } from "../../usb/speed.ts";

/**
 * The packet sizes of an endpoint at all of its speeds. For an isochronous
 * one there is one size: what can come in one interval, in whole packets.
 */
export class PacketSizes {
  readonly #sizes: readonly number[];
  /** Bytes of a full packet at the speed where it is largest. */
  readonly largest: number;
  readonly #common: number;
  readonly #isochronous: boolean;

  /** Of the speeds that an endpoint has descriptors for. */
  constructor(endpoint: CompiledEndpoint) {
    this.#isochronous = endpoint.transferType === "isochronous";
    this.#sizes = this.#isochronous
      ? [largestInterval(endpoint)]
      : Object.values(endpoint.maxPacketSize);
    this.largest = Math.max(...this.#sizes);
    this.#common = this.#sizes.reduce(leastCommonMultiple);
  }

  /**
   * Whether a kernel request for `size` bytes never brings more than that, at
   * any speed.
   */
  areWhole(size: number): boolean {
    // An isochronous request brings what has come in one interval.
    return this.#isochronous ? size >= this.largest : size % this.#common === 0;
  }

  /** The next size for which {@linkcode areWhole} is true. */
  roundUp(size: number): number {
    return this.#isochronous
      ? Math.max(size, this.largest)
      : Math.ceil(size / this.#common) * this.#common;
  }

  /**
   * The most bytes up to `limit` that are whole packets at every speed. Where
   * there are none, at the speed with packets of `packet` bytes.
   */
  wholeUpTo(limit: number, packet: number): number {
    const step = this.#common <= limit ? this.#common : packet;
    return Math.floor(limit / step) * step;
  }

  /** Bytes of memory that hold whole packets for `size` bytes at every speed. */
  room(size: number): number {
    return Math.max(
      ...this.#sizes.map((packet) => Math.ceil(size / packet) * packet),
    );
  }

  /**
   * The most that may be asked for at once at the speed of now.
   *
   * @param wanted Bytes that are wanted.
   * @param limit Bytes that one request may have.
   * @param room Bytes of memory.
   */
  static request(
    wanted: number,
    packet: number,
    limit: number,
    room: number,
  ): number {
    const length = wanted > limit
      ? Math.floor(limit / packet) * packet
      : Math.ceil(wanted / packet) * packet;
    // Never behind the end of the memory, whatever the sizes are.
    return Math.min(length, Math.floor(room / packet) * packet);
  }
}

/** The most that one interval can bring at any speed, in whole packets. */
function largestInterval(
  { maxPacketSize, bytesPerInterval }: CompiledEndpoint,
): number {
  const speeds = Object.keys(maxPacketSize) as FunctionSpeed[];
  return Math.max(...speeds.map((speed) => {
    const packet = maxPacketSize[speed]!;
    return Math.ceil(bytesPerInterval[speed]! / packet) * packet;
  }));
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return a / x * b;
}
