/**
 * Takes a gadget's directory apart.
 *
 * @module
 */
import { isSystemError } from "../../../ffi/errno.ts";
import { exists, list } from "../../../ffi/file.ts";
import type { TreeWriter } from "./writer.ts";

/** The directories in a directory, by name. */
export function directoriesIn(writer: TreeWriter, path: string): string[] {
  const absolute = writer.resolve(path);
  if (!exists(absolute)) return [];
  return list(absolute).filter((it) => it.isDirectory).map((it) => it.name)
    .sort();
}

/** The links in a directory, by name. */
export function linksIn(writer: TreeWriter, path: string): string[] {
  const absolute = writer.resolve(path);
  if (!exists(absolute)) return [];
  return list(absolute).filter((it) => it.isSymlink).map((it) => it.name)
    .sort();
}

/** Unbinds a gadget, if it is bound. */
export function unbindTree(writer: TreeWriter): void {
  if (writer.udc === "") return;
  try {
    writer.setUdc("");
  } catch (error) {
    // The kernel has unbound it in the meantime.
    if (!isSystemError(error, "ENODEV")) throw error;
  }
}

/** Removes all links of configurations, the last one first. */
export function unlinkFunctions(writer: TreeWriter): void {
  for (const link of linksIn(writer, "os_desc")) {
    writer.unlink(`os_desc/${link}`);
  }
  for (const configuration of directoriesIn(writer, "configs")) {
    const path = `configs/${configuration}`;
    for (const link of linksIn(writer, path).reverse()) {
      writer.unlink(`${path}/${link}`);
    }
  }
}

/** Removes the directory of a configuration, whose links are gone. */
export function removeConfiguration(writer: TreeWriter, name: string): void {
  removeStrings(writer, `configs/${name}/strings`);
  writer.remove(`configs/${name}`);
}

/** Removes the directory of a function with what was made inside. */
export function removeFunction(writer: TreeWriter, name: string): void {
  removeInside(writer, `functions/${name}`);
  writer.remove(`functions/${name}`);
}

/**
 * Removes a gadget's directory, unbound first.
 *
 * @param writer The directory; nothing happens if it does not exist.
 * @throws {Error} Of the first part that could not be removed, after the rest
 * was.
 */
export function removeTree(writer: TreeWriter): void {
  if (!exists(writer.root)) return;
  const errors: unknown[] = [];
  const attempt = (run: () => void) => {
    try {
      run();
    } catch (error) {
      // Somebody else removes it at the same time.
      if (!isSystemError(error, "ENOENT")) errors.push(error);
    }
  };
  attempt(() => unbindTree(writer));
  attempt(() => unlinkFunctions(writer));
  for (const name of directoriesIn(writer, "configs")) {
    attempt(() => removeConfiguration(writer, name));
  }
  for (const name of directoriesIn(writer, "functions")) {
    attempt(() => removeFunction(writer, name));
  }
  attempt(() => removeStrings(writer, "strings"));
  attempt(() => writer.remove(""));
  if (errors.length > 0) throw errors[0];
}

/** Removes the directories of languages. */
export function removeStrings(writer: TreeWriter, path: string): void {
  for (const language of directoriesIn(writer, path)) {
    writer.remove(`${path}/${language}`);
  }
}

/** Removes links and directories that are not the kernel's own. */
function removeInside(writer: TreeWriter, path: string): void {
  const names = directoriesIn(writer, path);
  for (const link of linksIn(writer, path)) writer.unlink(`${path}/${link}`);
  // Links of the one may lead into the other: a second round removes it.
  for (const name of [...names, ...names.toReversed()]) {
    const inner = `${path}/${name}`;
    if (!exists(writer.resolve(inner))) continue;
    removeInside(writer, inner);
    try {
      writer.remove(inner);
    } catch (error) {
      // The kernel has made it, and takes it along; or it is linked to.
      if (!isSystemError(error, "EPERM", "EBUSY", "ENOTEMPTY")) throw error;
    }
  }
}
