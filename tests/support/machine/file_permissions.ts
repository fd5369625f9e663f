/**
 * Whose a file is.
 *
 * @module
 */

/** Permissions and owners, as the options of a mount set them. */
export async function rights(path: string) {
  const { mode, uid, gid } = await Deno.stat(path);
  return [(mode! & 0o777).toString(8), uid, gid];
}
