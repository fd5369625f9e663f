/**
 * The order in which the kernel takes what a definition says about a function.
 *
 * A definition is plain data: the order of its keys means nothing. Some drivers
 * want their files and links in one order, and derive numbers from the order in
 * which directories and links are made. Both follow from names here. Pure.
 *
 * @module
 */

/**
 * Files of one directory that must come before or after the others: a drive
 * with a medium takes no `cdrom` and no `ro`, `cdrom` sets `ro` as well, and
 * `forced_eject` is about the medium before.
 */
const RANKS: readonly (readonly [RegExp, number])[] = [
  [/^lun\.\d+\/cdrom$/, -2],
  [/^lun\.\d+\/ro$/, -1],
  [/^lun\.\d+\/forced_eject$/, 1],
  [/^lun\.\d+\/file$/, 2],
];

/** A link inside a function's directory: its path, and where it leads. */
export type Link = readonly [path: string, target: string];

/**
 * Sorts attributes by their directories, in the natural order of their names
 * (`360p` before `720p` before `1080p`), and in each as the kernel takes them.
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
 * its links before a link leads to it: the kernel takes it as it is then.
 */
export function sortLinks(links: readonly Link[]): Link[] {
  const left = links.toSorted(([a], [b]) => compareNames(a, b));
  const sorted: Link[] = [];
  /** Whether all that the links of a directory lead to has its own. */
  const isReady = (directory: string) =>
    left.every(([path, target]) =>
      directoryOf(path) !== directory ||
      !left.some(([other]) => other.startsWith(`${target}/`))
    );
  while (left.length > 0) {
    const index = left.findIndex(([path]) => isReady(directoryOf(path)));
    // Links that lead round in a circle: the kernel refuses one of them.
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

function compareNames(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true }) ||
    (a === b ? 0 : a < b ? -1 : 1);
}
