/**
 * The way from a directory to what is in it, at any depth, on which no link is
 * followed: each name is looked up in the open directory before it.
 *
 * Paths are names with slashes between them; `""` is the root.
 *
 * @module
 */
import { architectureNumbers, O_PATH } from "../../ffi/abi.ts";
import { Errno, errorOf, type FailedCall } from "../../ffi/errno.ts";
import { close, open } from "../../ffi/file.ts";
import type { Place } from "../../ffi/files/change.ts";
import { openAt } from "../../ffi/files/directory.ts";
import { isFileName } from "../../ffi/files/names.ts";

/** What a failed call is reported with. */
export type Call = Omit<FailedCall, "syscall"> & { readonly path: string };

/**
 * Opens what has a path.
 *
 * @param root An absolute path without links.
 * @param flags Those for the last name.
 * @throws {Error} EINVAL for names that no file can have.
 */
export function openBelow(
  root: string,
  path: string,
  flags: number,
  call: Call,
): number {
  const { O_DIRECTORY, O_NOFOLLOW } = architectureNumbers();
  const names = path === "" ? [] : path.split("/");
  for (const name of names) checkName(name, call);
  const flagsAt = (depth: number) =>
    O_NOFOLLOW | (depth === names.length ? flags : O_PATH | O_DIRECTORY);
  let fd = open(root, flagsAt(0), call);
  for (const [index, name] of names.entries()) {
    try {
      const next = openAt(fd, name, flagsAt(index + 1), call);
      close(fd);
      fd = next;
    } catch (error) {
      close(fd);
      throw error;
    }
  }
  return fd;
}

/**
 * Opens the directory that a path is in, whether or not there is something of that
 * name.
 *
 * @throws {Error} EINVAL for the root, and for names that no file can have.
 */
export function openPlace(root: string, path: string, call: Call): Place {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  checkName(name, call);
  const flags = O_PATH | architectureNumbers().O_DIRECTORY;
  const folder = path.slice(0, Math.max(0, slash));
  return { directory: openBelow(root, folder, flags, call), name };
}

/** Calls `work` with the place of a path, and closes its directory. */
export function atPlace<T>(
  root: string,
  path: string,
  call: Call,
  work: (place: Place) => T,
): T {
  const place = openPlace(root, path, call);
  try {
    return work(place);
  } finally {
    close(place.directory);
  }
}

function checkName(name: string, { action, path }: Call): void {
  if (isFileName(name)) return;
  throw errorOf(
    Errno.EINVAL,
    `Cannot ${action}: ${JSON.stringify(name)} is no name of a file: ${path}`,
    { syscall: "openat", path },
  );
}
