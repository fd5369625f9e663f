/**
 * The sizes of packets and kernel requests.
 *
 * @module
 */
import type { CompiledEndpoint } from "../../compile/compile.ts";
import type { FunctionSpeed } from "../../usb/speed.ts";

/**
 * The largest kernel request. FunctionFS copies each one into contiguous
 * memory: above 4 MiB that always fails, and large pieces become scarce over
 * time.
 */
export const MAX_REQUEST_SIZE = 1 << 20;

/** What packet sizes depend on. */
export type SizedEndpoint = Pick<
  CompiledEndpoint,
  "transferType" | "maxPacketSize" | "bytesPerInterval"
>;

/**
 * The packet sizes of an endpoint at all of its speeds. An isochronous endpoint
 * has one size: what can arrive in one interval, in whole packets.
 */
export class PacketSizes {
  readonly #sizes: readonly number[];
  /** Bytes of a full packet at the speed with the largest ones. */
  readonly largest: number;
  readonly #common: number;
  readonly #isochronous: boolean;

  /** For the speeds that an endpoint has descriptors for. */
  constructor(endpoint: SizedEndpoint) {
    this.#isochronous = endpoint.transferType === "isochronous";
    this.#sizes = this.#isochronous
      ? [largestInterval(endpoint)]
      : Object.values(endpoint.maxPacketSize);
    this.largest = Math.max(...this.#sizes);
    this.#common = this.#sizes.reduce(leastCommonMultiple);
  }

  /**
   * Whether a kernel request for `size` bytes never receives more than that, at
   * any speed.
   */
  areWhole(size: number): boolean {
    // An isochronous request receives the data of one interval.
    return this.#isochronous ? size >= this.largest : size % this.#common === 0;
  }

  /** The next size for which {@linkcode areWhole} is true. */
  roundUp(size: number): number {
    return this.#isochronous
      ? Math.max(size, this.largest)
      : Math.ceil(size / this.#common) * this.#common;
  }

  /** The last size up to this one for which {@linkcode areWhole} is true, or 0. */
  roundDown(size: number): number {
    return Math.max(0, Math.floor(size / this.#common) * this.#common);
  }

  /**
   * The smallest request in whole packets of every speed; if it is too large,
   * in whole packets of `packet` bytes.
   */
  smallestRequest(packet: number): number {
    return this.#common <= MAX_REQUEST_SIZE ? this.#common : packet;
  }

  /** The largest such request. */
  largestRequest(packet: number): number {
    const step = this.smallestRequest(packet);
    return Math.floor(MAX_REQUEST_SIZE / step) * step;
  }

  /** Bytes of memory for `size` bytes in whole packets of every speed. */
  room(size: number): number {
    return Math.max(
      ...this.#sizes.map((packet) => Math.ceil(size / packet) * packet),
    );
  }

  /**
   * The size of a request for `wanted` bytes, in whole packets at the current
   * speed: any other size would lose data.
   *
   * @param packet Bytes of a full packet.
   * @param room Bytes of memory.
   */
  static request(wanted: number, packet: number, room: number): number {
    const length = wanted > MAX_REQUEST_SIZE
      ? Math.floor(MAX_REQUEST_SIZE / packet) * packet
      : Math.ceil(wanted / packet) * packet;
    // Never beyond the end of the memory, whatever the sizes are.
    return Math.min(length, Math.floor(room / packet) * packet);
  }
}

/** The most that can arrive in one interval at any speed, in whole packets. */
function largestInterval(
  { maxPacketSize, bytesPerInterval }: SizedEndpoint,
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
