/**
 * A set of blocks, as ranges.
 *
 * @module
 */

/** Neighbouring blocks, all of which are in the set, or none. */
export interface Part {
  readonly lba: number;
  readonly count: number;
  readonly inside: boolean;
}

/** A set of blocks. It takes memory for each range, not for each block. */
export class BlockRanges {
  /** Sorted; they do not touch each other. Each is a start and an end (exclusive). */
  #ranges: [start: number, end: number][] = [];

  /** Adds blocks, of which some may be in the set. */
  add(lba: number, count: number): void {
    let [start, end] = [lba, lba + count];
    const first = this.#find(start);
    let next = first;
    for (; next < this.#ranges.length; next++) {
      const [otherStart, otherEnd] = this.#ranges[next];
      if (otherStart > end) break;
      start = Math.min(start, otherStart);
      end = Math.max(end, otherEnd);
    }
    this.#ranges.splice(first, next - first, [start, end]);
  }

  /** Divides blocks into those in the set and the others. */
  *parts(lba: number, count: number): Generator<Part> {
    const last = lba + count;
    for (let index = this.#find(lba); lba < last; index++) {
      const [start, end] = this.#ranges[index] ?? [last, last];
      const from = Math.min(start, last);
      if (from > lba) yield { lba, count: from - lba, inside: false };
      const to = Math.min(end, last);
      const begin = Math.max(from, lba);
      if (to > begin) yield { lba: begin, count: to - begin, inside: true };
      lba = Math.max(lba, to);
    }
  }

  /** Removes all blocks. */
  clear(): void {
    this.#ranges = [];
  }

  /** Index of the first range that ends at a block or behind it. */
  #find(lba: number): number {
    let [low, high] = [0, this.#ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ranges[middle][1] < lba) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
