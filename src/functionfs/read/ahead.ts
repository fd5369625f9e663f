/**
 * Requests queued ahead of the reader of a stream.
 *
 * They are queued and read in the same order. Each is a *slot* with its own
 * memory. There are never more than `depth` slots, including those with unread
 * data: when the reader stops, the kernel has no request to receive into, and
 * the controller answers NAK.
 *
 * A kernel request ends when it is full or when a short packet arrives. A
 * request larger than a packet holds back full packets until the host sends
 * more, and FunctionFS drops what a cancelled request has received. So by
 * default each slot is one packet, as in the kernel's own serial function
 * (`gs_alloc_requests()` in `u_serial.c`), and packets that arrive together are
 * read together.
 *
 * A reader that brings its own memory (BYOB) gets a request into that memory.
 * Nothing is queued ahead of it, since that data would have to be copied.
 *
 * @module
 */
import { Errno } from "../../../ffi/errno.ts";
import { transferError } from "../transfer/error.ts";
import { appendAll, prependAll } from "../transfer/fifo.ts";
import { PacketSizes } from "../transfer/packet_sizes.ts";
import type { ReadPort } from "./reader.ts";
import { DirectRead, ReadSlot, ReadSlots, type SlotOwner } from "./slots.ts";

/** How to read ahead. */
export interface ReadAheadOptions {
  /** Maximum number of slots. */
  readonly depth: number;
  /** Bytes per slot, whole packets at every speed; undefined for one packet. */
  readonly transferSize: number | undefined;
  /** Whether the stream continues in the next connection when one ends. */
  readonly resumes: boolean;
  /** Resolves when the kernel holds no requests of other readers. */
  readonly ready: () => Promise<void>;
}

/** Receives what the host sends, in order. */
export class ReadAhead implements SlotOwner {
  readonly #port: ReadPort;
  readonly #options: ReadAheadOptions;
  /** Data left over from earlier readers: it comes first. */
  readonly #first: Uint8Array<ArrayBuffer>[] = [];
  readonly #slots: ReadSlots;
  /** The request in flight into a reader's own memory. */
  #direct: DirectRead | undefined;
  /** The connection of the first read; undefined before that. */
  #connection: number | undefined;
  #over = false;
  #cancelled = false;
  #failure: Error | undefined;
  #waiters: (() => void)[] = [];
  readonly #finished = Promise.withResolvers<void>();

  /** Queues nothing before the first read. */
  constructor(port: ReadPort, options: ReadAheadOptions) {
    this.#port = port;
    this.#options = options;
    const { transferSize } = options;
    const size = transferSize ?? port.packetSizes.largest;
    const isPacket = transferSize === undefined;
    this.#slots = new ReadSlots(() =>
      new ReadSlot(this, port.queue, size, isPacket)
    );
  }

  /**
   * Resolves when everything has been read and no more data will arrive.
   * {@linkcode take} and {@linkcode fill} then return the end at once.
   */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /**
   * Takes the data that has arrived, and queues more requests. Much cheaper
   * than {@linkcode take}.
   *
   * @returns An array that owns its memory, or `undefined` if the reader has to
   * wait.
   */
  takeNow(): Uint8Array<ArrayBuffer> | undefined {
    return this.#over || !this.#hasBegun ? undefined : this.#collect();
  }

  /**
   * Waits for data, takes it, and queues more requests.
   *
   * @returns An array that owns its memory, or `undefined` at the end.
   * @throws What the kernel reports, after earlier data has been read.
   */
  async take(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    await this.#begin();
    for (;;) {
      const bytes = this.#collect();
      if (bytes !== undefined) return bytes;
      if (this.#isFinished()) return this.#end();
      await this.#change();
    }
  }

  /**
   * Waits for data, and fills a reader's memory with it.
   *
   * @param memory Belongs to the kernel until the promise settles.
   * @returns The number of bytes, or `undefined` at the end.
   * @throws What the kernel reports, after earlier data has been read.
   */
  async fill(memory: Uint8Array<ArrayBuffer>): Promise<number | undefined> {
    await this.#begin();
    for (;;) {
      const count = this.#copyInto(memory);
      this.#settle();
      if (count > 0) return count;
      if (this.#isFinished()) return this.#end();
      if (this.#slots.length > 0 || this.#over) await this.#change();
      else if (!this.#canReceiveInto(memory)) this.#slots.ask(1);
      else {
        const read = new DirectRead(this, this.#port.queue, memory);
        this.#direct = read;
        const received = await read.ended;
        this.#direct = undefined;
        // The stream has released the reader's memory.
        const unread = this.#cancelled && received > 0;
        if (unread) this.#first.push(memory.slice(0, received));
        this.#settle();
        if (received > 0 && !unread) return received;
      }
    }
  }

  /**
   * Stops reading. Unread data goes to the next reader. Resolves when the
   * kernel holds none of the requests.
   */
  cancel(): Promise<void> {
    this.#cancelled = true;
    this.#slots.endAt(undefined);
    this.#stop();
    this.#settle();
    return this.finished;
  }

  /** Takes back data that the reader did not get, for the next reader. */
  putBack(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.byteLength > 0) this.#port.kept.unshift(bytes);
  }

  /** A connection has ended. */
  onDisable(connection: number): void {
    if (this.#options.resumes || this.#connection === undefined) return;
    if (this.#connection <= connection) this.#stop();
  }

  /** The function is closed. */
  onClose(): void {
    this.#stop();
  }

  /** @ignore */
  requestSize(room: number): number {
    const packet = this.#port.maxPacketSize;
    const wanted = this.#options.transferSize ?? packet;
    return PacketSizes.request(wanted, packet, room);
  }

  /** @ignore */
  get resumes(): boolean {
    return this.#options.resumes && !this.#over;
  }

  /** @ignore Slots end in order. */
  onEnd(result: number | Error, slot?: ReadSlot): void {
    if (typeof result !== "number" || result < 0) {
      const quiet = result === -Errno.ECANCELED || result === -Errno.ESHUTDOWN;
      if (!this.#over && !quiet) {
        this.#failure = transferError({
          action: "read from",
          endpoint: this.#port,
          result,
          signal: undefined,
          transferred: 0,
        });
      }
      // Later data belongs to another connection or reader.
      if (!this.#over && slot !== undefined) this.#slots.endAt(slot);
      this.#stop();
    } else if (result === 0 && !this.#over) {
      // A zero-length packet ends a transfer, and adds nothing to a stream.
      this.#slots.ask(this.#slots.length);
    }
    this.#settle();
    this.#wake();
  }

  /** Whether it has queued requests, with no other reader's data in between. */
  get #hasBegun(): boolean {
    return this.#connection !== undefined && this.#slots.length > 0;
  }

  async #begin(): Promise<void> {
    if (this.#hasBegun || this.#over) return;
    this.#connection ??= this.#port.queue.nextConnection;
    await this.#options.ready();
    if (!this.#over) appendAll(this.#first, this.#port.kept.splice(0));
  }

  /** Resolves when a request has ended. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  #stop(): void {
    if (!this.#over) {
      this.#over = true;
      this.#direct?.cancel();
      this.#slots.cancel();
      this.#settle();
    }
    this.#wake();
  }

  /** After the end: leaves data not for this stream to the next reader. */
  #settle(): void {
    if (!this.#over || this.#direct !== undefined) return;
    if (this.#slots.areUnderWay) return;
    prependAll(this.#port.kept, this.#slots.takeRest());
    if (this.#cancelled) prependAll(this.#port.kept, this.#first.splice(0));
    if (this.#first.length + this.#slots.length === 0) this.#finished.resolve();
  }

  /** Whether everything has been read and no more data will arrive. */
  #isFinished(): boolean {
    if (!this.#over) return false;
    this.#settle();
    return this.#direct === undefined &&
      this.#first.length + this.#slots.length === 0;
  }

  #end(): undefined {
    if (this.#failure !== undefined) throw this.#failure;
    return undefined;
  }

  /** Takes the data that has arrived, and queues as many slots again. */
  #collect(): Uint8Array<ArrayBuffer> | undefined {
    const bytes = this.#shiftFirst() ?? this.#slots.collect();
    if (this.#over) this.#settle();
    else this.#slots.ask(this.#options.depth);
    return bytes;
  }

  #shiftFirst(): Uint8Array<ArrayBuffer> | undefined {
    for (;;) {
      const bytes = this.#first.shift();
      // A zero-length packet adds nothing to a stream.
      if (bytes?.byteLength !== 0) return bytes;
    }
  }

  #copyInto(memory: Uint8Array<ArrayBuffer>): number {
    const first = this.#shiftFirst();
    if (first !== undefined) {
      const count = Math.min(first.byteLength, memory.byteLength);
      memory.set(first.subarray(0, count));
      if (count < first.byteLength) this.#first.unshift(first.slice(count));
      return count;
    }
    return this.#slots.copyInto(memory);
  }

  /** Whether the kernel may write into a reader's memory at every speed. */
  #canReceiveInto({ buffer, byteLength }: Uint8Array<ArrayBuffer>): boolean {
    return !buffer.resizable && byteLength >= this.#port.packetSizes.largest;
  }
}
