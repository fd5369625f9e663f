/**
 * Heals functions that a failed bind has broken.
 *
 * @module
 */
import { readlink } from "../../ffi/file.ts";
import { directoriesIn, linksIn } from "./tree_remove.ts";
import type { TreeWriter } from "./tree_writer.ts";

/**
 * Removes the links to all functions and makes them again, which makes the
 * kernel's objects behind them anew. After a failed bind these can be broken:
 * `_ffs_func_bind()` leaves the descriptors of the failed attempt behind, and
 * every later attempt fails (seen up to Linux 7.3).
 */
export function relinkFunctions(writer: TreeWriter): void {
  for (const configuration of directoriesIn(writer, "configs")) {
    const path = `configs/${configuration}`;
    const links = linksIn(writer, path).map((name) => {
      const target = readlink(writer.resolve(`${path}/${name}`));
      return [name, target.slice(target.lastIndexOf("/") + 1)] as const;
    });
    for (const [name] of links.toReversed()) writer.unlink(`${path}/${name}`);
    for (const [name, directory] of links) {
      writer.link(`functions/${directory}`, `${path}/${name}`);
    }
  }
}
