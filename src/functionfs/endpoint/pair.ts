/**
 * An IN and an OUT endpoint that belong together.
 *
 * @module
 */
import { Errno, errorOf } from "../../../ffi/errno.ts";
import type { DmaBuffer } from "../dmabuf/buffer.ts";
import type { EndpointOptions } from "../transfer/options.ts";
import type { InEndpoint, WriteOptions } from "./in_endpoint.ts";
import type { OutEndpoint } from "./out_endpoint.ts";
import type { ReadableOptions } from "../read/readable.ts";
import type { TransfersOptions } from "../read/transfers.ts";
import type { WritableOptions } from "../write/writable.ts";

/**
 * The combined file of a pair, or why it has none.
 * @category Endpoints
 */
export type PairFile =
  | { readonly path: string }
  | { readonly missing: string };

/**
 * One endpoint in each direction under one name. Also a pair in the sense of
 * web streams: an `EndpointPair` fits wherever `{ readable, writable }` does.
 *
 * On Linux 7.3 and later, a pair has a combined file for both directions
 * (`epN_rw`, FUNCTIONFS_RW_PROXY_EPS) if every endpoint of its function is in a
 * pair. Transfers then use that file; otherwise they use the files of the two
 * endpoints, with the same behaviour.
 *
 * Operations on one direction, such as a halt, are methods of {@linkcode in} or
 * {@linkcode out}.
 *
 * @priority 8
 * @category Endpoints
 */
export class EndpointPair {
  /** The name of the pair in the definition. */
  readonly name: string;
  /** The endpoint that sends to the host. */
  readonly in: InEndpoint;
  /** The endpoint that receives from the host. */
  readonly out: OutEndpoint;
  readonly #file: PairFile;

  /** Made by {@linkcode FunctionFs.open}. */
  constructor(
    inEndpoint: InEndpoint,
    outEndpoint: OutEndpoint,
    file: PairFile,
  ) {
    this.name = inEndpoint.name;
    this.in = inEndpoint;
    this.out = outEndpoint;
    this.#file = file;
  }

  /** Whether the pair has a combined file. */
  get native(): boolean {
    return "path" in this.#file;
  }

  /**
   * The pair's combined file, such as `/run/usb-gadget/echo/ep1_rw`, for
   * programs that know only open, read and write. A read receives a transfer of
   * the host. A write sends one, and waits until the host has taken it;
   * {@linkcode autoZlp} applies. A program that has the file open keeps the
   * function alive.
   *
   * While another program reads or writes the file, this program's transfers in
   * the same direction wait. The file has no halts and no ioctls: use
   * {@linkcode in} and {@linkcode out}.
   *
   * @throws {Deno.errors.NotSupported} If it does not exist: see
   * {@linkcode native}.
   */
  get path(): string {
    if ("path" in this.#file) return this.#file.path;
    throw errorOf(
      Errno.EOPNOTSUPP,
      `Pair "${this.name}" has no combined file: ${this.#file.missing}`,
      { syscall: "open" },
    );
  }

  /** The byte stream of all that the host sends; see {@linkcode OutEndpoint.readable}. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.out.readable;
  }

  /** The stream whose chunks are transfers to the host; see {@linkcode InEndpoint.writable}. */
  get writable(): WritableStream<Uint8Array> {
    return this.in.writable;
  }

  /** Opens {@linkcode readable} with options; see {@linkcode OutEndpoint.openReadable}. */
  openReadable(
    options?: ReadableOptions,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.out.openReadable(options);
  }

  /** Opens {@linkcode writable} with options; see {@linkcode InEndpoint.openWritable}. */
  openWritable(options?: WritableOptions): WritableStream<Uint8Array> {
    return this.in.openWritable(options);
  }

  /** See {@linkcode InEndpoint.autoZlp}. */
  get autoZlp(): boolean {
    return this.in.autoZlp;
  }

  set autoZlp(on: boolean) {
    this.in.autoZlp = on;
  }

  /**
   * Throws TypeError: attach the DMABUF to {@linkcode in} or {@linkcode out},
   * or to both in turn.
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
    options?: EndpointOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.out.read(sizeOrBuffer, options);
  }

  /** Receives an exact number of bytes; see {@linkcode OutEndpoint.readExactly}. */
  readExactly(
    size: number,
    options?: EndpointOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.out.readExactly(size, options);
  }

  /** Drops what is pending in both directions; see {@linkcode OutEndpoint.discard}. */
  async discard(): Promise<void> {
    await Promise.all([this.in.discard(), this.out.discard()]);
  }

  /** The host's transfers, one by one; see {@linkcode OutEndpoint.transfers}. */
  transfers(
    options?: TransfersOptions,
  ): AsyncIterableIterator<Uint8Array<ArrayBuffer>, undefined> {
    return this.out.transfers(options);
  }

  /** Sends one transfer; see {@linkcode InEndpoint.write}. */
  write(
    data: Uint8Array | readonly Uint8Array[] | AsyncIterable<Uint8Array>,
    options?: WriteOptions,
  ): Promise<number> {
    return this.in.write(data, options);
  }
}
