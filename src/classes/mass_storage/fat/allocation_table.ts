/**
 * The file allocation table, computed where it is read (FAT specification,
 * section 4).
 *
 * @module
 */
import { FIRST_CLUSTER, type Geometry } from "./geometry.ts";

/** Which clusters files and directories have: all of one after all of the other. */
export class Chains {
  /** The first cluster of each, ascending. */
  readonly #firsts: number[] = [];
  #next = FIRST_CLUSTER;

  /** The first free cluster. All behind it are free. */
  get next(): number {
    return this.#next;
  }

  /** Takes clusters, and returns the first of them; 0 if it takes none. */
  take(count: number): number {
    if (count === 0) return 0;
    const first = this.#next;
    this.#firsts.push(first);
    this.#next += count;
    return first;
  }

  /** The first cluster of the chain behind the one that has this cluster. */
  endOf(cluster: number): number {
    let low = 0;
    let high = this.#firsts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#firsts[middle] <= cluster) low = middle + 1;
      else high = middle;
    }
    return this.#firsts[low] ?? this.#next;
  }
}

/** Reads a part of the FAT. Both of a volume are the same. */
export class AllocationTable {
  readonly size: number;
  readonly #bits: 16 | 32;
  readonly #chains: Chains;

  constructor({ bits, fatSectors, sectorSize }: Geometry, chains: Chains) {
    this.size = fatSectors * sectorSize;
    this.#bits = bits;
    this.#chains = chains;
  }

  /** @param into Zeros. */
  read(offset: number, into: Uint8Array<ArrayBuffer>): void {
    const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
    const width = this.#bits / 8;
    const first = offset / width;
    const count = Math.min(
      into.byteLength / width,
      this.#chains.next - first,
    );
    const last = this.#bits === 16 ? 0xffff : 0x0fff_ffff;
    let end = 0;
    for (let index = 0; index < count; index++) {
      const cluster = first + index;
      if (cluster >= end && cluster >= FIRST_CLUSTER) {
        end = this.#chains.endOf(cluster);
      }
      // The first entry has the media type. The bits of the second one say that
      // the volume was unmounted, without errors.
      const value = cluster === 0
        ? last - 7 // 0xf8, a fixed or removable disk
        : cluster === 1 || cluster + 1 === end
        ? last
        : cluster + 1;
      if (this.#bits === 16) view.setUint16(index * width, value, true);
      else view.setUint32(index * width, value, true);
    }
  }
}
