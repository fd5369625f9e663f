/**
 * The completions of an AIO context, read where the kernel writes them.
 *
 * `io_setup` maps the ring of completions into the process, and the context's
 * number is its address (`struct aio_ring`, fs/aio.c):
 *
 * | at | field                | here                                    |
 * | -- | -------------------- | --------------------------------------- |
 * | 4  | u32 nr               | how many events fit in                  |
 * | 8  | u32 head             | the oldest event; moved by us           |
 * | 12 | u32 tail             | behind the newest event; moved by the kernel |
 * | 16 | u32 magic            | 0xa10a10a1                              |
 * | 20 | u32 compat_features  | the owner's thread, see abandoned.ts |
 * | 24 | u32 incompat_features| 0                                       |
 * | 28 | u32 header_length    | 32                                      |
 * | 32 | struct io_event[]    | 32 bytes each: u64 data, obj, s64 res.. |
 *
 * libaio reads it to see whether it is empty, and other programs take their
 * events from it: the kernel supports both.
 *
 * @module
 */
import { IO_EVENT_SIZE } from "../abi.ts";

const MAGIC = 0xa10a10a1;
/** Bytes before the events. */
export const HEADER_SIZE = 32;
/** What the kernel writes where we note the owner. No Worker has thread 1. */
const COMPAT_FEATURES = 1;

// As indices of 32-bit numbers.
const NR = 1;
const HEAD = 2;
const TAIL = 3;
const OWNER = 5;
const FIRST_EVENT = HEADER_SIZE / 4;
const EVENT = IO_EVENT_SIZE / 4;

/** The thread that owns a ring, if its header says so. */
export function ownerOf(header: Uint8Array<ArrayBuffer>): number | undefined {
  const words = new Uint32Array(header.buffer, 0, HEADER_SIZE / 4);
  const owner = words[OWNER];
  const known = words[4] === MAGIC && owner !== COMPAT_FEATURES;
  return known ? owner : undefined;
}

/** The ring of one AIO context. */
export class CompletionRing {
  readonly #ring: Int32Array<ArrayBuffer>;
  readonly #capacity: number;

  private constructor(ring: Int32Array<ArrayBuffer>) {
    this.#ring = ring;
    this.#capacity = ring[NR];
  }

  /** Opens the ring; `undefined` if its layout is unknown. */
  static of(context: Deno.PointerObject): CompletionRing | undefined {
    const header = new Uint32Array(
      Deno.UnsafePointerView.getArrayBuffer(context, HEADER_SIZE),
    );
    const [, capacity, , , magic, , incompatible, headerLength] = header;
    if (
      magic !== MAGIC || incompatible !== 0 || headerLength !== HEADER_SIZE
    ) return undefined;
    const size = HEADER_SIZE + capacity * IO_EVENT_SIZE;
    return new CompletionRing(
      new Int32Array(Deno.UnsafePointerView.getArrayBuffer(context, size)),
    );
  }

  /**
   * Records which thread owns the context. The kernel writes the field when it
   * makes the ring, and never reads it.
   */
  set owner(thread: number) {
    this.#ring[OWNER] = thread;
  }

  /**
   * Takes the oldest completions.
   *
   * @param into Receives pairs of numbers: a request's data and its result.
   * @returns The number of pairs.
   */
  take(into: Int32Array): number {
    const ring = this.#ring;
    // Events written before the kernel moved the tail are read after it.
    const tail = Atomics.load(ring, TAIL);
    let head = ring[HEAD];
    if (head === tail) return 0;
    const most = into.length >> 1;
    let count = 0;
    while (head !== tail && count < most) {
      const at = FIRST_EVENT + head * EVENT;
      into[2 * count] = ring[at];
      into[2 * count + 1] = ring[at + 4];
      count++;
      if (++head === this.#capacity) head = 0;
    }
    // And the events are read before the kernel may overwrite them.
    Atomics.store(ring, HEAD, head);
    return count;
  }

  /** Call it before the context is freed: a later access would crash. */
  detach(): void {
    this.#ring.buffer.transfer();
  }
}
