/**
 * What is asked for ahead of the reader of a stream.
 *
 * Requests are asked for in a row, and read in the same order. Each is a *slot*
 * of memory of its own. There are never more than `depth` slots, those included
 * that have come and were not read: when the reader stops, the kernel has
 * nothing to receive into any more, and the controller answers NAK.
 *
 * A kernel request ends when it is full or when a short packet comes. One that
 * is larger than a packet holds back full packets until the host sends more,
 * and what a request has received that is cancelled FunctionFS does not hand
 * over. There is no way to look into it. So by default each slot is one
 * packet, as with the kernel's own serial function (`gs_alloc_requests()` in
 * `u_serial.c`), and packets that have come together are read together.
 *
 * A reader that brings its own memory (BYOB) gets a request into that. Nothing
 * is asked for ahead of it, since it would have to be copied.
 *
 * @module
 */
import { Errno } from "../../../ffi/errno.ts";
import { appendAll, prependAll } from "../transfer/append.ts";
import { DirectRead } from "./direct_read.ts";
import { PacketSizes } from "../endpoint/packet_sizes.ts";
import type { ReadOwner } from "./read_request.ts";
import { ReadSlot } from "./read_slot.ts";
import { ReadSlots } from "./read_slots.ts";
import { transferError } from "../transfer/error.ts";
import type { TransferQueue } from "../transfer/queue.ts";
import { MAX_REQUEST_SIZE } from "../endpoint/write.ts";

/** What it needs of its endpoint. */
export interface ReadAheadSource {
  readonly name: string;
  readonly path: string;
  /** Of the current connection. */
  readonly maxPacketSize: number;
  readonly packetSizes: PacketSizes;
  readonly queue: TransferQueue;
  /** Resolves when no other reader's requests are with the kernel any more. */
  ready(): Promise<void>;
}

/** How much it asks for. */
export interface ReadAheadOptions {
  /** Slots. */
  readonly depth: number;
  /** Bytes of a slot, whole packets of every speed; undefined for one packet. */
  readonly transferSize: number | undefined;
  /** Whether it goes on in the next connection when one ends. */
  readonly resumes: boolean;
  /** The end of the one before. */
  readonly after: Promise<void> | undefined;
}

/** Takes what the host sends, in the order of the host. */
export class ReadAhead implements ReadOwner {
  readonly #source: ReadAheadSource;
  readonly #options: ReadAheadOptions;
  /** What the endpoint keeps for whoever reads next. */
  readonly #kept: Uint8Array<ArrayBuffer>[];
  /** What it had kept, and comes first. */
  readonly #first: Uint8Array<ArrayBuffer>[] = [];
  readonly #slots: ReadSlots;
  /** The request into a reader's own memory, if that is under way. */
  #direct: DirectRead | undefined;
  /** The connection in which it has begun; undefined before the first read. */
  #connection: number | undefined;
  #over = false;
  #cancelled = false;
  #failure: Error | undefined;
  #waiters: (() => void)[] = [];
  readonly #finished = Promise.withResolvers<void>();

  /**
   * @param source The endpoint.
   * @param kept What the endpoint keeps for whoever reads next: it comes first,
   * and what is left over in the end is put there.
   */
  constructor(
    source: ReadAheadSource,
    kept: Uint8Array<ArrayBuffer>[],
    options: ReadAheadOptions,
  ) {
    this.#source = source;
    this.#kept = kept;
    this.#options = options;
    const { transferSize } = options;
    const size = transferSize ?? source.packetSizes.largest;
    const isPacket = transferSize === undefined;
    this.#slots = new ReadSlots(() =>
      new ReadSlot(this, source.queue, size, isPacket)
    );
  }

  /**
   * Resolves when there is nothing to read any more and nothing will come:
   * then {@linkcode take} and {@linkcode fill} tell the end at once.
   */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /**
   * Takes what has come, and asks for more. Costs a reader that comes again and
   * again much less than {@linkcode take}.
   *
   * @returns An array that owns its memory, or `undefined` if there is nothing
   * to be had without waiting.
   */
  takeNow(): Uint8Array<ArrayBuffer> | undefined {
    return this.#over || !this.#hasBegun ? undefined : this.#collect();
  }

  /**
   * Takes what has come; waits until there is something, and asks for more.
   *
   * @returns An array that owns its memory, or `undefined` at the end.
   * @throws What the kernel reports, after what had come before.
   */
  async take(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    await this.#begin();
    for (;;) {
      const bytes = this.#collect();
      if (bytes !== undefined) return bytes;
      if (this.#isFinished()) return this.#tellEnd();
      await this.#change();
    }
  }

  /**
   * Fills a reader's memory, as far as what comes at once does; waits until
   * there is something.
   *
   * @param memory Belongs to the kernel until the promise settles.
   * @returns How many bytes, or `undefined` at the end.
   * @throws What the kernel reports, after what had come before.
   */
  async fill(memory: Uint8Array<ArrayBuffer>): Promise<number | undefined> {
    await this.#begin();
    for (;;) {
      const count = this.#copyInto(memory);
      this.#settle();
      if (count > 0) return count;
      if (this.#isFinished()) return this.#tellEnd();
      if (this.#slots.length > 0 || this.#over) await this.#change();
      else if (!this.#canReceiveInto(memory)) this.#slots.ask(1);
      else {
        const read = new DirectRead(this.#source.queue, memory, this);
        this.#direct = read;
        const received = await read.ended;
        this.#direct = undefined;
        // The stream has let the reader's memory go.
        const unread = this.#cancelled && received > 0;
        if (unread) this.#first.push(memory.slice(0, received));
        this.#settle();
        if (received > 0 && !unread) return received;
      }
    }
  }

  /**
   * Stops asking. What has come already is left for the next reader.
   *
   * @returns A promise that resolves when the kernel has none of the requests.
   */
  cancel(): Promise<void> {
    this.#cancelled = true;
    this.#slots.endAt(undefined);
    this.#stop();
    this.#settle();
    return this.finished;
  }

  /** Takes back what it has given away, and nobody has got: for the next reader. */
  putBack(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.byteLength > 0) this.#kept.unshift(bytes);
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

  /** @ignore Bytes to ask for into `room` bytes, at the speed of now. */
  requestSize(room: number): number {
    const packet = this.#source.maxPacketSize;
    const wanted = this.#options.transferSize ?? packet;
    return PacketSizes.request(wanted, packet, MAX_REQUEST_SIZE, room);
  }

  /** @ignore */
  get resumes(): boolean {
    return this.#options.resumes && !this.#over;
  }

  /** @ignore A request has ended; those of slots end in order. */
  onEnd(result: number | Error, slot?: ReadSlot): void {
    if (typeof result !== "number" || result < 0) {
      const quiet = result === -Errno.ECANCELED || result === -Errno.ESHUTDOWN;
      if (!this.#over && !quiet) {
        this.#failure = transferError({
          action: "read from",
          endpoint: this.#source,
          result,
          signal: undefined,
          transferred: 0,
        });
      }
      // What comes behind it belongs to another connection, or to nobody yet.
      if (!this.#over && slot !== undefined) this.#slots.endAt(slot);
      this.#stop();
    } else if (result === 0 && !this.#over) {
      // A zero-length packet ends a transfer, and adds nothing to a stream.
      this.#slots.ask(this.#slots.length);
    }
    this.#settle();
    this.#wake();
  }

  /** Whether it has asked, and nothing of another reader can come between. */
  get #hasBegun(): boolean {
    return this.#connection !== undefined && this.#slots.length > 0;
  }

  async #begin(): Promise<void> {
    if (this.#hasBegun || this.#over) return;
    this.#connection ??= this.#source.queue.nextConnection;
    await this.#options.after;
    await this.#source.ready();
    if (!this.#over) appendAll(this.#first, this.#kept.splice(0));
  }

  /** Resolves when something has come, or has ended. */
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

  /** After the end: leaves what is not for this stream to the next reader. */
  #settle(): void {
    if (!this.#over || this.#direct !== undefined) return;
    if (this.#slots.areUnderWay) return;
    prependAll(this.#kept, this.#slots.takeRest());
    if (this.#cancelled) prependAll(this.#kept, this.#first.splice(0));
    if (this.#first.length + this.#slots.length === 0) this.#finished.resolve();
  }

  /** Whether nothing will come any more, and everything was read. */
  #isFinished(): boolean {
    if (!this.#over) return false;
    this.#settle();
    return this.#direct === undefined &&
      this.#first.length + this.#slots.length === 0;
  }

  #tellEnd(): undefined {
    if (this.#failure !== undefined) throw this.#failure;
    return undefined;
  }

  /** Takes what there is, and asks for as much again. */
  #collect(): Uint8Array<ArrayBuffer> | undefined {
    const bytes = this.#shiftFirst() ?? this.#slots.collect();
    if (this.#over) this.#settle();
    else this.#slots.ask(this.#options.depth);
    return bytes;
  }

  #shiftFirst(): Uint8Array<ArrayBuffer> | undefined {
    for (;;) {
      const bytes = this.#first.shift();
      // A zero-length packet is nothing in a stream.
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

  /** Whether the kernel may write into a reader's memory, at any speed. */
  #canReceiveInto({ buffer, byteLength }: Uint8Array<ArrayBuffer>): boolean {
    return !buffer.resizable && byteLength >= this.#source.packetSizes.largest;
  }
}
