/**
 * DfuSe, the extension of STMicroelectronics (AN3156, UM0424): memory with
 * addresses, whose sectors the host erases.
 *
 * A download of block 0 is a command. Blocks from 2 on are bytes from an address on
 * that the host has set.
 *
 * @module
 */
import type { DfuArea, DfuSeMemory } from "./area.ts";
import type { BlockAction, Blocks } from "./blocks.ts";
import type { DfuErrorStatus } from "./codes.ts";
import { DfuError } from "./dfu_error.ts";

/** `bcdDFUVersion` of devices with DfuSe. */
export const DFUSE_VERSION = 0x011a;

const Command = {
  GET_COMMANDS: 0x00,
  SET_ADDRESS: 0x21,
  ERASE: 0x41,
} as const;

/** The number of the first block with data. */
const FIRST_BLOCK = 2;

/** A command with an address: u8 command, u32 address. */
const WITH_ADDRESS = 5;

/**
 * The name of the interface, from which the host learns the layout (UM0424, 4.3.2):
 * `"@Flash/0x08000000/4*16Kg,1*64Kg"`. The last letter says what can be done with a
 * sector: 1 for reading, 2 for erasing, 4 for writing.
 */
export function dfuSeName(area: DfuArea, memory: DfuSeMemory): string {
  const abilities = (area.read ? 1 : 0) + (area.erase ? 2 : 0) +
    (area.write ? 4 : 0);
  const letter = " abcdefg"[abilities];
  const sectors = memory.sectors.map(({ count, size }) =>
    size % 1024 === 0
      ? `${count}*${size / 1024}K${letter}`
      : `${count}*${size}B${letter}`
  );
  const address = memory.address.toString(16).padStart(8, "0");
  return `@${area.name}/0x${address}/${sectors.join(",")}`;
}

/** The length of all sectors. */
export function dfuSeLength({ sectors }: DfuSeMemory): number {
  return sectors.reduce((sum, { count, size }) => sum + count * size, 0);
}

/** Blocks of DfuSe. */
export class DfuSeBlocks implements Blocks {
  /** Commands are downloads. */
  readonly canDownload = true;
  readonly canUpload: boolean;
  readonly endsAnytime = true;
  readonly #area: DfuArea;
  readonly #memory: DfuSeMemory;
  readonly #transferSize: number;
  readonly #length: number;
  /** Where block 2 is, from the beginning of the area. */
  #pointer = 0;
  /** Bytes that were written since the last manifestation. */
  #written = 0;

  constructor(area: DfuArea, memory: DfuSeMemory, transferSize: number) {
    this.#area = area;
    this.canUpload = area.read !== undefined;
    this.#memory = memory;
    this.#transferSize = transferSize;
    this.#length = dfuSeLength(memory);
  }

  /** Leaves the address: hosts abort between setting it and reading. */
  begin(): void {}

  reset(): void {
    this.#pointer = 0;
    this.#written = 0;
  }

  write(block: number, data: Uint8Array<ArrayBuffer>): BlockAction {
    if (block === 0) return this.#command(data);
    return {
      run: (signal) => {
        const offset = this.#offsetOf(block);
        if (offset + data.length > this.#length) {
          throw new DfuError("errADDRESS");
        }
        if (!this.#area.write) throw new DfuError("errWRITE");
        this.#written += data.length;
        return this.#area.write(offset, data, signal);
      },
      fallback: "errWRITE",
      waits: false,
    };
  }

  manifest(): BlockAction {
    const length = this.#written;
    this.#written = 0;
    return {
      run: (signal) => this.#area.manifest?.(length, signal),
      fallback: "errPROG",
      waits: true,
    };
  }

  read(
    block: number,
    length: number,
    signal: AbortSignal,
  ): Uint8Array | Promise<Uint8Array> {
    if (block === 0) {
      const erase = this.#area.erase ? [Command.ERASE] : [];
      return Uint8Array.of(
        Command.GET_COMMANDS,
        Command.SET_ADDRESS,
        ...erase,
      ).subarray(0, length);
    }
    const offset = this.#offsetOf(block);
    const left = Math.max(0, this.#length - offset);
    if (left === 0) throw new DfuError("errADDRESS");
    return this.#area.read!(offset, Math.min(length, left), signal);
  }

  sent(): void {}

  #offsetOf(block: number): number {
    if (block < FIRST_BLOCK) throw new DfuError("errSTALLEDPKT");
    return this.#pointer + (block - FIRST_BLOCK) * this.#transferSize;
  }

  #command(data: Uint8Array<ArrayBuffer>): BlockAction {
    const [command] = data;
    const address = data.length === WITH_ADDRESS
      ? new DataView(data.buffer, data.byteOffset).getUint32(1, true)
      : undefined;
    if (command === Command.SET_ADDRESS && address !== undefined) {
      return action("errTARGET", () => {
        this.#pointer = this.#within(address);
      });
    }
    const { erase } = this.#area;
    const isErase = command === Command.ERASE && erase !== undefined;
    if (isErase && address !== undefined) {
      return action("errERASE", (signal) => {
        const [offset, size] = this.#sectorAt(this.#within(address));
        return this.#area.erase!(offset, size, signal);
      });
    }
    if (isErase && data.length === 1) {
      return action(
        "errERASE",
        (signal) => this.#area.erase!(0, this.#length, signal),
      );
    }
    return action("errSTALLEDPKT", () => {
      throw new DfuError("errSTALLEDPKT");
    });
  }

  /** The offset of an address in the area. */
  #within(address: number): number {
    const offset = address - this.#memory.address;
    if (offset >= 0 && offset < this.#length) return offset;
    throw new DfuError("errTARGET");
  }

  /** The offset and the size of the sector with an offset. */
  #sectorAt(offset: number): [number, number] {
    let start = 0;
    for (const { count, size } of this.#memory.sectors) {
      const end = start + count * size;
      if (offset < end) {
        return [offset - (offset - start) % size, size];
      }
      start = end;
    }
    throw new DfuError("errTARGET");
  }
}

/** A command: the host waits for it. */
function action(
  fallback: DfuErrorStatus,
  run: BlockAction["run"],
): BlockAction {
  return { run, fallback, waits: true };
}
