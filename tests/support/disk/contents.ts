/**
 * The contents of disks, on both sides of the cable.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import {
  type BlockDevice,
  type MemoryDisk,
  memoryDisk,
} from "@usb/gadget/mass-storage";
import { shell } from "../machine/shell.ts";

/** Makes a disk in memory with random contents. */
export function randomDisk(size: number, blockSize = 512): MemoryDisk {
  const disk = memoryDisk(size, { blockSize });
  disk.write!(0, randomBytes(size));
  return disk;
}

function randomBytes(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes;
}

/** The contents of a disk. */
export async function contentsOf(disk: BlockDevice): Promise<Uint8Array> {
  const bytes = new Uint8Array(disk.blockCount * disk.blockSize);
  await disk.read(0, bytes);
  return bytes;
}

/** The checksum of bytes, in hexadecimal. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest(
    "SHA-256",
    bytes as Uint8Array<ArrayBuffer>,
  );
  return new Uint8Array(hash).toHex();
}

/** Fails unless the host reads the contents of a disk, from the medium itself. */
export async function assertSame(
  node: string,
  disk: BlockDevice,
): Promise<void> {
  const read = await shell(
    `dd if=${node} bs=64k iflag=direct 2>/dev/null | sha256sum`,
  );
  assertEquals(read.slice(0, 64), await sha256(await contentsOf(disk)));
}

/** Fails unless the host finds no medium in a drive. */
export function assertEmpty(node: string): Promise<Error> {
  return assertRejects(() => shell(`dd if=${node}`), Error, "No medium found");
}
