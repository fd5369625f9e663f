/**
 * What the blocks of a transfer mean: bytes of an area, one after another.
 *
 * @module
 */
import type { DfuArea } from "./area.ts";
import type { DfuErrorStatus } from "./codes.ts";

/** What a block that has come has the area do. */
export interface BlockAction {
  readonly run: (signal: AbortSignal) => unknown;
  /** The status if it fails without one of its own. */
  readonly fallback: DfuErrorStatus;
  /** Whether the host expects to wait for it, even if it is done. */
  readonly waits: boolean;
}

/** The blocks of an area. */
export interface Blocks {
  readonly canDownload: boolean;
  readonly canUpload: boolean;
  /** Whether a download may end before it has begun: only to leave DFU mode. */
  readonly endsAnytime: boolean;
  /** A transfer begins. */
  begin(): void;
  /** Another host begins. */
  reset(): void;
  write(block: number, data: Uint8Array<ArrayBuffer>): BlockAction;
  manifest(): BlockAction;
  /** Returns at most `length` bytes. */
  read(
    block: number,
    length: number,
    signal: AbortSignal,
  ): Uint8Array | Promise<Uint8Array>;
  /** The host has so many more bytes of an upload. */
  sent(length: number): void;
}

/** Blocks of DFU 1.1: in order, whatever their numbers are. */
export class StreamBlocks implements Blocks {
  readonly canDownload: boolean;
  readonly canUpload: boolean;
  readonly endsAnytime = false;
  readonly #area: DfuArea;
  /** Bytes of this transfer so far. */
  #offset = 0;

  constructor(area: DfuArea) {
    this.#area = area;
    this.canDownload = area.write !== undefined;
    this.canUpload = area.read !== undefined;
  }

  begin(): void {
    this.#offset = 0;
  }

  reset(): void {
    this.begin();
  }

  write(_block: number, data: Uint8Array<ArrayBuffer>): BlockAction {
    const offset = this.#offset;
    this.#offset += data.length;
    return {
      run: (signal) => this.#area.write!(offset, data, signal),
      fallback: "errWRITE",
      waits: false,
    };
  }

  manifest(): BlockAction {
    const length = this.#offset;
    return {
      run: (signal) => this.#area.manifest?.(length, signal),
      fallback: "errPROG",
      waits: false,
    };
  }

  read(
    _block: number,
    length: number,
    signal: AbortSignal,
  ): Uint8Array | Promise<Uint8Array> {
    return this.#area.read!(this.#offset, length, signal);
  }

  sent(length: number): void {
    this.#offset += length;
  }
}
