/**
 * The bytes of files in memory.
 *
 * @module
 */
import { ResponseError } from "../protocol/response.ts";
import type { EditableFile } from "./object_store.ts";

/** The room that files share, in bytes. */
export class Room {
  readonly capacity: number;
  #used = 0;

  /** Starts empty. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** What is not in use. */
  get free(): number {
    return this.capacity - this.#used;
  }

  /** Throws `Store_Full` if there are not so many bytes. */
  check(bytes: number): void {
    if (bytes > this.free) throw new ResponseError("Store_Full");
  }

  /** Takes bytes, or gives a negative number of them back. */
  take(bytes: number): void {
    this.check(bytes);
    this.#used += bytes;
  }
}

/** What is copied at most when a file grows. */
const PIECE = 64 * 1024;

/** The bytes of a file. What was never written is zeros that take no memory. */
export class MemoryContents implements EditableFile {
  /** In milliseconds since 1970. */
  modified = Date.now();
  readonly #pieces = new Map<number, Uint8Array<ArrayBuffer>>();
  #room: Room | undefined;
  #length = 0;

  /** Starts empty. */
  constructor(room: Room) {
    this.#room = room;
  }

  get byteLength(): number {
    return this.#length;
  }

  /** Fills memory from an offset on, up to the end; returns the number of bytes. */
  read(offset: number, into: Uint8Array<ArrayBuffer>): number {
    const count = Math.max(
      0,
      Math.min(into.byteLength, this.#length - offset),
    );
    for (let done = 0; done < count;) {
      const { piece, start, end } = partOf(offset + done, count - done);
      const target = into.subarray(done, done + end - start);
      const stored = this.#pieces.get(piece)?.subarray(start, end) ?? NOTHING;
      target.set(stored);
      target.fill(0, stored.byteLength);
      done += end - start;
    }
    return count;
  }

  /** Copies bytes to an offset. Throws `Store_Full` if there is no room for all. */
  write(offset: number, from: Uint8Array): void {
    const end = offset + from.byteLength;
    if (end > this.#length) this.#setLength(end);
    this.modified = Date.now();
    for (let done = 0; done < from.byteLength;) {
      const part = partOf(offset + done, from.byteLength - done);
      const count = part.end - part.start;
      this.#piece(part.piece, part.end)
        .set(from.subarray(done, done + count), part.start);
      done += count;
    }
  }

  /** Cuts it, or lengthens it with zeros, if there is room for them. */
  resize(byteLength: number): void {
    this.#setLength(byteLength);
    this.modified = Date.now();
    for (const [number, bytes] of this.#pieces) {
      const length = byteLength - number * PIECE;
      if (length <= 0) this.#pieces.delete(number);
      // It may become longer again.
      else bytes.fill(0, length);
    }
  }

  /** Does nothing: they can be read as long as there is a reference to them. */
  close(): void {}

  /** It counts no more as used. What is open goes on with it. */
  release(): void {
    this.#room?.take(-this.#length);
    this.#room = undefined;
  }

  #setLength(byteLength: number): void {
    this.#room?.take(byteLength - this.#length);
    this.#length = byteLength;
  }

  /** A piece with room up to `end`. */
  #piece(number: number, end: number): Uint8Array<ArrayBuffer> {
    const bytes = this.#pieces.get(number) ?? NOTHING;
    if (bytes.byteLength >= end) return bytes;
    const larger = new Uint8Array(
      Math.min(PIECE, Math.max(end, 2 * bytes.byteLength)),
    );
    larger.set(bytes);
    this.#pieces.set(number, larger);
    return larger;
  }
}

const NOTHING = new Uint8Array(0);

/** Where the first of some bytes are, as far as they are in one piece. */
function partOf(offset: number, count: number) {
  const piece = Math.floor(offset / PIECE);
  const start = offset - piece * PIECE;
  return { piece, start, end: Math.min(PIECE, start + count) };
}
