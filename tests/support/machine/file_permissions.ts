/**
 * Permissions and owner of a file.
 *
 * @module
 */

/** Permissions, user and group, as in the options of a mount. */
export async function filePermissions(path: string) {
  const { mode, uid, gid } = await Deno.stat(path);
  return [(mode! & 0o777).toString(8), uid, gid];
}
