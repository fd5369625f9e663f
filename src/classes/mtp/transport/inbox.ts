/**
 * What the host sends: commands, and containers with data.
 *
 * A read of one packet always stands in the kernel for the next container. The
 * rest of one with data is read in pieces, of which the last one is as long as
 * the data: a host that sends no zero-length packet after it does not wait, and
 * one that sends it meets the read for the next container.
 *
 * A host that cancels a transaction stops anywhere, and may send its next command
 * before the reads for the rest are withdrawn. A command is shorter than a packet,
 * so it ends the read that has received the last of the old data, and is found at
 * that read's end. The kernel drops what a withdrawn read has received; so reads
 * are withdrawn one by one, the oldest first, and only if none before them had a
 * command.
 *
 * @module
 */
import { OperationCode } from "../protocol/codes.ts";
import {
  ContainerType,
  decodeHeader,
  decodeMessage,
  type Message,
} from "../protocol/container.ts";
import {
  type Chunk,
  type ChunkSource,
  DataContainer,
  dataLength,
} from "./incoming.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes that are received at once; a multiple of all packet sizes. */
const PIECE = 256 * 1024;
/** Reads for data that stand in the kernel. */
const DEPTH = 3;

/** Receives a transfer, of up to so many bytes or into memory. */
export type Receive = (
  sizeOrMemory: number | Bytes,
  signal: AbortSignal,
) => Promise<Bytes>;

/** What the host has sent. */
export type Arrival =
  | { readonly kind: "command"; readonly command: Message }
  | { readonly kind: "data"; readonly data: DataContainer }
  /** Something else. */
  | { readonly kind: "garbage" };

/** A read that is in the kernel. */
interface Read {
  readonly size: number;
  readonly arrived: Promise<Bytes>;
  withdraw(): void;
}

/** Operations with which a host begins anew, and numbers its transactions anew. */
const BEGINNINGS: readonly number[] = [
  OperationCode.GetDeviceInfo,
  OperationCode.OpenSession,
];

/** Receives containers in their order. */
export class Inbox implements ChunkSource {
  /** Bytes that the next data will have, if known. */
  announced: number | undefined;
  readonly #receive: Receive;
  readonly #packetSize: number;
  readonly #reads: Read[] = [];
  /** Memory that is used again. */
  readonly #free: Bytes[] = [];
  #container: DataContainer | undefined;
  /** Bytes of the container for which there are no reads yet. */
  #unrequested = 0;
  /** Whether the packet after the container is requested. */
  #isNextRequested = false;
  /** Whether everything is dropped up to the next command. */
  #isDraining = false;
  /** A command that was found behind old data. */
  #found: Message | undefined;
  /** What was received last. */
  #last: Chunk | undefined;
  #withdrawal: Promise<void> | undefined;
  #closed: Error | undefined;
  #lastTransaction: number | undefined;

  constructor(receive: Receive, packetSize: number) {
    this.#receive = receive;
    this.#packetSize = packetSize;
  }

  /** The transaction of the last command. */
  get lastTransaction(): number | undefined {
    return this.#lastTransaction;
  }

  /** Whether the host has begun another operation before the data of one has ended. */
  get hasNextCommand(): boolean {
    return this.#found !== undefined;
  }

  /** The next container, when the one before it has ended. */
  async next(): Promise<Arrival> {
    await this.#container?.ended;
    await this.#withdrawal;
    this.#container = undefined;
    for (;;) {
      if (this.#found !== undefined) {
        const command = this.#found;
        this.#found = undefined;
        return this.#command(command);
      }
      const chunk = await this.#take();
      const { bytes, ends } = chunk;
      if (this.#isDraining) {
        this.#found = this.#commandIn(bytes);
        this.reuse(bytes);
        continue;
      }
      // It has ended a transfer that ended on a packet border.
      if (bytes.byteLength === 0) continue;
      const header = decodeHeader(bytes);
      const length = header?.type === ContainerType.DATA
        ? dataLength(header, this.announced)
        : -1;
      if (header !== undefined && length >= 0) {
        const data = new DataContainer(this, header, length, chunk);
        this.#begin(data);
        return { kind: "data", data };
      }
      const message = decodeMessage(bytes);
      if (message?.type === ContainerType.COMMAND && ends) {
        return this.#command(message);
      }
      if (!ends) this.drain();
      this.#request();
      return { kind: "garbage" };
    }
  }

  /**
   * Withdraws the reads for data that is not complete. Resolves when that is done;
   * {@linkcode next} then returns the command after it.
   */
  async cut(reason: Error): Promise<void> {
    const container = this.#container;
    if (container !== undefined && !container.isOver) {
      this.#isDraining = true;
      // The container has not looked at it yet: what ends a transfer ends it, too.
      if (this.#last?.ends) this.#found = this.#commandIn(this.#last.bytes);
      this.#withdrawal = this.#withdraw();
      container.cut(reason);
    }
    await container?.ended;
    await this.#withdrawal;
  }

  /** Ends the container and {@linkcode next}: their reads are withdrawn otherwise. */
  close(reason: Error): void {
    this.#closed ??= reason;
    this.#container?.cut(reason);
  }

  /** Throws the reason if it is closed. */
  check(): void {
    if (this.#closed !== undefined) throw this.#closed;
  }

  /** @ignore */
  async chunk(): Promise<Chunk> {
    const chunk = await this.#take();
    this.#request();
    return chunk;
  }

  /** @ignore */
  reuse({ buffer }: Bytes): void {
    if (buffer.byteLength === PIECE && this.#free.length <= DEPTH) {
      this.#free.push(new Uint8Array(buffer));
    }
  }

  /** @ignore */
  async endHere({ bytes }: Chunk): Promise<void> {
    this.#found = this.#commandIn(bytes);
    this.#unrequested = 0;
    if (this.#found === undefined) await this.#withdraw();
  }

  /** @ignore */
  drain(): void {
    this.#isDraining = true;
  }

  #command(command: Message): Arrival {
    this.#isDraining = false;
    this.#lastTransaction = command.transactionId;
    this.#request();
    return { kind: "command", command };
  }

  #begin(container: DataContainer): void {
    this.#container = container;
    this.#last = undefined;
    const requested = this.#reads.reduce((sum, { size }) => sum + size, 0);
    this.#unrequested = container.missing - requested;
    this.#isNextRequested = false;
    this.#request();
  }

  /** Requests what comes next. */
  #request(): void {
    const reads = this.#reads;
    const container = this.#container;
    if (container === undefined || container.isOver) {
      if (reads.length > 0) return;
      return this.#read(this.#isDraining ? PIECE : this.#packetSize);
    }
    while (this.#unrequested > 0 && reads.length < DEPTH) {
      const packets = Math.ceil(this.#unrequested / this.#packetSize);
      const size = Math.min(PIECE, packets * this.#packetSize);
      this.#unrequested -= size;
      this.#read(size);
    }
    if (this.#unrequested <= 0 && !this.#isNextRequested) {
      this.#isNextRequested = true;
      this.#read(this.#packetSize);
    }
  }

  #read(size: number): void {
    const controller = new AbortController();
    const target = size === this.#packetSize
      ? size
      : (this.#free.pop() ?? new Uint8Array(PIECE)).subarray(0, size);
    const arrived = this.#receive(target, controller.signal);
    arrived.catch(() => {});
    const withdraw = () => controller.abort();
    this.#reads.push({ size, arrived, withdraw });
  }

  async #take(): Promise<Chunk> {
    this.check();
    this.#request();
    const [read] = this.#reads;
    let bytes: Bytes;
    try {
      bytes = await read.arrived;
    } catch (error) {
      throw this.#closed ?? error;
    }
    this.check();
    // The container that has asked for it was cut meanwhile.
    if (this.#reads[0] !== read) throw new Error("The read was withdrawn");
    this.#reads.shift();
    return this.#last = { bytes, ends: bytes.byteLength < read.size };
  }

  /** Withdraws all reads, up to one that has received a command. */
  async #withdraw(): Promise<void> {
    while (this.#found === undefined && this.#reads.length > 0) {
      const [read] = this.#reads;
      read.withdraw();
      const bytes = await read.arrived.catch(() => undefined);
      // Unless the container that was cut has taken it.
      if (this.#reads[0] === read) this.#reads.shift();
      if (bytes === undefined) continue;
      this.#found = this.#commandIn(bytes);
      this.reuse(bytes);
    }
  }

  /** A command of a later transaction in the last packet, which is a short one. */
  #commandIn(bytes: Bytes): Message | undefined {
    const size = bytes.byteLength;
    const message = decodeMessage(
      bytes.subarray(size - size % this.#packetSize),
    );
    if (message?.type !== ContainerType.COMMAND) return undefined;
    const last = this.#lastTransaction ?? message.transactionId - 1;
    const isLater = (message.transactionId - last | 0) > 0;
    return isLater || BEGINNINGS.includes(message.code) ? message : undefined;
  }
}
