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

/** What reading needs of an endpoint. */
export interface ReadPort {
  readonly name: string;
  readonly path: string;
  /** Of the current connection. */
  readonly maxPacketSize: number;
  readonly packetSizes: PacketSizes;
  readonly queue: RequestPort;
  /** Data that has come and is for the next reader. */
  readonly kept: Uint8Array<ArrayBuffer>[];
}

/** The queue of a reader. */
export interface ReaderQueue {
  /** The reader's signal is aborted. */
  abort(reader: Reader): void;
}

/** Results up to this size are copied, and do not keep a large array alive. */
const COPY_BELOW = 1024;

/** A call that waits for data. */
export class Reader implements EventListenerObject {
  /** Bytes that are wanted at most. */
  readonly size: number;
  /** Whether it waits on when its connection ends. */
  readonly resumes: boolean;
  /** The first connection in which data for it can come. */
  readonly connection: number;
  /** The kernel request into its own memory, if there is one. */
  request: KernelRequest | undefined;
  /** Its signal was aborted while it could not be ended at once. */
  aborted = false;
  readonly #queue: ReaderQueue;
  readonly #port: ReadPort;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly #reject: (reason: unknown) => void;
  /** The caller's memory, which was transferred. */
  readonly #target: Uint8Array<ArrayBuffer> | undefined;
  /** Where the data is collected. */
  #memory: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;

  /**
   * @param sizeOrTarget Bytes wanted, or the memory to fill.
   * @throws {RangeError} If there is no memory for so many bytes.
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
    // Here, where a failure concerns this reader only.
    if (this.size > MAX_REQUEST_SIZE) this.#memory = this.#makeMemory();
    signal?.addEventListener("abort", this);
  }

  /** The signal is aborted. */
  handleEvent(): void {
    this.#queue.abort(this);
  }

  /** Bytes that are wanted and have not come. */
  get remaining(): number {
    return this.size - this.#filled;
  }

  /** Whether the kernel has the caller's memory, which no other reader may get. */
  get lends(): boolean {
    return this.request !== undefined && this.#memory === this.#target;
  }

  /** Gives up its request, and the memory of that. */
  letGo(): void {
    this.request = undefined;
    if (this.#filled === 0) this.#memory = undefined;
  }

  /** Memory for what is still wanted, in whole packets of every speed. */
  nextMemory(): Uint8Array<ArrayBuffer> {
    this.#memory ??= this.#makeMemory();
    return this.#filled === 0
      ? this.#memory
      : this.#memory.subarray(this.#filled);
  }

  /**
   * Takes data, as much as is wanted.
   *
   * @param own Whether it is in the memory of {@linkcode nextMemory}.
   * @returns A copy of what is left.
   */
  receive(
    bytes: Uint8Array<ArrayBuffer>,
    own: boolean,
  ): Uint8Array<ArrayBuffer> {
    const count = Math.min(bytes.byteLength, this.remaining);
    if (own) {
      // It is in its place.
    } else if (this.#target === undefined && this.size <= MAX_REQUEST_SIZE) {
      // Nothing more will come: this memory is as good as any.
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

  /** A copy of what has been received. */
  received(): Uint8Array<ArrayBuffer> {
    return this.#filled === 0 ? NOTHING : this.#memory!.slice(0, this.#filled);
  }

  /** Resolves the call with what has come. */
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
