/**
 * The sectors that describe the disk: partition table, boot sector, FSInfo (FAT
 * specification, sections 3 and 5).
 *
 * @module
 */
import { FAT_COUNT, FIRST_CLUSTER, type Geometry } from "./geometry.ts";

/** The sectors of FAT32 with the free space, and with copies of it and of the boot sector. */
export const FS_INFO_SECTOR = 1;
export const BACKUP_SECTOR = 6;

/** How old programs count sectors, as all hosts do on large disks. */
const HEADS = 255;
const SECTORS_PER_TRACK = 63;
const MAX_CYLINDER = 1023;

const FIXED_DISK = 0xf8;
/** The number of the first hard disk for a BIOS. */
const DRIVE = 0x80;
/** Code for a PC that boots from it: continue with the next boot device, or stop. */
const NOT_BOOTABLE = [0xcd, 0x18, 0xeb, 0xfe];

/** What identifies a volume. */
export interface VolumeNames {
  /** At most 11 characters. */
  readonly label: string | undefined;
  readonly serialNumber: number;
}

/** The first sector of a disk with one partition. */
export function partitionTable(
  { bits, start, sectors, sectorSize }: Geometry,
  { serialNumber }: VolumeNames,
): Uint8Array<ArrayBuffer> {
  const { bytes, view } = bootable(sectorSize);
  bytes.set(NOT_BOOTABLE);
  view.setUint32(440, serialNumber, true); // the disk's signature
  const entry = 446;
  bytes.set(cylinderHeadSector(start), entry + 1);
  // FAT16 or FAT32, whose sectors have addresses of 32 bits
  view.setUint8(entry + 4, bits === 16 ? 0x0e : 0x0c);
  bytes.set(cylinderHeadSector(start + sectors - 1), entry + 5);
  view.setUint32(entry + 8, start, true);
  view.setUint32(entry + 12, sectors, true);
  return bytes;
}

/** The address of a sector for programs that do not know its number. */
function cylinderHeadSector(sector: number): number[] {
  const cylinder = Math.floor(sector / (HEADS * SECTORS_PER_TRACK));
  if (cylinder > MAX_CYLINDER) return [0xfe, 0xff, 0xff];
  const head = Math.floor(sector / SECTORS_PER_TRACK) % HEADS;
  const inTrack = sector % SECTORS_PER_TRACK + 1;
  return [head, inTrack | (cylinder >> 8) << 6, cylinder & 0xff];
}

/** The first sector of the volume. */
export function bootSector(
  geometry: Geometry,
  { label = "NO NAME", serialNumber }: VolumeNames,
): Uint8Array<ArrayBuffer> {
  const { bits, sectors, fatSectors, sectorSize } = geometry;
  const { bytes, view } = bootable(sectorSize);
  // The fields up to 36 are the same for both.
  const isSmall = bits === 16 && sectors < 65_536;
  const extended = bits === 16 ? 36 : 64;
  const code = extended + 26;
  bytes.set([0xeb, code - 2, 0x90]); // a jump to the code
  addText(bytes, 3, "MSWIN4.1"); // some hosts want to see this
  view.setUint16(11, sectorSize, true);
  view.setUint8(13, geometry.sectorsPerCluster);
  view.setUint16(14, geometry.reservedSectors, true);
  view.setUint8(16, FAT_COUNT);
  view.setUint16(17, geometry.rootSectors * sectorSize / 32, true);
  view.setUint16(19, isSmall ? sectors : 0, true);
  view.setUint8(21, FIXED_DISK);
  view.setUint16(24, SECTORS_PER_TRACK, true);
  view.setUint16(26, HEADS, true);
  view.setUint32(28, geometry.start, true);
  view.setUint32(32, isSmall ? 0 : sectors, true);
  if (bits === 16) {
    view.setUint16(22, fatSectors, true);
  } else {
    view.setUint32(36, fatSectors, true);
    view.setUint32(44, FIRST_CLUSTER, true); // of the root directory
    view.setUint16(48, FS_INFO_SECTOR, true);
    view.setUint16(50, BACKUP_SECTOR, true);
  }
  view.setUint8(extended, DRIVE);
  view.setUint8(extended + 2, 0x29); // three more fields
  view.setUint32(extended + 3, serialNumber, true);
  addText(bytes, extended + 7, label.padEnd(11));
  addText(bytes, extended + 18, `FAT${bits}`.padEnd(8));
  bytes.set(NOT_BOOTABLE, code);
  return bytes;
}

/** The sector of FAT32 that has the free space, so that hosts need not count. */
export function fsInfo(
  { clusters, sectorSize }: Geometry,
  nextFree: number,
): Uint8Array<ArrayBuffer> {
  const { bytes, view } = bootable(sectorSize);
  const free = clusters + FIRST_CLUSTER - nextFree;
  addText(bytes, 0, "RRaA");
  addText(bytes, 484, "rrAa");
  view.setUint32(488, free, true);
  view.setUint32(492, free > 0 ? nextFree : 0xffff_ffff, true);
  return bytes;
}

/** A sector with the signature of those that a BIOS looks at. */
function bootable(sectorSize: number) {
  const bytes = new Uint8Array(sectorSize);
  bytes.set([0x55, 0xaa], 510);
  return { bytes, view: new DataView(bytes.buffer) };
}

function addText(bytes: Uint8Array, at: number, text: string): void {
  bytes.set(new TextEncoder().encode(text), at);
}
