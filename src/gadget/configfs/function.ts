/**
 * Adds functions to a gadget, and changes their attributes.
 *
 * @module
 */
import { isSystemError } from "../../../ffi/errno.ts";
import { exists } from "../../../ffi/file.ts";
import { withHint } from "../../remedies/hint.ts";
import { comesFirst } from "./order.ts";
import { type AttributeNode, type FunctionNode, isMedium } from "./tree.ts";
import type { TreeWriter } from "./writer.ts";

/** Makes the directory of a function, with its attributes and links. */
export function addFunction(writer: TreeWriter, node: FunctionNode): void {
  const path = `functions/${node.directory}`;
  writer.make(path);
  const first = node.attributes.filter((it) => comesFirst(it.path));
  const others = node.attributes.filter((it) => !first.includes(it));
  for (const attributes of [first, others]) {
    // First: an attribute may refer to a directory, such as the default frame.
    for (const { path: attribute } of attributes) {
      makeParents(writer, path, attribute);
    }
    for (const attribute of attributes) writer.set(path, attribute);
  }
  for (const [link, target] of node.links) {
    makeParents(writer, path, link);
    writer.link(`${path}/${target}`, `${path}/${link}`);
  }
}

/**
 * Changes attributes of an existing function.
 *
 * @param different The attributes of `node` that differ.
 */
export function changeFunction(
  writer: TreeWriter,
  node: FunctionNode,
  different: readonly AttributeNode[],
): void {
  const path = `functions/${node.directory}`;
  for (const { path: attribute } of different) {
    makeParents(writer, path, attribute);
  }
  // The kind of a drive can only change without a medium: eject and insert it.
  const drives = new Set(
    different.filter(({ path }) => /^lun\.\d+\/(ro|cdrom)$/.test(path))
      .map(({ path }) => path.split("/")[0]),
  );
  for (const drive of drives) {
    const forced = different.find((it) => it.path === `${drive}/forced_eject`);
    if (forced !== undefined) writer.set(path, forced);
    setMedium(writer, path, { path: `${drive}/file`, value: "" });
  }
  for (const attribute of node.attributes) {
    const [drive, file] = attribute.path.split("/");
    const again = drives.has(drive) && /^(cdrom|ro|file)$/.test(file);
    if (!again && !different.includes(attribute)) continue;
    if (isMedium(attribute.path)) setMedium(writer, path, attribute);
    else writer.set(path, attribute);
  }
}

function setMedium(
  writer: TreeWriter,
  directory: string,
  file: AttributeNode,
): void {
  try {
    writer.set(directory, file);
  } catch (error) {
    if (!isSystemError(error, "EBUSY")) throw error;
    throw withHint(
      error,
      "the host has locked the medium; eject it there, or set forced_eject of the drive as well",
    );
  }
}

/** Makes the directories of an attribute that the kernel has not made itself. */
function makeParents(writer: TreeWriter, base: string, path: string): void {
  const parts = path.split("/").slice(0, -1);
  parts.forEach((_, index) => {
    const parent = `${base}/${parts.slice(0, index + 1).join("/")}`;
    if (!exists(writer.resolve(parent))) writer.make(parent);
  });
}
