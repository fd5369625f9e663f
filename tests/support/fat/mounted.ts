/**
 * FAT volumes on which programs of others work.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { BlockDevice } from "@usb/gadget/mass-storage";
import { shell } from "../machine/shell.ts";
import type { FoundTree } from "./reader.ts";

/** Bytes that are read at once. */
const PIECE = 1 << 20;

/** Writes what is on a disk, from a block on, to a file, which is sparse. */
export async function writeImage(
  disk: BlockDevice,
  start: number,
  path: string,
): Promise<void> {
  const { blockSize, blockCount } = disk;
  using file = await Deno.open(path, { write: true, create: true });
  await file.truncate((blockCount - start) * blockSize);
  const memory = new Uint8Array(PIECE);
  const zeros = Buffer.alloc(PIECE);
  for (let lba = start; lba < blockCount; lba += PIECE / blockSize) {
    const count = Math.min(PIECE / blockSize, blockCount - lba);
    const bytes = memory.subarray(0, count * blockSize);
    await disk.read(lba, bytes);
    if (zeros.subarray(0, bytes.length).equals(bytes)) continue;
    await file.seek((lba - start) * blockSize, Deno.SeekMode.Start);
    for (let at = 0; at < bytes.length;) {
      at += await file.write(bytes.subarray(at));
    }
  }
}

/** Mounts a volume for the duration of some work. */
export async function withMounted(
  source: string,
  options: string,
  work: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await shell(`mount -t vfat -o ro,${options} ${source} ${path}`);
    try {
      await work(path);
    } finally {
      await shell(`umount ${path}`);
    }
  } finally {
    await Deno.remove(path);
  }
}

/** Reads all files of a directory. */
export async function readTree(path: string): Promise<FoundTree> {
  const tree: FoundTree = new Map();
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    const below = `${path}/${name}`;
    tree.set(
      name,
      isDirectory ? await readTree(below) : await Deno.readFile(below),
    );
  }
  return tree;
}

/** The same tree, sorted by name: file systems have orders of their own. */
export function sorted(tree: FoundTree): FoundTree {
  const entries = [...tree].sort(([a], [b]) => a < b ? -1 : 1);
  return new Map(
    entries.map(([name, it]) => [name, it instanceof Map ? sorted(it) : it]),
  );
}
