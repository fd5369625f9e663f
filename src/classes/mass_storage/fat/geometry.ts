/**
 * The sizes of a volume: the type of FAT, clusters, and where everything lies.
 *
 * @module
 */

/** Sectors before the partition: 1 MiB, as partitioning programs leave it. */
const PARTITION_OFFSET = 1 << 20;
/** The cluster sizes: from a page of the host's memory to what every host can read. */
const CLUSTER_SIZES = [4096, 8192, 16_384, 32_768];
/**
 * Beyond these, clusters grow. Room costs nothing, but a host that looks for the
 * end of a large file reads the FAT sector by sector: up to 4 GiB, it has 512 KiB.
 */
const MANY_CLUSTERS = 1 << 17;

// The number of clusters alone decides how a host reads the FAT (FAT
// specification, section 3.5): 12 bits below 4085, 32 bits from 65,525 on. Some
// hosts are wrong by a few, so the specification asks for a distance of 16.
const MIN_FAT16 = 4085 + 16;
const MAX_FAT16 = 65_524 - 16;
const MIN_FAT32 = 65_525 + 16;
const MAX_FAT32 = 0x0fff_fff5 - 16;
/** Sectors of a disk with a partition table, and of a volume. */
const MAX_SECTORS = 2 ** 32 - 1;

/** Bytes of the root directory of FAT16: 512 entries, which every host can read. */
const FAT16_ROOT = 512 * 32;
/** Copies of the FAT, which are the same. */
export const FAT_COUNT = 2;
/** The first cluster of the data. */
export const FIRST_CLUSTER = 2;

/** How many clusters some files and directories take, whatever the size of a cluster will be. */
export class Demand {
  readonly #clusters = CLUSTER_SIZES.map(() => 0);

  /** Adds a file or directory. */
  add(byteLength: number): void {
    CLUSTER_SIZES.forEach((size, index) => {
      this.#clusters[index] += Math.ceil(byteLength / size);
    });
  }

  /** The number of clusters of a size. */
  clusters(clusterSize: number): number {
    return this.#clusters[CLUSTER_SIZES.indexOf(clusterSize)];
  }
}

/** What the caller chooses. */
export interface GeometryOptions {
  readonly sectorSize: number;
  readonly hasPartitionTable: boolean;
}

/** Where everything lies, in sectors; FATs and data begin at whole clusters of the volume. */
export interface Geometry {
  /** Bits of an entry in the FAT. */
  readonly bits: 16 | 32;
  /** Bytes of a sector. */
  readonly sectorSize: number;
  /** The first sector of the volume. */
  readonly start: number;
  /** Before the first FAT. */
  readonly reservedSectors: number;
  /** In each FAT. */
  readonly fatSectors: number;
  /** In the root directory of FAT16; 0 for FAT32, whose root has clusters. */
  readonly rootSectors: number;
  readonly sectorsPerCluster: number;
  /** Clusters, free ones included. */
  readonly clusters: number;
  /** In the volume. */
  readonly sectors: number;
}

/**
 * Chooses the smallest clusters in which everything fits. There are only as many
 * as are needed, but enough for FAT16, or FAT32: free clusters cost nothing.
 *
 * @param rootSize Bytes of the entries in the root directory.
 * @param demand Of everything else.
 * @throws {RangeError} If it fits in no volume.
 */
export function planGeometry(
  rootSize: number,
  demand: Demand,
  options: GeometryOptions,
): Geometry {
  const [smallest] = CLUSTER_SIZES;
  const used16 = demand.clusters(smallest);
  if (used16 <= MAX_FAT16 && rootSize <= FAT16_ROOT) {
    return geometryOf(16, Math.max(used16, MIN_FAT16), smallest, options);
  }
  const used = (size: number) =>
    demand.clusters(size) + Math.ceil(rootSize / size);
  const clusterSize = CLUSTER_SIZES.find((it) => used(it) <= MANY_CLUSTERS) ??
    CLUSTER_SIZES.at(-1)!;
  const clusters = Math.max(used(clusterSize), MIN_FAT32);
  const geometry = geometryOf(32, clusters, clusterSize, options);
  const end = geometry.start + geometry.sectors;
  if (clusters <= MAX_FAT32 && end <= MAX_SECTORS) return geometry;
  const most = Math.min(
    MAX_SECTORS * options.sectorSize,
    MAX_FAT32 * clusterSize,
  );
  throw new RangeError(
    `Cannot make FAT disk: the files need ${
      clusters * clusterSize
    } bytes, FAT32 has ${most} at most`,
  );
}

function geometryOf(
  bits: 16 | 32,
  clusters: number,
  clusterSize: number,
  { sectorSize, hasPartitionTable }: GeometryOptions,
): Geometry {
  const sectorsPerCluster = clusterSize / sectorSize;
  const align = (sectors: number) =>
    Math.ceil(sectors / sectorsPerCluster) * sectorsPerCluster;
  const reservedSectors = align(bits === 32 ? 32 : 1);
  const fatSize = (clusters + FIRST_CLUSTER) * bits / 8;
  const fatSectors = align(Math.ceil(fatSize / sectorSize));
  const rootSectors = bits === 16 ? FAT16_ROOT / sectorSize : 0;
  return {
    bits,
    sectorSize,
    start: hasPartitionTable ? PARTITION_OFFSET / sectorSize : 0,
    reservedSectors,
    fatSectors,
    rootSectors,
    sectorsPerCluster,
    clusters,
    sectors: reservedSectors + FAT_COUNT * fatSectors + rootSectors +
      clusters * sectorsPerCluster,
  };
}
