/**
 * The web stream of data to a host.
 *
 * @module
 */
import { bytesProblem } from "../../arguments/bytes.ts";
import {
  AbortedTransferError,
  type TransferErrorFields,
} from "../transfer/error.ts";
import { Fifo } from "../transfer/fifo.ts";

/**
 * How to write a stream to the host.
 * @category Endpoints
 */
export interface WritableOptions {
  /**
   * How many chunks may be in flight. With 1, a write of the stream is done
   * when the host has taken its chunk. With more, it is done when fewer than
   * `depth` chunks are in flight, so that the next one follows without a gap;
   * closing the stream still waits for all of them.
   *
   * A chunk must not change before its write is done; with a depth above 1,
   * before the stream is closed.
   * @default {1}
   */
  readonly depth?: number;
  /**
   * Whether a chunk that ends on a packet border gets a zero-length packet, so
   * that the host sees its end whatever its size: `"auto"`, or `"never"`. By
   * default the endpoint's `autoZlp` decides when a chunk is written.
   */
  readonly zlp?: "auto" | "never";
}

/** What a stream needs from its endpoint. */
export interface WritablePort {
  readonly name: string;
  /** Queues a transfer. It is submitted at the next {@linkcode wake}. */
  begin(
    data: Uint8Array,
    resolve: (count: number) => void,
    reject: (reason: unknown) => void,
  ): ChunkWrite;
  /** Submits what has begun. */
  wake(): void;
  /**
   * Aborted when the stream's session has ended. Its reason is the stream's
   * error.
   */
  readonly lost?: AbortSignal;
  /** The stream has ended; the endpoint may open another. */
  onOver(): void;
}

/** The transfer of a chunk. */
export interface ChunkWrite {
  /** Whether it has ended. */
  readonly ended: boolean;
  /** Ends it early. */
  cancel(): void;
}

/** Makes a stream whose chunks are transfers to the host. */
export function makeWritable(
  port: WritablePort,
  depth: number,
): WritableStream<Uint8Array> {
  return new WritableStream(new TransferSink(port, depth));
}

/**
 * Turns chunks into transfers, a limited number at a time.
 *
 * Chunks that follow each other in one turn share a system call: they are
 * submitted when the kernel has none, when the depth is reached or half of it
 * waits, and at the end of the turn at the latest.
 */
class TransferSink implements UnderlyingSink<Uint8Array> {
  readonly #port: WritablePort;
  readonly #depth: number;
  /** In order, without those at the front that have ended. */
  readonly #begun = new Fifo<ChunkWrite>();
  /** How many have not ended. */
  #inFlight = 0;
  /** How many are not submitted. */
  #held = 0;
  #submitsLater = false;
  #controller!: WritableStreamDefaultController;
  #failed = false;
  #left = false;
  #failure: unknown;
  /** The stream's wait until few enough transfers are in flight. */
  #waiter: { limit: number; onReached: () => void } | undefined;

  constructor(port: WritablePort, depth: number) {
    this.#port = port;
    this.#depth = depth;
  }

  start(controller: WritableStreamDefaultController): void {
    this.#controller = controller;
    // At once: abort() is called only after the last chunk has ended.
    controller.signal.addEventListener("abort", () => {
      this.#leave();
      this.#withdraw();
    });
    const { lost } = this.#port;
    lost?.addEventListener("abort", () => {
      this.#leave();
      this.#failWhenIdle();
    });
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    const problem = bytesProblem(chunk);
    if (problem !== undefined) {
      const error = new TypeError(
        `Cannot write to endpoint "${this.#port.name}": a chunk ${problem}`,
      );
      this.#fail(error);
      throw error;
    }
    const { lost } = this.#port;
    if (lost?.aborted) {
      this.#fail(lost.reason);
      throw lost.reason;
    }
    try {
      this.#begun.push(this.#port.begin(chunk, this.#onEnd, this.#onFailure));
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    this.#inFlight++;
    this.#held++;
    const isFull = this.#inFlight >= this.#depth;
    if (
      isFull || this.#inFlight === this.#held || 2 * this.#held >= this.#depth
    ) this.#submit();
    else this.#submitLater();
    if (!isFull) return undefined;
    return new Promise((resolve, reject) =>
      this.#waiter = {
        limit: this.#depth - 1,
        onReached: () => this.#failed ? reject(this.#failure) : resolve(),
      }
    );
  }

  async close(): Promise<void> {
    this.#submit();
    await this.#settled();
    if (this.#failed) throw this.#failure;
    this.#leave();
  }

  abort(): Promise<void> | undefined {
    return this.#settled();
  }

  readonly #onEnd = (): void => {
    this.#inFlight--;
    while (this.#begun.at(0)?.ended) this.#begun.shift();
    if (this.#inFlight <= (this.#waiter?.limit ?? -1)) {
      this.#waiter!.onReached();
    }
    this.#failWhenIdle();
  };

  readonly #onFailure = (error: unknown): void => {
    this.#fail(error);
    this.#onEnd();
  };

  #submit(): void {
    if (this.#held === 0) return;
    this.#held = 0;
    this.#port.wake();
  }

  #submitLater(): void {
    if (this.#submitsLater) return;
    this.#submitsLater = true;
    setImmediate(() => {
      this.#submitsLater = false;
      this.#submit();
    });
  }

  /** Resolves when no transfer is in flight. */
  #settled(): Promise<void> | undefined {
    if (this.#inFlight === 0) return undefined;
    return new Promise((resolve) =>
      this.#waiter = { limit: 0, onReached: resolve }
    );
  }

  /**
   * Fails if its connection is over. Waits for all transfers to end, since data
   * in the kernel may have reached the host, and for the stream to learn of
   * that.
   */
  #failWhenIdle(): void {
    const { lost } = this.#port;
    if (!lost?.aborted || this.#inFlight > 0) return;
    setImmediate(() => this.#fail(lost.reason));
  }

  /** The endpoint may open another stream. */
  #leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#port.onOver();
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    const { signal } = this.#controller;
    this.#failure = signal.aborted
      ? this.#aborted(error as Error & Partial<TransferErrorFields>)
      : error;
    this.#leave();
    this.#withdraw();
    // An aborted stream has its error: a second one would fail the abort.
    if (!signal.aborted) this.#controller.error(this.#failure);
  }

  #aborted({ transferred = 0 }: Partial<TransferErrorFields>): Error {
    return new AbortedTransferError(
      `Cannot write to endpoint "${this.#port.name}": the stream was aborted after ${transferred} bytes of a chunk`,
      { cause: this.#controller.signal.reason, syscall: "write", transferred },
    );
  }

  /** Cancels all transfers, last one first: the host must not get it alone. */
  #withdraw(): void {
    for (const write of this.#begun.slice().reverse()) write.cancel();
  }
}
