/**
 * Directories and links in a gadget's directory, and the links that add
 * functions to configurations.
 *
 * @module
 */
import { isSystemError } from "../../../ffi/errno.ts";
import { exists, list, readlink } from "../../../ffi/file.ts";
import type { TreeWriter } from "./writer.ts";

/** The directories in a directory, by name. */
export function directoriesIn(writer: TreeWriter, path: string): string[] {
  return entriesIn(writer, path).filter((it) => it.isDirectory)
    .map((it) => it.name).sort();
}

/** The links in a directory, by name. */
export function linksIn(writer: TreeWriter, path: string): string[] {
  return entriesIn(writer, path).filter((it) => it.isSymlink)
    .map((it) => it.name).sort();
}

function entriesIn(writer: TreeWriter, path: string) {
  const absolute = writer.resolve(path);
  return exists(absolute) ? list(absolute) : [];
}

/** A link in a configuration: its path, and the directory of its function. */
export type FunctionLink = readonly [path: string, directory: string];

/** Reads the links of all configurations, in their order. */
export function readLinks(writer: TreeWriter): FunctionLink[] {
  return directoriesIn(writer, "configs").flatMap((configuration) =>
    linksIn(writer, `configs/${configuration}`).map((name): FunctionLink => {
      const path = `configs/${configuration}/${name}`;
      return [path, readlink(writer.resolve(path)).split("/").at(-1)!];
    })
  );
}

/**
 * Removes the links to all functions and makes them again, so that the kernel
 * makes new objects behind them. A failed bind can break the old ones:
 * `_ffs_func_bind()` leaves descriptors of the failed attempt behind, and every
 * later attempt fails (seen up to Linux 7.3).
 */
export function relinkFunctions(writer: TreeWriter): void {
  const links = readLinks(writer);
  for (const [path] of links.toReversed()) writer.unlink(path);
  for (const [path, directory] of links) {
    writer.link(`functions/${directory}`, path);
  }
}

/** Makes the links again that no longer exist, as far as the kernel allows it. */
export function restoreLinks(
  writer: TreeWriter,
  links: readonly FunctionLink[],
): void {
  for (const [path, directory] of links) {
    if (exists(writer.resolve(path))) continue;
    try {
      writer.link(`functions/${directory}`, path);
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }
}
