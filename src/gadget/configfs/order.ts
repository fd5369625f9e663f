/**
 * The order in which attributes and links of a function are written. Pure.
 *
 * In a definition the order of keys means nothing. Some drivers need one order
 * of files and links, and derive numbers from the order in which directories
 * and links are made. Here both follow from names.
 *
 * @module
 */

/**
 * Files of one directory that must come before or after the others: a drive
 * with a medium refuses `cdrom` and `ro`, `cdrom` also sets `ro`, and
 * `forced_eject` applies to the previous medium.
 */
const RANKS: readonly (readonly [RegExp, number])[] = [
  [/^lun\.\d+\/cdrom$/, -2],
  [/^lun\.\d+\/ro$/, -1],
  [/^lun\.\d+\/forced_eject$/, 1],
  [/^lun\.\d+\/file$/, 2],
];

/**
 * Whether a file must be written before directories of others are made: the
 * formats of a camera use the default colors, which then cannot be changed.
 */
export function comesFirst(path: string): boolean {
  return path.startsWith("streaming/color_matching/");
}

/** A link inside a function's directory: its path, and where it leads. */
export type Link = readonly [path: string, target: string];

/**
 * Sorts attributes by their directories, in the natural order of their names
 * (`360p` before `720p` before `1080p`), and in each directory by rank.
 */
export function sortAttributes<T extends { readonly path: string }>(
  attributes: readonly T[],
): T[] {
  return attributes.toSorted((a, b) =>
    compareNames(directoryOf(a.path), directoryOf(b.path)) ||
    rank(a.path) - rank(b.path) || compareNames(a.path, b.path)
  );
}

/**
 * Sorts links by their names, in natural order, except that a directory gets
 * its links before a link leads to it: the kernel reads it at that moment.
 */
export function sortLinks(links: readonly Link[]): Link[] {
  const left = links.toSorted(([a], [b]) => compareNames(a, b));
  const sorted: Link[] = [];
  /** Whether the targets of all links in a directory have their own links. */
  const isReady = (directory: string) =>
    left.every(([path, target]) =>
      directoryOf(path) !== directory ||
      !left.some(([other]) => other.startsWith(`${target}/`))
    );
  while (left.length > 0) {
    const index = left.findIndex(([path]) => isReady(directoryOf(path)));
    // In a circle of links, the kernel refuses one.
    sorted.push(...left.splice(Math.max(index, 0), 1));
  }
  return sorted;
}

function rank(path: string): number {
  return RANKS.find(([pattern]) => pattern.test(path))?.[1] ?? 0;
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

/** Compares names in natural order: `360p` before `1080p`. */
export function compareNames(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true }) ||
    (a === b ? 0 : a < b ? -1 : 1);
}
