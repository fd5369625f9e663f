/**
 * The bytes of a directory (FAT specification, sections 6 and 7).
 *
 * @module
 */
import type { ShortName } from "./short_names.ts";
import { encodeTime } from "./timestamps.ts";

/** Bytes of an entry. */
export const ENTRY_SIZE = 32;
/** The most entries of a directory: 2 MiB. */
export const MAX_ENTRIES = 65_536;

/** UTF-16 code units in an entry of a long name, and where they are. */
const UNITS = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
const LONG_NAME = 0x0f;
const LAST_PART = 0x40;

/** Attributes. */
const VOLUME_LABEL = 0x08;
const DIRECTORY = 0x10;
const ARCHIVE = 0x20;

/** A file or directory in its parent. */
export interface Entry {
  readonly longName: string;
  readonly shortName: ShortName;
  readonly isDirectory: boolean;
  /** In milliseconds since 1970. */
  readonly modified: number;
  /** Its first cluster; 0 if it has none. */
  readonly cluster: number;
  /** Bytes; 0 for a directory. */
  readonly size: number;
}

/** How many entries of 32 bytes a file or directory needs. */
export function entryCount(longName: string, { isWhole }: ShortName): number {
  return isWhole ? 1 : 1 + Math.ceil(longName.length / UNITS.length);
}

/** Writes the entries of a directory one after another. */
export class DirectoryWriter {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  #at = 0;

  /** @param byteLength Of the directory; what is not written is free. */
  constructor(byteLength: number) {
    this.#bytes = new Uint8Array(byteLength);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** The bytes. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Adds the label of the volume, in the root directory. */
  addLabel(label: string, modified: number): void {
    this.#add(label.padEnd(11), VOLUME_LABEL, modified, 0, 0);
  }

  /** Adds the entries for the directory itself and for its parent, which come first. */
  addDots(modified: number, cluster: number, parentCluster: number): void {
    this.#add(".".padEnd(11), DIRECTORY, modified, cluster, 0);
    this.#add("..".padEnd(11), DIRECTORY, modified, parentCluster, 0);
  }

  /** Adds a file or directory. */
  add(entry: Entry): void {
    const { longName, shortName, isDirectory, modified, cluster, size } = entry;
    if (!shortName.isWhole) this.#addLongName(longName, shortName.text);
    const attributes = isDirectory ? DIRECTORY : ARCHIVE;
    this.#add(shortName.text, attributes, modified, cluster, size);
  }

  #add(
    shortName: string,
    attributes: number,
    modified: number,
    cluster: number,
    size: number,
  ): void {
    const at = this.#at;
    const view = this.#view;
    const { date, time } = encodeTime(new Date(modified));
    this.#addText(at, shortName);
    view.setUint8(at + 11, attributes);
    view.setUint16(at + 14, time, true); // created
    view.setUint16(at + 16, date, true);
    view.setUint16(at + 18, date, true); // accessed
    view.setUint16(at + 20, cluster >>> 16, true);
    view.setUint16(at + 22, time, true); // modified
    view.setUint16(at + 24, date, true);
    view.setUint16(at + 26, cluster & 0xffff, true);
    view.setUint32(at + 28, size, true);
    this.#at += ENTRY_SIZE;
  }

  /** The parts of a long name, the last one first. */
  #addLongName(longName: string, shortName: string): void {
    const count = Math.ceil(longName.length / UNITS.length);
    const sum = checksum(shortName);
    for (let part = count; part > 0; part--) {
      const at = this.#at;
      const view = this.#view;
      view.setUint8(at, part === count ? part | LAST_PART : part);
      view.setUint8(at + 11, LONG_NAME);
      view.setUint8(at + 13, sum);
      UNITS.forEach((offset, index) => {
        const unit = (part - 1) * UNITS.length + index;
        // A zero behind the end, then ones.
        const code = unit < longName.length
          ? longName.charCodeAt(unit)
          : unit === longName.length
          ? 0
          : 0xffff;
        view.setUint16(at + offset, code, true);
      });
      this.#at += ENTRY_SIZE;
    }
  }

  #addText(at: number, text: string): void {
    for (let i = 0; i < text.length; i++) {
      this.#bytes[at + i] = text.charCodeAt(i);
    }
  }
}

/** Binds the parts of a long name to the entry behind them. */
function checksum(shortName: string): number {
  let sum = 0;
  for (let i = 0; i < shortName.length; i++) {
    const rotated = (sum & 1) << 7 | sum >> 1;
    sum = (rotated + shortName.charCodeAt(i)) & 0xff;
  }
  return sum;
}
