/**
 * The web stream of data from a host, over the reads of its endpoint.
 *
 * @module
 */
import type { SessionLife } from "../session.ts";
import type { Ahead, ReadQueue } from "./queue.ts";
import { ArrivalReader } from "./reader.ts";

/**
 * How to read a stream from the host.
 * @category Endpoints
 */
export interface ReadableOptions {
  /**
   * How many transfers may be received ahead of the reader: unread ones, and
   * those that the kernel waits for. If the stream is not read, the host has to
   * wait (NAK) after `depth` times `transferSize` bytes. At least 1; by default
   * 64 without a `transferSize`, otherwise 4.
   */
  readonly depth?: number;
  /**
   * Bytes of one kernel request, rounded up to whole packets at every speed of
   * the function; up to 1 MiB. Larger requests are several times as fast. But a
   * request ends only when it is full or when the host sends a short packet:
   * full packets without a zero-length packet at the end of their transfer
   * reach the reader only when the request is full.
   *
   * By default each request is one packet, and every packet reaches the reader
   * as it arrives. That is right for unknown hosts: WebUSB and libusb send no
   * zero-length packets by default.
   */
  readonly transferSize?: number;
}

/** What a stream is made from. */
export interface ReadableSource {
  readonly reads: ReadQueue;
  /** Bytes of a request, in whole packets; undefined for one packet. */
  readonly size: number | undefined;
  readonly depth: number;
  readonly session: SessionLife | undefined;
  /**
   * Calls back when no more data can come: with the error, if that is one.
   * Returns a function that ends that.
   */
  readonly onEnd: (callback: (error?: Error) => void) => () => void;
  /** The stream is over: the endpoint may open another. */
  readonly onOver: () => void;
}

/** Makes a byte stream without a buffer of its own: `reads` keeps the data. */
export function makeReadable(
  source: ReadableSource,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream(new EndpointSource(source));
}

class EndpointSource implements UnderlyingByteSource {
  readonly type = "bytes";
  readonly #source: ReadableSource;
  readonly #reads: ReadQueue;
  /** The wait of a pull. */
  #waiting: ArrivalReader | undefined;
  #ahead: Ahead | undefined;
  #stopListening = () => {};
  /** Whether no more data can come. */
  #ended = false;
  #over = false;
  /** Whether a forgotten read is looked for when this turn is over. */
  #looking = false;

  constructor(source: ReadableSource) {
    this.#source = source;
    this.#reads = source.reads;
  }

  start(controller: ReadableByteStreamController): void {
    // Ends the stream at once, even if it is not read.
    this.#stopListening = this.#source.onEnd((error) => {
      this.#ended = true;
      if (error !== undefined) this.#fail(controller, error);
      else this.#deliver(controller);
    });
    this.#lookLater(controller);
  }

  /** Resolves when it has delivered something. */
  pull(controller: ReadableByteStreamController): Promise<void> | undefined {
    if (this.#waiting !== undefined) return undefined;
    this.#lookLater(controller);
    if (!this.#ended) this.#standBy();
    if (this.#reads.idle && this.#deliver(controller)) return undefined;
    return this.#wait(controller);
  }

  /** Unread data goes to the next reader. */
  async cancel(): Promise<void> {
    this.#finish();
    await this.#reads.withdrawAhead();
  }

  /**
   * A read into a reader's memory whose reader lets go of the stream at once
   * stays with the stream. If that happens during a pull or before the first one,
   * the platform does not pull for it, and later reads queue up behind it. So it
   * is looked for when the turn is over.
   */
  #lookLater(controller: ReadableByteStreamController): void {
    if (this.#looking) return;
    this.#looking = true;
    setImmediate(() => {
      this.#looking = false;
      if (!this.#over && controller.byobRequest) this.pull(controller);
    });
  }

  /** Also after another reader of the endpoint wanted something else. */
  #standBy(): void {
    const { size, depth, session } = this.#source;
    this.#ahead ??= { takesBytes: true, size, depth, session };
    if (this.#reads.ahead !== this.#ahead) this.#reads.ahead = this.#ahead;
  }

  /** Waits for data, and delivers it. Resolves when that is done. */
  #wait(controller: ReadableByteStreamController): Promise<void> {
    return new Promise((resolve, reject) => {
      const { session } = this.#source;
      let over = false;
      const end = (deliver: () => void) => {
        if (over) return;
        over = true;
        // What comes in this turn is delivered together.
        queueMicrotask(() => {
          try {
            deliver();
            resolve();
          } catch (error) {
            reject(error);
          }
        });
      };
      this.#waiting = new ArrivalReader(this.#reads, { session }, {
        resolve: () =>
          end(() => {
            this.#deliver(controller);
            this.#leave();
            this.#lookLater(controller);
          }),
        reject: (error) => end(() => this.#fail(controller, error)),
      });
      this.#reads.add(this.#waiting);
    });
  }

  /** Passes on what has come; returns whether there was anything. */
  #deliver(controller: ReadableByteStreamController): boolean {
    if (this.#over) return true;
    const kept = this.#reads.kept(this.#source.session);
    const view = controller.byobRequest?.view;
    if (view) {
      const { buffer, byteOffset, byteLength } = view;
      const room = new Uint8Array(buffer, byteOffset, byteLength);
      const bytes = kept.exchange(room);
      const count = bytes === undefined ? kept.copyInto(room) : byteLength;
      if (count === 0) return this.#close(controller);
      if (bytes === undefined) controller.byobRequest!.respond(count);
      else controller.byobRequest!.respondWithNewView(bytes);
    } else {
      const bytes = kept.collect();
      if (bytes === undefined) return this.#close(controller);
      controller.enqueue(bytes);
    }
    this.#reads.refill();
    return true;
  }

  /** Closes the stream if nothing more can come. */
  #close(controller: ReadableByteStreamController): boolean {
    if (!this.#ended) return false;
    this.#finish();
    controller.close();
    controller.byobRequest?.respond(0);
    return true;
  }

  #fail(controller: ReadableByteStreamController, error: unknown): void {
    if (this.#over) return;
    this.#finish();
    controller.error(error);
  }

  #finish(): void {
    this.#over = true;
    this.#stopListening();
    this.#leave();
    this.#source.onOver();
  }

  #leave(): void {
    if (this.#waiting === undefined) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#reads.remove(waiting);
  }
}
