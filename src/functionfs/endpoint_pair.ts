/**
 * An IN and an OUT endpoint that belong together.
 *
 * @module
 */
import type { DmaBuffer } from "./dmabuf.ts";
import type { InEndpoint, WriteOptions } from "./in_endpoint.ts";
import type { OutEndpoint, ReadOptions } from "./out_endpoint.ts";
import type { TransfersOptions } from "./transfers.ts";

/**
 * One endpoint in each direction under one name, for a function that talks
 * both ways. Also a pair in the sense of web streams: what takes `{ readable,
 * writable }` takes an `EndpointPair`.
 *
 * What belongs to one direction only, such as a halt, is a method of
 * {@linkcode in} or {@linkcode out}.
 */
export class EndpointPair {
  /** The name under which the pair was declared. */
  readonly name: string;
  /** The endpoint that sends to the host. */
  readonly in: InEndpoint;
  /** The endpoint that receives from the host. */
  readonly out: OutEndpoint;

  /** Made by {@linkcode FunctionFs.open}. */
  constructor(inEndpoint: InEndpoint, outEndpoint: OutEndpoint) {
    this.name = inEndpoint.name;
    this.in = inEndpoint;
    this.out = outEndpoint;
  }

  /** A byte stream of all that the host sends; see {@linkcode OutEndpoint.readable}. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.out.readable;
  }

  /** A stream whose chunks are transfers to the host; see {@linkcode InEndpoint.writable}. */
  get writable(): WritableStream<Uint8Array> {
    return this.in.writable;
  }

  /** Whether transfers to the host end visibly; see {@linkcode InEndpoint.autoZlp}. */
  get autoZlp(): boolean {
    return this.in.autoZlp;
  }

  set autoZlp(on: boolean) {
    this.in.autoZlp = on;
  }

  /**
   * Refuses: a DMABUF is attached to one direction, {@linkcode in} or
   * {@linkcode out}, or to both in turn.
   *
   * @throws {TypeError} Always.
   */
  attach(_buffer: DmaBuffer): never {
    const { name } = this;
    throw new TypeError(
      `Cannot attach a DMABUF to pair "${name}": attach it to "${name}.in" (${this.in.path}) or "${name}.out" (${this.out.path})`,
    );
  }

  /** Receives one transfer; see {@linkcode OutEndpoint.read}. */
  read(
    sizeOrBuffer: number | Uint8Array,
    options?: ReadOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.out.read(sizeOrBuffer, options);
  }

  /** The host's transfers, one after the other; see {@linkcode OutEndpoint.transfers}. */
  transfers(
    options?: TransfersOptions,
  ): AsyncIterableIterator<Uint8Array<ArrayBuffer>, undefined> {
    return this.out.transfers(options);
  }

  /** Sends one transfer; see {@linkcode InEndpoint.write}. */
  write(data: Uint8Array, options?: WriteOptions): Promise<number> {
    return this.in.write(data, options);
  }
}
