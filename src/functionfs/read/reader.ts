/**
 * One call of `OutEndpoint.read` that waits for data.
 *
 * @module
 */
import { transferError } from "../transfer/error.ts";
import type { TransferOptions } from "../transfer/options.ts";
import {
  MAX_REQUEST_SIZE,
  type PacketSizes,
} from "../transfer/packet_sizes.ts";
import type { KernelRequest, RequestPort } from "../transfer/request.ts";

/** What reading needs from an endpoint. */
export interface ReadPort {
  readonly name: string;
  readonly path: string;
  /** Of the current connection. */
  readonly maxPacketSize: number;
  readonly packetSizes: PacketSizes;
  readonly queue: RequestPort;
  /** Data for the next reader. */
  readonly kept: Uint8Array<ArrayBuffer>[];
}

/** The queue of a reader. */
export interface ReaderQueue {
  /** The reader's signal is aborted. */
  abort(reader: Reader): void;
}

/** Results up to this size are copied, to avoid keeping a large array alive. */
const COPY_BELOW = 1024;

/** A call that waits for data. */
export class Reader implements EventListenerObject {
  /** The most bytes to receive. */
  readonly size: number;
  /** Whether it keeps waiting when its connection ends. */
  readonly resumes: boolean;
  /** The first connection in which data for it can arrive. */
  readonly connection: number;
  /** The kernel request into its own memory, if any. */
  request: KernelRequest | undefined;
  /** Its signal was aborted while it could not end at once. */
  aborted = false;
  readonly #queue: ReaderQueue;
  readonly #port: ReadPort;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly #reject: (reason: unknown) => void;
  /** The caller's memory, transferred. */
  readonly #target: Uint8Array<ArrayBuffer> | undefined;
  /** Where data is collected. */
  #memory: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;

  /**
   * @param sizeOrTarget Bytes wanted, or the memory to fill.
   * @throws {RangeError} If that much memory is not available.
   */
  constructor(
    queue: ReaderQueue,
    port: ReadPort,
    sizeOrTarget: number | Uint8Array<ArrayBuffer>,
    { signal, reconnect }: TransferOptions,
    resolve: (bytes: Uint8Array<ArrayBuffer>) => void,
    reject: (reason: unknown) => void,
  ) {
    if (typeof sizeOrTarget === "number") {
      this.size = sizeOrTarget;
    } else {
      this.size = sizeOrTarget.byteLength;
      this.#target = sizeOrTarget;
    }
    this.resumes = reconnect !== "end";
    this.connection = port.queue.nextConnection;
    this.#queue = queue;
    this.#port = port;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    // Here, where a failure affects this reader only.
    if (this.size > MAX_REQUEST_SIZE) this.#memory = this.#makeMemory();
    signal?.addEventListener("abort", this);
  }

  /** The signal is aborted. */
  handleEvent(): void {
    this.#queue.abort(this);
  }

  /** Bytes still wanted. */
  get remaining(): number {
    return this.size - this.#filled;
  }

  /** Whether the kernel has the caller's memory: no other reader may get it. */
  get lends(): boolean {
    return this.request !== undefined && this.#memory === this.#target;
  }

  /** Gives up its request and the request's memory. */
  letGo(): void {
    this.request = undefined;
    if (this.#filled === 0) this.#memory = undefined;
  }

  /** Memory for the bytes still wanted, in whole packets at every speed. */
  nextMemory(): Uint8Array<ArrayBuffer> {
    this.#memory ??= this.#makeMemory();
    return this.#filled === 0
      ? this.#memory
      : this.#memory.subarray(this.#filled);
  }

  /**
   * Takes as much of the data as it wants.
   *
   * @param own Whether the data is in the memory of {@linkcode nextMemory}.
   * @returns A copy of the rest.
   */
  receive(
    bytes: Uint8Array<ArrayBuffer>,
    own: boolean,
  ): Uint8Array<ArrayBuffer> {
    const count = Math.min(bytes.byteLength, this.remaining);
    if (own) {
      // It is in place already.
    } else if (this.#target === undefined && this.size <= MAX_REQUEST_SIZE) {
      // No more data will arrive: this memory is as good as any.
      this.#memory = bytes;
    } else {
      this.#memory ??= this.#makeMemory();
      this.#memory.set(bytes.subarray(0, count), this.#filled);
    }
    this.#filled += count;
    // Copied, because the receiver of the result may detach its memory.
    return bytes.byteLength > count ? bytes.slice(count) : NOTHING;
  }

  #makeMemory(): Uint8Array<ArrayBuffer> {
    const { packetSizes, name } = this.#port;
    const room = packetSizes.areWhole(this.size)
      ? this.size
      : packetSizes.room(this.size);
    if (this.#target !== undefined && room === this.size) return this.#target;
    try {
      return new Uint8Array(room);
    } catch (cause) {
      const message =
        `Cannot read from endpoint "${name}": there is no memory for ${room} bytes`;
      throw new RangeError(message, { cause });
    }
  }

  /** A copy of the data received. */
  received(): Uint8Array<ArrayBuffer> {
    return this.#filled === 0 ? NOTHING : this.#memory!.slice(0, this.#filled);
  }

  /** Resolves the call with the data received. */
  finish(): void {
    this.#signal?.removeEventListener("abort", this);
    const filled = this.#filled;
    const memory = this.#memory ?? NOTHING;
    if (this.#target !== undefined) {
      if (memory !== this.#target) {
        this.#target.set(memory.subarray(0, filled));
      }
      this.#resolve(
        filled === this.size ? this.#target : this.#target.subarray(0, filled),
      );
    } else if (filled <= COPY_BELOW) {
      this.#resolve(memory.slice(0, filled));
    } else {
      this.#resolve(
        filled === memory.byteLength ? memory : memory.subarray(0, filled),
      );
    }
  }

  /** Rejects the call; see `RequestOwner.onEnd`. */
  fail(result: number | Error): void {
    this.#signal?.removeEventListener("abort", this);
    this.#reject(transferError({
      action: "read from",
      endpoint: this.#port,
      result,
      signal: this.#signal,
      transferred: this.#filled,
    }));
  }
}

const NOTHING = new Uint8Array(0);
