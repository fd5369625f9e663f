/**
 * Removes a gadget's directory and its parts.
 *
 * @module
 */
import { isSystemError } from "../../../ffi/errno.ts";
import { exists } from "../../../ffi/file.ts";
import { directoriesIn, linksIn, readLinks } from "./links.ts";
import type { TreeWriter } from "./writer.ts";

/**
 * Unbinds a gadget and removes its directory, if that exists.
 *
 * @throws {Error} The first failure, after the rest was removed.
 */
export function removeTree(writer: TreeWriter): void {
  if (!exists(writer.root)) return;
  const errors: unknown[] = [];
  const attempt = (run: () => void) => {
    try {
      run();
    } catch (error) {
      // Another program removes it at the same time.
      if (!isSystemError(error, "ENOENT")) errors.push(error);
    }
  };
  attempt(() => writer.unbind());
  attempt(() => {
    for (const link of linksIn(writer, "os_desc")) {
      writer.unlink(`os_desc/${link}`);
    }
    for (const [path] of readLinks(writer).reverse()) writer.unlink(path);
  });
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

/** Removes the directory of a configuration, which has no links any more. */
export function removeConfiguration(writer: TreeWriter, name: string): void {
  removeStrings(writer, `configs/${name}/strings`);
  writer.remove(`configs/${name}`);
}

/** Removes the directory of a function. */
export function removeFunction(writer: TreeWriter, name: string): void {
  removeInside(writer, `functions/${name}`);
  writer.remove(`functions/${name}`);
}

function removeStrings(writer: TreeWriter, path: string): void {
  for (const language of directoriesIn(writer, path)) {
    writer.remove(`${path}/${language}`);
  }
}

/** Removes links and directories that the kernel did not make itself. */
function removeInside(writer: TreeWriter, path: string): void {
  const names = directoriesIn(writer, path);
  for (const link of linksIn(writer, path)) writer.unlink(`${path}/${link}`);
  // Twice: links in one directory may lead into another one.
  for (const name of [...names, ...names.toReversed()]) {
    const inner = `${path}/${name}`;
    if (!exists(writer.resolve(inner))) continue;
    removeInside(writer, inner);
    try {
      writer.remove(inner);
    } catch (error) {
      // The kernel has made it, and removes it with the rest; or a link leads to it.
      if (!isSystemError(error, "EPERM", "EBUSY", "ENOTEMPTY")) throw error;
    }
  }
}
