/**
 * An IN and an OUT endpoint that belong together.
 *
 * @module
 */
import type { TransferOptions } from "./endpoint.ts";
import type { InEndpoint } from "./in_endpoint.ts";
import type { OutEndpoint } from "./out_endpoint.ts";

/**
 * One endpoint in each direction under one name, for a function that talks
 * both ways. Also a pair in the sense of web streams: what takes `{ readable,
 * writable }` takes an `EndpointPair`.
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

  /** Receives one transfer; see {@linkcode OutEndpoint.read}. */
  read(
    size: number,
    options?: TransferOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.out.read(size, options);
  }

  /** Sends one transfer; see {@linkcode InEndpoint.write}. */
  write(data: Uint8Array, options?: TransferOptions): Promise<number> {
    return this.in.write(data, options);
  }
}
