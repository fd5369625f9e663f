/**
 * Makes and changes the directories of functions.
 *
 * @module
 */
import { exists } from "../../ffi/file.ts";
import type { AttributeNode, FunctionNode } from "./tree_model.ts";
import type { TreeWriter } from "./tree_writer.ts";

/** Makes the directory of a function, with all that belongs inside. */
export function makeFunction(writer: TreeWriter, node: FunctionNode): void {
  const path = `functions/${node.directory}`;
  writer.make(path);
  for (const attribute of node.attributes) {
    makeParents(writer, path, attribute.path);
    writer.set(path, attribute);
  }
  for (const [link, target] of node.links) {
    makeParents(writer, path, link);
    writer.link(`${path}/${target}`, `${path}/${link}`);
  }
}

/**
 * Changes attributes of a function that is there.
 *
 * @param writer The gadget's directory.
 * @param node What the function should be.
 * @param different Those of its attributes that differ.
 */
export function changeFunction(
  writer: TreeWriter,
  node: FunctionNode,
  different: readonly AttributeNode[],
): void {
  const path = `functions/${node.directory}`;
  // A drive with a medium is not changed, except for its medium.
  const eject = new Set(
    different.filter(({ path }) => /^lun\.\d+\/(ro|cdrom)$/.test(path))
      .map(({ path }) => `${path.split("/")[0]}/file`),
  );
  for (const file of eject) {
    makeParents(writer, path, file);
    writer.set(path, { path: file, value: "" });
  }
  for (const attribute of node.attributes) {
    if (!different.includes(attribute) && !eject.has(attribute.path)) continue;
    makeParents(writer, path, attribute.path);
    writer.set(path, attribute);
  }
}

/** Some attributes lie in directories that the kernel has not made by itself. */
function makeParents(writer: TreeWriter, base: string, path: string): void {
  const parts = path.split("/").slice(0, -1);
  parts.forEach((_, index) => {
    const parent = `${base}/${parts.slice(0, index + 1).join("/")}`;
    if (!exists(writer.resolve(parent))) writer.make(parent);
  });
}
