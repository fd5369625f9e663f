/**
 * The links that put functions into configurations: they are made again to heal
 * functions that a failed bind has broken, and after a failed change.
 *
 * @module
 */
import { isSystemError } from "../../../ffi/errno.ts";
import { exists, readlink } from "../../../ffi/file.ts";
import { directoriesIn, linksIn } from "./remove.ts";
import type { TreeWriter } from "./writer.ts";

/** A link in a configuration: its path, and the directory of its function. */
export type FunctionLink = readonly [path: string, directory: string];

/** Reads all links of a gadget, in their order. */
export function readLinks(writer: TreeWriter): FunctionLink[] {
  return directoriesIn(writer, "configs").flatMap((configuration) =>
    linksIn(writer, `configs/${configuration}`).map((name): FunctionLink => {
      const path = `configs/${configuration}/${name}`;
      return [path, readlink(writer.resolve(path)).split("/").at(-1)!];
    })
  );
}

/**
 * Removes the links to all functions and makes them again, which makes the
 * kernel's objects behind them anew. After a failed bind these can be broken:
 * `_ffs_func_bind()` leaves the descriptors of the failed attempt behind, and
 * every later attempt fails (seen up to Linux 7.3).
 */
export function relinkFunctions(writer: TreeWriter): void {
  const links = readLinks(writer);
  for (const [path] of links.toReversed()) writer.unlink(path);
  for (const [path, directory] of links) {
    writer.link(`functions/${directory}`, path);
  }
}

/** Makes links again that are not there any more, where the kernel lets it. */
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
