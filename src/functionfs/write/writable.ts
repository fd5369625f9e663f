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
  /** Starts a transfer. */
  begin(
    data: Uint8Array,
    resolve: (count: number) => void,
    reject: (reason: unknown) => void,
  ): ChunkWrite;
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

/** Turns chunks into transfers, a limited number at a time. */
class TransferSink implements UnderlyingSink<Uint8Array> {
  readonly #port: WritablePort;
  readonly #depth: number;
  readonly #flying = new Set<ChunkWrite>();
  #controller!: WritableStreamDefaultController;
  #failed = false;
  #left = false;
  #failure: unknown;
  /** The stream's wait until few enough transfers are in flight. */
  #waiter: { limit: number; resolve: () => void } | undefined;

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

  write(chunk: Uint8Array): Promise<void> {
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
    let write: ChunkWrite | undefined = undefined;
    const end = () => {
      this.#flying.delete(write!);
      if (this.#flying.size <= (this.#waiter?.limit ?? -1)) {
        this.#waiter!.resolve();
      }
      this.#failWhenIdle();
    };
    try {
      write = this.#port.begin(chunk, end, (error) => {
        this.#fail(error);
        end();
      });
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    this.#flying.add(write);
    return this.#until(this.#depth - 1);
  }

  async close(): Promise<void> {
    await this.#until(0);
    this.#leave();
  }

  abort(): Promise<void> | undefined {
    return this.#settled(0);
  }

  /** Resolves when at most this many transfers are in flight. */
  async #until(limit: number): Promise<void> {
    await this.#settled(limit);
    if (this.#failed) throw this.#failure;
  }

  #settled(limit: number): Promise<void> | undefined {
    if (this.#flying.size <= limit) return undefined;
    return new Promise((resolve) => this.#waiter = { limit, resolve });
  }

  /**
   * Fails if its connection is over. Waits for all transfers to end, since data
   * in the kernel may have reached the host, and for the stream to learn of
   * that.
   */
  #failWhenIdle(): void {
    const { lost } = this.#port;
    if (!lost?.aborted || this.#flying.size > 0) return;
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
    for (const write of [...this.#flying].reverse()) write.cancel();
  }
}
