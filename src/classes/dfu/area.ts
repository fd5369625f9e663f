/**
 * Memory areas: what a host downloads to, and uploads from.
 *
 * @module
 */

/**
 * Memory with addresses: see `dfuse` of {@linkcode DfuArea}.
 *
 * @category Devices
 */
export interface DfuSeMemory {
  /** The address of the first byte, up to 32 bits. */
  readonly address: number;
  /** What is erased as a whole, from the first byte on: `count` sectors of `size` bytes. */
  readonly sectors: readonly {
    readonly count: number;
    readonly size: number;
  }[];
}

/**
 * A memory area of a device in DFU mode. It has at least one of `read` and
 * `write`.
 *
 * Its methods are called one at a time, in the order of the host's requests. Any
 * of them may take its time, and the host may give up meanwhile: the signal is
 * then aborted, and the next method is called when the pending one has settled.
 *
 * What a method throws becomes the status of the device: that of a
 * {@linkcode DfuError}; errADDRESS for ENOSPC; otherwise errWRITE, errPROG or
 * errUNKNOWN, and an `"error"` event of the function.
 *
 * @category Devices
 */
export interface DfuArea {
  /** The name of the area, which the host shows: `dfu-util -a NAME`. */
  readonly name: string;
  /**
   * UPLOAD: returns `length` bytes, or fewer at the end of the area. The host
   * waits for them, some seconds at most. Without this method, the host cannot
   * read the area.
   *
   * @param offset Bytes before, in this upload.
   * @param signal Aborted when the host gives up the upload.
   */
  read?(
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Uint8Array | Promise<Uint8Array>;
  /**
   * DNLOAD: takes a block of up to `transferSize` bytes, which are the area's own.
   * The host waits as long as this takes, and asks from time to time whether it is
   * done. Without this method, the host cannot write to the area.
   *
   * @param offset Bytes before, in this download: 0 begins a new one.
   * @param signal Aborted when the host gives up the download; the same for all
   * its blocks.
   */
  write?(
    offset: number,
    data: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
  ): void | Promise<void>;
  /**
   * Manifestation: the host has sent everything. Checks and activates it. The host
   * waits as long as this takes.
   *
   * @param length All bytes of the download.
   * @param signal Aborted when the host gives up, or leaves.
   */
  manifest?(length: number, signal: AbortSignal): void | Promise<void>;
  /**
   * The host uses DfuSe, the extension of STMicroelectronics (AN3156): it reads and
   * writes at addresses, `dfu-util -s 0x08000000`. Offsets count from the beginning
   * of the memory, blocks come in any order, and all of them are in the memory. The
   * host manifests to leave DFU mode.
   */
  readonly dfuse?: DfuSeMemory;
  /**
   * Erases a sector, or the whole memory. Only with `dfuse`. Its errors become
   * errERASE.
   */
  erase?(
    offset: number,
    length: number,
    signal: AbortSignal,
  ): void | Promise<void>;
}
