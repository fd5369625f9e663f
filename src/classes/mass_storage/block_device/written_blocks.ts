/**
 * Blocks in memory, of which only those that were written take room.
 *
 * @module
 */

/** Memory is taken in pages of this size, a multiple of all block sizes. */
const PAGE_SIZE = 4096;
/** Pages that are found, and forgotten, in one step. */
const PAGES_IN_A_GROUP = 64;

/** Neighbouring pages. */
interface Group {
  readonly pages: (Uint8Array<ArrayBuffer> | undefined)[];
  /** For each page, a bit for each block that was written. */
  readonly written: Uint8Array;
}

/** Neighbouring blocks, all of which were written, or none. */
export interface Run {
  readonly lba: number;
  readonly count: number;
  readonly written: boolean;
}

/** The blocks of a disk that were written, and are not forgotten. */
export class WrittenBlocks {
  readonly #blockSize: number;
  readonly #blocksInAPage: number;
  readonly #blocksInAGroup: number;
  /** By number: the first block divided by the blocks of a group. */
  readonly #groups = new Map<number, Group>();
  #count = 0;

  constructor(blockSize: number) {
    this.#blockSize = blockSize;
    this.#blocksInAPage = PAGE_SIZE / blockSize;
    this.#blocksInAGroup = this.#blocksInAPage * PAGES_IN_A_GROUP;
  }

  /** How many blocks they are. */
  get count(): number {
    return this.#count;
  }

  /** Copies whole blocks into memory. */
  write(lba: number, from: Uint8Array<ArrayBuffer>): void {
    const size = this.#blockSize;
    for (let at = 0; at < from.byteLength;) {
      const { group, page, block, room } = this.#place(lba + at / size);
      const bytes = from.subarray(at, at + room * size);
      const { pages, written } = this.#groups.get(group) ?? this.#add(group);
      const memory = pages[page] ??= new Uint8Array(PAGE_SIZE);
      memory.set(bytes, block * size);
      const before = written[page];
      written[page] |= bits(block, bytes.byteLength / size);
      this.#count += ones(written[page]) - ones(before);
      at += bytes.byteLength;
    }
  }

  /** Copies whole blocks out of memory, all of which were written. */
  read(lba: number, into: Uint8Array<ArrayBuffer>): void {
    const size = this.#blockSize;
    for (let at = 0; at < into.byteLength;) {
      const { group, page, block, room } = this.#place(lba + at / size);
      const length = Math.min(room * size, into.byteLength - at);
      const memory = this.#groups.get(group)!.pages[page]!;
      into.set(memory.subarray(block * size, block * size + length), at);
      at += length;
    }
  }

  /** Divides blocks into runs of those that were written and the others. */
  *runs(lba: number, count: number): Generator<Run> {
    const end = lba + count;
    let start = lba;
    let current = false;
    for (let at = lba; at < end;) {
      const { group, page, block, room } = this.#place(at);
      const found = this.#groups.get(group);
      const mask = found?.written[page] ?? 0;
      // Without a group, its rest is one step.
      const step = found === undefined
        ? this.#blocksInAGroup - at % this.#blocksInAGroup
        : mask === 0 || mask === bits(0, this.#blocksInAPage)
        ? room
        : 1;
      const written = (mask >> block & 1) !== 0;
      if (written !== current && at > start) {
        yield { lba: start, count: at - start, written: current };
        start = at;
      }
      current = written;
      at += step;
    }
    yield { lba: start, count: end - start, written: current };
  }

  /** Forgets blocks. Takes time for the groups that exist, not for all. */
  forget(lba: number, count: number): void {
    const end = lba + count;
    const first = Math.floor(lba / this.#blocksInAGroup);
    const last = Math.floor((end - 1) / this.#blocksInAGroup);
    if (last - first < this.#groups.size) {
      for (let it = first; it <= last; it++) this.#forgetIn(it, lba, end);
      return;
    }
    for (const it of [...this.#groups.keys()]) this.#forgetIn(it, lba, end);
  }

  /** Forgets all blocks. */
  clear(): void {
    this.#groups.clear();
    this.#count = 0;
  }

  /** Forgets those blocks of a group that lie from `lba` to before `end`. */
  #forgetIn(number: number, lba: number, end: number): void {
    const group = this.#groups.get(number);
    if (group === undefined) return;
    const { pages, written } = group;
    const start = number * this.#blocksInAGroup;
    written.forEach((mask, page) => {
      const first = start + page * this.#blocksInAPage;
      const from = Math.max(lba - first, 0);
      const count = Math.min(end - first, this.#blocksInAPage) - from;
      if (count <= 0) return;
      written[page] &= ~bits(from, count);
      this.#count += ones(written[page]) - ones(mask);
      if (written[page] === 0) pages[page] = undefined;
    });
    if (written.every((mask) => mask === 0)) this.#groups.delete(number);
  }

  /** Where a block lies, and how many blocks its page has from there on. */
  #place(lba: number) {
    const group = Math.floor(lba / this.#blocksInAGroup);
    const inGroup = lba - group * this.#blocksInAGroup;
    const page = Math.floor(inGroup / this.#blocksInAPage);
    const block = inGroup % this.#blocksInAPage;
    return { group, page, block, room: this.#blocksInAPage - block };
  }

  #add(number: number): Group {
    const group = {
      pages: new Array(PAGES_IN_A_GROUP).fill(undefined),
      written: new Uint8Array(PAGES_IN_A_GROUP),
    };
    this.#groups.set(number, group);
    return group;
  }
}

/** So many bits from a place on. */
function bits(from: number, count: number): number {
  return ((1 << count) - 1) << from;
}

/** The number of bits that are set in a byte. */
function ones(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
}
