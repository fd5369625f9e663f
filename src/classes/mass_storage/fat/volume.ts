/**
 * Lays out a tree of files as a FAT volume.
 *
 * @module
 */
import { show } from "../../../arguments/show.ts";
import { AllocationTable, Chains } from "./allocation_table.ts";
import {
  BACKUP_SECTOR,
  bootSector,
  FS_INFO_SECTOR,
  fsInfo,
  partitionTable,
  type VolumeNames,
} from "./boot_sectors.ts";
import {
  DirectoryWriter,
  ENTRY_SIZE,
  entryCount,
  MAX_ENTRIES,
} from "./directory_entries.ts";
import {
  Demand,
  FAT_COUNT,
  FIRST_CLUSTER,
  type Geometry,
  type GeometryOptions,
  planGeometry,
} from "./geometry.ts";
import { LongNames } from "./long_names.ts";
import { MemoryContent, Segments } from "./segments.ts";
import { type ShortName, ShortNames } from "./short_names.ts";
import type { Slices } from "../../slices.ts";
import {
  ACTION,
  type DirectoryNode,
  type FileNode,
  isDirectory,
  type TreeNode,
} from "./tree.ts";

/** A disk as it is read. */
export interface Volume {
  readonly geometry: Geometry;
  readonly segments: Segments;
}

/** What does not come from the files. */
export interface VolumeOptions extends GeometryOptions, VolumeNames {
  /** When the volume was made, in milliseconds since 1970. */
  readonly now: number;
}

/** A file with its place. */
interface PlacedFile {
  readonly node: FileNode;
  cluster: number;
}

/** A directory with its place. */
interface PlacedDirectory {
  readonly node: DirectoryNode;
  /** The directory that it is in; undefined for the root. */
  readonly parent: PlacedDirectory | undefined;
  /** What is in it, once it has names. */
  entries: readonly NamedEntry[];
  /** Bytes of its entries. */
  size: number;
  cluster: number;
}

/** A file or directory with its names. */
interface NamedEntry {
  readonly longName: string;
  readonly shortName: ShortName;
  readonly target: PlacedFile | PlacedDirectory;
}

/** Lays out a tree as a volume, or as a disk with one. */
export async function layOut(
  root: DirectoryNode,
  options: VolumeOptions,
  slices: Slices,
): Promise<Volume> {
  const layout = new Layout(root, options, slices);
  const geometry = await layout.plan();
  const chains = await layout.allocate(geometry);
  const segments = await layout.write(geometry, chains);
  return { geometry, segments };
}

/** The steps, each of which needs the one before it. */
class Layout {
  readonly #options: VolumeOptions;
  readonly #slices: Slices;
  /** The root comes first, and each directory before those in it. */
  readonly #directories: PlacedDirectory[];
  readonly #files: PlacedFile[] = [];

  constructor(root: DirectoryNode, options: VolumeOptions, slices: Slices) {
    this.#options = options;
    this.#slices = slices;
    this.#directories = [placeOf(root, undefined)];
  }

  /** Names everything, which gives the sizes of the directories, and with them all others. */
  async plan(): Promise<Geometry> {
    const demand = new Demand();
    const [root] = this.#directories;
    // It grows on the way.
    for (const directory of this.#directories) {
      await this.#name(directory);
      if (directory !== root) demand.add(directory.size);
    }
    for (const { node } of this.#files) {
      if (this.#slices.isOver) await this.#slices.next();
      demand.add(node.content.size);
    }
    return planGeometry(root.size, demand, this.#options);
  }

  async #name(directory: PlacedDirectory): Promise<void> {
    const { node, parent } = directory;
    const names = node.entries.map(({ name }) => name);
    const longNames = await this.#assign(names, new LongNames());
    const shortNames = await this.#assign(longNames, new ShortNames());
    let count = parent !== undefined ? 2 : this.#options.label ? 1 : 0;
    const entries: NamedEntry[] = [];
    for (const [index, node] of directory.node.entries.entries()) {
      if (this.#slices.isOver) await this.#slices.next();
      const longName = longNames[index];
      const shortName = shortNames[index];
      const target = this.#place(node, directory);
      entries.push({ longName, shortName, target });
      count += entryCount(longName, shortName);
    }
    if (count > MAX_ENTRIES) {
      throw new RangeError(
        `Cannot ${ACTION}: the names in ${
          parent === undefined ? "the root directory" : show(node.name)
        } need ${count} entries, a directory has ${MAX_ENTRIES} at most`,
      );
    }
    directory.entries = entries;
    directory.size = count * ENTRY_SIZE;
  }

  /** Gives each file of a directory a name: first the names that it can keep. */
  async #assign<T>(
    originals: readonly string[],
    names: { keep(it: string): T | undefined; change(it: string): T },
  ): Promise<T[]> {
    const kept: (T | undefined)[] = [];
    for (const original of originals) {
      if (this.#slices.isOver) await this.#slices.next();
      kept.push(names.keep(original));
    }
    const result: T[] = [];
    for (const [index, it] of kept.entries()) {
      if (this.#slices.isOver) await this.#slices.next();
      result.push(it ?? names.change(originals[index]));
    }
    return result;
  }

  #place(
    node: TreeNode,
    parent: PlacedDirectory,
  ): PlacedFile | PlacedDirectory {
    if (isDirectory(node)) {
      const directory = placeOf(node, parent);
      this.#directories.push(directory);
      return directory;
    }
    const file = { node, cluster: 0 };
    this.#files.push(file);
    return file;
  }

  /** Gives clusters to everything: directories, then files, each in one piece. */
  async allocate(geometry: Geometry): Promise<Chains> {
    const clusterSize = geometry.sectorSize * geometry.sectorsPerCluster;
    const chains = new Chains();
    const take = (size: number) => chains.take(Math.ceil(size / clusterSize));
    for (const directory of this.#directories) {
      if (this.#slices.isOver) await this.#slices.next();
      const { parent, size } = directory;
      if (parent !== undefined) directory.cluster = take(size);
      // The root of FAT32 has a cluster even if nothing is in it.
      else if (geometry.bits === 32) {
        directory.cluster = take(Math.max(1, size));
      }
    }
    for (const file of this.#files) {
      if (this.#slices.isOver) await this.#slices.next();
      file.cluster = take(file.node.content.size);
    }
    return chains;
  }

  /** Writes what is no file, and puts everything in its place. */
  async write(geometry: Geometry, chains: Chains): Promise<Segments> {
    const { sectorSize, start, reservedSectors, fatSectors } = geometry;
    const segments = new Segments();
    const add = (sector: number, bytes: Uint8Array) =>
      segments.add(sector * sectorSize, new MemoryContent(bytes));
    if (start > 0) add(0, partitionTable(geometry, this.#options));
    const boot = bootSector(geometry, this.#options);
    add(start, boot);
    if (geometry.bits === 32) {
      const info = fsInfo(geometry, chains.next);
      add(start + FS_INFO_SECTOR, info);
      add(start + BACKUP_SECTOR, boot);
      add(start + BACKUP_SECTOR + FS_INFO_SECTOR, info);
    }
    const table = new AllocationTable(geometry, chains);
    const fats = start + reservedSectors;
    for (let copy = 0; copy < FAT_COUNT; copy++) {
      segments.add((fats + copy * fatSectors) * sectorSize, table);
    }
    const rootSector = fats + FAT_COUNT * fatSectors;
    const sectorOf = (cluster: number) =>
      rootSector + geometry.rootSectors +
      (cluster - FIRST_CLUSTER) * geometry.sectorsPerCluster;
    for (const directory of this.#directories) {
      const { cluster } = directory;
      const sector = cluster === 0 ? rootSector : sectorOf(cluster);
      add(sector, await this.#entriesOf(directory));
    }
    for (const { node, cluster } of this.#files) {
      if (this.#slices.isOver) await this.#slices.next();
      segments.add(sectorOf(cluster) * sectorSize, node.content);
    }
    return segments;
  }

  async #entriesOf(
    { node, parent, entries, size, cluster }: PlacedDirectory,
  ): Promise<Uint8Array> {
    const writer = new DirectoryWriter(size);
    const { label, now } = this.#options;
    if (parent === undefined) {
      if (label) writer.addLabel(label, now);
    } else {
      // The root counts as cluster 0 here, wherever it is.
      const isInRoot = parent.parent === undefined;
      writer.addDots(node.modified, cluster, isInRoot ? 0 : parent.cluster);
    }
    for (const { longName, shortName, target } of entries) {
      if (this.#slices.isOver) await this.#slices.next();
      const isFile = !("parent" in target);
      writer.add({
        longName,
        shortName,
        isDirectory: !isFile,
        modified: target.node.modified,
        cluster: target.cluster,
        size: isFile ? target.node.content.size : 0,
      });
    }
    return writer.bytes;
  }
}

function placeOf(
  node: DirectoryNode,
  parent: PlacedDirectory | undefined,
): PlacedDirectory {
  return { node, parent, entries: [], size: 0, cluster: 0 };
}
