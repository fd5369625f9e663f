/**
 * Reads a FAT volume, and refuses what a strict host would not like.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { assert, assertEquals } from "@std/assert";
import type { BlockDevice } from "@usb/gadget/mass-storage";
import { type Found, parseDirectory, text } from "./directory.ts";

export type { Found };

/** The files of a directory by name; a directory is a `Map` again. */
export type FoundTree = Map<string, Uint8Array<ArrayBuffer> | FoundTree>;

/** A volume on a disk. */
export class FatReader {
  readonly disk: BlockDevice;
  /** The first block of the volume. */
  readonly start: number;
  readonly bits: 12 | 16 | 32;
  readonly clusters: number;
  readonly clusterSize: number;
  /** In the boot sector. */
  readonly label: string;
  readonly serialNumber: number;
  readonly boot: DataView<ArrayBuffer>;
  /** Blocks of the first FAT, and of what follows. */
  readonly #fat: number;
  readonly #fatBlocks: number;
  readonly #root: number;
  readonly #data: number;
  readonly #rootCluster: number;
  /** Blocks that were read, since chains are followed one by one. */
  #cached: { lba: number; view: DataView<ArrayBuffer> } | undefined;

  private constructor(
    disk: BlockDevice,
    start: number,
    boot: DataView<ArrayBuffer>,
  ) {
    const u16 = (at: number) => boot.getUint16(at, true);
    const u32 = (at: number) => boot.getUint32(at, true);
    this.disk = disk;
    this.start = start;
    this.boot = boot;
    assertEquals(u16(510), 0xaa55);
    assertEquals(u16(11), disk.blockSize, "bytes of a sector");
    const perCluster = boot.getUint8(13);
    assert([1, 2, 4, 8, 16, 32, 64].includes(perCluster), `${perCluster}`);
    this.clusterSize = perCluster * disk.blockSize;
    assertEquals(boot.getUint8(16), 2, "FATs");
    assertEquals(boot.getUint8(21), 0xf8);
    assertEquals(u32(28), start, "hidden sectors");
    const sectors = u16(19) || u32(32);
    assert(u16(19) === 0 || u32(32) === 0);
    assertEquals(start + sectors, disk.blockCount);
    this.#fat = start + u16(14);
    this.#fatBlocks = u16(22) || u32(36);
    this.#root = this.#fat + 2 * this.#fatBlocks;
    const rootBlocks = u16(17) * 32 / disk.blockSize;
    assert(Number.isInteger(rootBlocks));
    this.#data = this.#root + rootBlocks;
    this.clusters = Math.floor(
      (disk.blockCount - this.#data) / perCluster,
    );
    // The specification's only rule.
    this.bits = this.clusters < 4085 ? 12 : this.clusters < 65_525 ? 16 : 32;
    assertEquals(u16(22) === 0, this.bits === 32);
    assertEquals(u16(17) === 0, this.bits === 32);
    this.#rootCluster = this.bits === 32 ? u32(44) : 0;
    assert(
      this.#fatBlocks * disk.blockSize >= (this.clusters + 2) * this.bits / 8,
    );
    // Where hosts read whole pages.
    assertEquals((this.#data - start) % perCluster, 0);
    const extended = this.bits === 32 ? 64 : 36;
    assertEquals(boot.getUint8(extended + 2), 0x29);
    this.serialNumber = u32(extended + 3);
    this.label = text(boot, extended + 7, 11);
    assertEquals(text(boot, extended + 18, 8), `FAT${this.bits}   `);
  }

  /** Finds the volume: in the first partition, or at the first block. */
  static async open(
    disk: BlockDevice,
    hasPartitionTable = true,
  ): Promise<FatReader> {
    const first = await readBlocks(disk, 0, 1);
    if (!hasPartitionTable) return new FatReader(disk, 0, first);
    assertEquals(first.getUint16(510, true), 0xaa55);
    const start = first.getUint32(446 + 8, true);
    const reader = new FatReader(disk, start, await readBlocks(disk, start, 1));
    assertEquals(first.getUint8(446), 0, "not active");
    assertEquals(first.getUint8(446 + 4), reader.bits === 16 ? 0x0e : 0x0c);
    assertEquals(start + first.getUint32(446 + 12, true), disk.blockCount);
    for (let at = 462; at < 510; at++) assertEquals(first.getUint8(at), 0);
    return reader;
  }

  /** The entry of a cluster in the FAT. */
  async entry(cluster: number): Promise<number> {
    const offset = cluster * this.bits / 8;
    const { blockSize } = this.disk;
    const lba = this.#fat + Math.floor(offset / blockSize);
    if (this.#cached?.lba !== lba) {
      this.#cached = { lba, view: await readBlocks(this.disk, lba, 1) };
    }
    const { view } = this.#cached;
    return this.bits === 16
      ? view.getUint16(offset % blockSize, true)
      : view.getUint32(offset % blockSize, true);
  }

  /** The clusters from one on. */
  async chain(cluster: number): Promise<number[]> {
    const end = this.bits === 16 ? 0xfff8 : 0x0fff_fff8;
    const chain: number[] = [];
    while (cluster < end) {
      assert(cluster >= 2 && cluster < this.clusters + 2, `${cluster}`);
      assert(chain.length <= this.clusters, "a chain without an end");
      chain.push(cluster);
      cluster = await this.entry(cluster);
    }
    return chain;
  }

  /** The block where a cluster begins. */
  lbaOf(cluster: number): number {
    const perCluster = this.clusterSize / this.disk.blockSize;
    return this.#data + (cluster - 2) * perCluster;
  }

  /** Reads a file: its size, with the zeros behind its end checked. */
  async readFile({ cluster, size }: Found): Promise<Uint8Array<ArrayBuffer>> {
    if (size === 0) {
      assertEquals(cluster, 0);
      return new Uint8Array(0);
    }
    const bytes = await this.#readChain(await this.chain(cluster));
    assertEquals(
      bytes.length,
      Math.ceil(size / this.clusterSize) * this.clusterSize,
    );
    assert(bytes.subarray(size).every((it) => it === 0));
    return bytes.subarray(0, size);
  }

  async #readChain(chain: readonly number[]): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(chain.length * this.clusterSize);
    for (const [index, cluster] of chain.entries()) {
      const at = index * this.clusterSize;
      await this.disk.read(
        this.lbaOf(cluster),
        bytes.subarray(at, at + this.clusterSize),
      );
    }
    return bytes;
  }

  /** Lists the root directory; its label must be that of the boot sector. */
  async listRoot(): Promise<Found[]> {
    const bytes = this.bits === 32
      ? await this.#readChain(await this.chain(this.#rootCluster))
      : new Uint8Array(
        (await readBlocks(this.disk, this.#root, this.#data - this.#root))
          .buffer,
      );
    const { found, label } = parseDirectory(bytes);
    assertEquals(this.label, label ?? "NO NAME    ");
    return found;
  }

  /** Finds a file or directory in the root directory. */
  async find(name: string): Promise<Found> {
    const found = (await this.listRoot()).find((it) => it.name === name);
    assert(found !== undefined, `no ${name}`);
    return found;
  }

  /** Lists a directory other than the root; checks the entries for itself and its parent. */
  async list({ cluster }: Found, parent: number): Promise<Found[]> {
    const bytes = await this.#readChain(await this.chain(cluster));
    const { found, label } = parseDirectory(bytes);
    assertEquals(label, undefined);
    const [self, up, ...others] = found;
    assertEquals([self.shortName, up.shortName], [
      ".".padEnd(11),
      "..".padEnd(11),
    ]);
    assertEquals([self.isDirectory, up.isDirectory], [true, true]);
    assertEquals([self.cluster, up.cluster], [cluster, parent]);
    return others;
  }

  /** Reads everything, and checks that the FAT has exactly that. */
  async readAll(): Promise<FoundTree> {
    const used = new Set<number>();
    const use = async (cluster: number) => {
      for (const it of await this.chain(cluster)) {
        assert(!used.has(it), `cluster ${it} has two owners`);
        used.add(it);
      }
    };
    const read = async (entries: Found[], self: number): Promise<FoundTree> => {
      const tree: FoundTree = new Map();
      for (const entry of entries) {
        if (entry.cluster !== 0) await use(entry.cluster);
        const content = entry.isDirectory
          ? await read(await this.list(entry, self), entry.cluster)
          : await this.readFile(entry);
        tree.set(entry.name, content);
      }
      return tree;
    };
    if (this.bits === 32) await use(this.#rootCluster);
    const tree = await read(await this.listRoot(), 0);
    await this.#checkFree(used);
    return tree;
  }

  async #checkFree(used: ReadonlySet<number>): Promise<void> {
    const last = this.bits === 16 ? 0xffff : 0x0fff_ffff;
    assertEquals(await this.entry(0), last - 7);
    assertEquals(await this.entry(1), last);
    const fat = await readBlocks(this.disk, this.#fat, this.#fatBlocks);
    const second = await readBlocks(
      this.disk,
      this.#fat + this.#fatBlocks,
      this.#fatBlocks,
    );
    assertEquals(Buffer.compare(bytesOf(fat), bytesOf(second)), 0);
    const width = this.bits / 8;
    for (let at = 2 * width; at < fat.byteLength; at += width) {
      const value = width === 2
        ? fat.getUint16(at, true)
        : fat.getUint32(at, true);
      if ((value !== 0) !== used.has(at / width)) {
        throw new Error(`Entry ${at / width} of the FAT is ${value}`);
      }
    }
    if (this.bits !== 32) return;
    const info = await readBlocks(this.disk, this.start + 1, 1);
    assertEquals(info.getUint32(0, true), 0x41615252);
    assertEquals(info.getUint32(484, true), 0x61417272);
    assertEquals(info.getUint32(508, true), 0xaa550000);
    const free = this.clusters - used.size;
    assertEquals(info.getUint32(488, true), free);
    const next = info.getUint32(492, true);
    if (free === 0) assertEquals(next, 0xffff_ffff);
    else assertEquals(await this.entry(next), 0);
    // Copies
    assertEquals(await readBlocks(this.disk, this.start + 6, 1), this.boot);
    assertEquals(await readBlocks(this.disk, this.start + 7, 1), info);
  }
}

function bytesOf(view: DataView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Reads blocks, into memory that had something else before. */
export async function readBlocks(
  disk: BlockDevice,
  lba: number,
  count: number,
): Promise<DataView<ArrayBuffer>> {
  const bytes = new Uint8Array(count * disk.blockSize).fill(0xa5);
  await disk.read(lba, bytes);
  return new DataView(bytes.buffer);
}
