/**
 * The calls that wait for data from the host.
 *
 * @module
 */
import { transferError } from "../transfer/error.ts";
import {
  MAX_REQUEST_SIZE,
  type PacketSizes,
} from "../transfer/packet_sizes.ts";
import type { KernelRequest, RequestPort } from "../transfer/request.ts";
import type { SessionLife } from "../session.ts";
import type { Kept } from "./kept.ts";
import type { SpareMemory } from "./spare_memory.ts";

/** What reading needs from an endpoint. */
export interface ReadPort {
  readonly name: string;
  readonly path: string;
  /** Of the current connection. */
  readonly maxPacketSize: number;
  readonly packetSizes: PacketSizes;
  readonly queue: RequestPort;
}

/** The queue of a reader. */
export interface ReaderQueue {
  readonly port: ReadPort;
  readonly spareMemory: SpareMemory;
  /** The reader's signal is aborted. */
  abort(reader: Reader): void;
}

/** What ends a reader early. */
export interface ReaderLife {
  readonly signal?: AbortSignal;
  /** The only connection that it may receive from. */
  readonly session?: SessionLife;
}

/** How a reader settles the promise of its call. */
export interface Settlers<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** A call that waits for data. */
export abstract class Reader implements EventListenerObject {
  /** Whether it takes bytes as they come, not the result of its own request. */
  abstract readonly takesBytes: boolean;
  readonly session: SessionLife | undefined;
  /** Its own kernel request, if any. */
  request: KernelRequest | undefined;
  protected readonly queue: ReaderQueue;
  /** The connection in which its first bytes came. */
  connection = 0;
  protected filled = 0;
  readonly #signal: AbortSignal | undefined;
  readonly #reject: (reason: unknown) => void;

  constructor(
    queue: ReaderQueue,
    { signal, session }: ReaderLife,
    reject: (reason: unknown) => void,
  ) {
    this.queue = queue;
    this.session = session;
    this.#signal = signal;
    this.#reject = reject;
    signal?.addEventListener("abort", this);
  }

  /** The signal is aborted. */
  handleEvent(): void {
    this.queue.abort(this);
  }

  /** Takes what it wants of the data; returns whether it has enough. */
  abstract take(kept: Kept): boolean;

  /** The data received, for the next reader. */
  abstract received(): Bytes;

  /** Resolves the call with what it has received. */
  abstract finish(): void;

  /** Rejects the call; see `RequestOwner.onEnd`. */
  fail(result: number | Error): void {
    this.release();
    this.#reject(transferError({
      action: "read from",
      endpoint: this.queue.port,
      result,
      signal: this.#signal,
      session: this.session,
      transferred: this.filled,
    }));
  }

  /** Stops listening to the signal. */
  protected release(): void {
    this.#signal?.removeEventListener("abort", this);
  }

  /** @throws {RangeError} If there is not that much memory. */
  protected allocate(size: number): Bytes {
    try {
      return new Uint8Array(size);
    } catch (cause) {
      const { name } = this.queue.port;
      const message =
        `Cannot read from endpoint "${name}": there is no memory for ${size} bytes`;
      throw new RangeError(message, { cause });
    }
  }
}

/** Waits until bytes have come, and leaves them where they are. */
export class ArrivalReader extends Reader {
  override readonly takesBytes = true;
  readonly #resolve: () => void;

  constructor(
    queue: ReaderQueue,
    life: ReaderLife,
    { resolve, reject }: Settlers<void>,
  ) {
    super(queue, life, reject);
    this.#resolve = resolve;
  }

  override take(): boolean {
    this.#resolve();
    return false;
  }

  override received(): Bytes {
    return NOTHING;
  }

  override finish(): void {}
}

/** Collects exactly as many bytes as its call asks for. */
export class ExactReader extends Reader {
  override readonly takesBytes = true;
  readonly #resolve: (bytes: Bytes) => void;
  readonly #memory: Bytes;

  constructor(
    queue: ReaderQueue,
    size: number,
    life: ReaderLife,
    { resolve, reject }: Settlers<Bytes>,
  ) {
    super(queue, life, reject);
    this.#resolve = resolve;
    this.#memory = this.allocate(size);
  }

  /** Bytes still wanted. */
  get missing(): number {
    return this.#memory.byteLength - this.filled;
  }

  override take(kept: Kept): boolean {
    if (this.filled === 0) this.connection = kept.first!.connection;
    this.filled += kept.copyInto(this.#memory.subarray(this.filled));
    return this.missing === 0;
  }

  override received(): Bytes {
    return this.#memory.subarray(0, this.filled);
  }

  override finish(): void {
    this.release();
    this.#resolve(this.#memory);
  }
}

/** Results up to this size are copied, to avoid keeping a large array alive. */
const COPY_BELOW = 1024;

/** Receives one transfer. */
export class TransferReader extends Reader {
  override readonly takesBytes = false;
  readonly #resolve: (bytes: Bytes) => void;
  /** The most bytes to receive. */
  readonly size: number;
  /** Its signal was aborted while it could not end at once. */
  aborted = false;
  /** The caller's memory, transferred. */
  readonly #target: Bytes | undefined;
  /** Where data is collected. */
  #memory: Bytes | undefined;
  /** What nothing else refers to when the result has been copied from it. */
  #spare: Bytes | undefined;

  /** @param sizeOrTarget Bytes wanted, or the memory to fill. */
  constructor(
    queue: ReaderQueue,
    sizeOrTarget: number | Bytes,
    life: ReaderLife,
    { resolve, reject }: Settlers<Bytes>,
  ) {
    super(queue, life, reject);
    this.#resolve = resolve;
    if (typeof sizeOrTarget === "number") {
      this.size = sizeOrTarget;
    } else {
      this.size = sizeOrTarget.byteLength;
      this.#target = sizeOrTarget;
    }
    // Here, where a failure affects this reader only.
    if (this.size > MAX_REQUEST_SIZE) this.#memory = this.#makeMemory();
  }

  /** Bytes still wanted. */
  get missing(): number {
    return this.size - this.filled;
  }

  /** Whether the kernel has the caller's memory: no other reader may get it. */
  get lends(): boolean {
    return this.request !== undefined && this.#memory === this.#target;
  }

  /** Gives up its request and the request's memory. */
  letGo(): void {
    this.request = undefined;
    this.#spare = undefined;
    // The rest of the memory goes with the request.
    this.#memory = this.filled === 0 ? undefined : this.#memory!.slice();
  }

  /** Memory for the bytes still wanted, in whole packets at every speed. */
  nextMemory(): Bytes {
    this.#memory ??= this.#makeMemory();
    return this.filled === 0
      ? this.#memory
      : this.#memory.subarray(this.filled);
  }

  /**
   * Its request has received data, into {@linkcode nextMemory}.
   *
   * @returns What came beyond its size.
   */
  receive(bytes: Bytes): Bytes {
    const count = Math.min(bytes.byteLength, this.missing);
    this.filled += count;
    // Copied, because the receiver of the result may detach its memory.
    return bytes.byteLength > count ? bytes.slice(count) : NOTHING;
  }

  /** Data that came before is a transfer of its own. */
  override take(kept: Kept): boolean {
    const { memory } = kept.first!;
    const bytes = kept.takeFirst(this.missing);
    if (this.#memory === undefined && this.#target === undefined) {
      this.#memory = bytes;
      // Unless it is a copy, and the arrival is still there.
      if (bytes.buffer === memory?.buffer) this.#spare = memory;
    } else {
      this.#memory ??= this.#makeMemory();
      this.#memory.set(bytes, this.filled);
    }
    this.filled += bytes.byteLength;
    return true;
  }

  override received(): Bytes {
    return this.filled === 0 ? NOTHING : this.#memory!.slice(0, this.filled);
  }

  override finish(): void {
    this.release();
    const { filled } = this;
    const memory = this.#memory ?? NOTHING;
    if (this.#target !== undefined) {
      if (memory !== this.#target) {
        this.#target.set(memory.subarray(0, filled));
        this.#giveBack();
      }
      this.#resolve(firstOf(this.#target, filled));
    } else if (filled <= COPY_BELOW) {
      this.#resolve(memory.slice(0, filled));
      this.#giveBack();
    } else {
      this.#resolve(firstOf(memory, filled));
    }
  }

  #giveBack(): void {
    if (this.#spare !== undefined) this.queue.spareMemory.give(this.#spare);
  }

  #makeMemory(): Bytes {
    const { packetSizes } = this.queue.port;
    const room = packetSizes.areWhole(this.size)
      ? this.size
      : packetSizes.room(this.size);
    if (this.#target !== undefined && room === this.size) return this.#target;
    return this.#spare = this.queue.spareMemory.take(room) ??
      this.allocate(room);
  }
}

/** The first bytes of an array: another view, unless that is all of it. */
function firstOf(bytes: Bytes, count: number): Bytes {
  return count === bytes.byteLength ? bytes : bytes.subarray(0, count);
}

const NOTHING = new Uint8Array(0);
