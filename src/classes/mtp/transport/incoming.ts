/**
 * Data that the host sends in a container.
 *
 * @module
 */
import {
  type ContainerHeader,
  HEADER_SIZE,
  UNKNOWN_LENGTH,
} from "../protocol/container.ts";
import { ResponseError } from "../protocol/response.ts";
import type { IncomingData } from "../responder/operation.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What one read has received. */
export interface Chunk {
  readonly bytes: Bytes;
  /** Whether a short packet has ended the host's transfer. */
  readonly ends: boolean;
}

/** Where the data of a container comes from. */
export interface ChunkSource {
  /** The next chunk of the container under way. */
  chunk(): Promise<Chunk>;
  /** The memory of a chunk is not used any more. */
  reuse(bytes: Bytes): void;
  /**
   * The container has ended with this chunk, but not where its header says:
   * reads for more of it are withdrawn.
   */
  endHere(last: Chunk): Promise<void>;
  /** More came than the header says: drops it, up to the next command. */
  drain(): void;
}

/** The largest dataset. */
const MAX_DATASET = 1 << 20;

/** What a header cannot say: lengths have 32 bits. */
const TOO_LONG = 2 ** 32;

/**
 * The bytes of data in a container; Infinity if a short packet ends them, and
 * negative if the header is wrong. A container of 4 GiB and more should have
 * UNKNOWN_LENGTH; libmtp writes the lower half of its length.
 *
 * @param announced What the host has announced before, if known.
 */
export function dataLength(
  { length }: ContainerHeader,
  announced: number | undefined,
): number {
  if (length === UNKNOWN_LENGTH) return Infinity;
  const whole = (announced ?? 0) + HEADER_SIZE;
  return whole >= TOO_LONG && length === whole % TOO_LONG
    ? whole - HEADER_SIZE
    : length - HEADER_SIZE;
}

/** A data container that is being received. */
export class DataContainer implements IncomingData {
  readonly header: ContainerHeader;
  readonly byteLength: number | undefined;
  /** Resolves when nothing of it will come any more. */
  readonly ended: Promise<void>;
  readonly #source: ChunkSource;
  readonly #end: () => void;
  /** Bytes that have not come; Infinity if that is not known. */
  #missing: number;
  /** Payload that came with the header. */
  #first: Bytes | undefined;
  #isOver = false;
  #failure: Error | undefined;

  /**
   * @param length See {@linkcode dataLength}.
   * @param first What came first, with the header at its start.
   */
  constructor(
    source: ChunkSource,
    header: ContainerHeader,
    length: number,
    first: Chunk,
  ) {
    this.#source = source;
    this.header = header;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
    this.byteLength = length === Infinity ? undefined : length;
    this.#missing = length;
    const bytes = first.bytes.subarray(HEADER_SIZE);
    // Some hosts send the header as a transfer of its own.
    const isAlone = bytes.byteLength === 0 && this.#missing > 0;
    this.#first = bytes;
    this.#accept({ bytes, ends: first.ends && !isAlone }, first);
  }

  /** Bytes that have not come; Infinity if that is not known. */
  get missing(): number {
    return this.#missing;
  }

  /** Whether nothing of it will come any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  async dataset(): Promise<Bytes> {
    const parts: Bytes[] = [];
    let size = 0;
    for await (const part of this.parts()) {
      size += part.byteLength;
      if (size <= MAX_DATASET) parts.push(part.slice());
    }
    if (size > MAX_DATASET) throw new ResponseError("Invalid_Dataset");
    const [only = new Uint8Array(0)] = parts;
    if (parts.length <= 1) return only;
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.byteLength;
    }
    return bytes;
  }

  async *parts(): AsyncGenerator<Bytes, void> {
    for (
      let part = await this.#next();
      part !== undefined;
      part = await this.#next()
    ) {
      if (part.byteLength > 0) yield part;
      this.#source.reuse(part);
    }
  }

  /** Receives and drops what was not received: nothing else reads it. */
  async release(): Promise<void> {
    try {
      // deno-lint-ignore no-empty
      for await (const _ of this.parts()) {}
    } catch {
      // It has ended, and the reads after it fail in the same way.
    }
  }

  /** Nothing more is received by this container. */
  cut(reason: Error): void {
    this.#failure ??= reason;
    this.#finish();
  }

  async #next(): Promise<Bytes | undefined> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#first !== undefined) {
      const first = this.#first;
      this.#first = undefined;
      return first;
    }
    if (this.#isOver) return undefined;
    let chunk: Chunk;
    try {
      chunk = await this.#source.chunk();
    } catch (error) {
      this.cut(error as Error);
      throw this.#failure;
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#accept(chunk, chunk);
    if (this.#failure !== undefined) throw this.#failure;
    return chunk.bytes;
  }

  /** @param whole With the header, if that is before the bytes. */
  #accept({ bytes, ends }: Chunk, whole: Chunk): void {
    const isTooLong = bytes.byteLength > this.#missing;
    if (isTooLong && !ends) {
      this.#source.drain();
      return this.cut(new ResponseError("Invalid_Dataset"));
    }
    this.#missing -= bytes.byteLength;
    if (this.#missing === 0) return this.#finish();
    if (!ends) return;
    if (isTooLong) {
      this.#failure = new ResponseError("Invalid_Dataset");
    } else if (this.byteLength !== undefined) {
      this.#failure = new ResponseError("Incomplete_Transfer");
    }
    this.#missing = 0;
    this.#isOver = true;
    this.#source.endHere(whole).then(this.#end, this.#end);
  }

  #finish(): void {
    this.#missing = 0;
    this.#isOver = true;
    this.#end();
  }
}
