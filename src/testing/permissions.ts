/**
 * What this process may do, without asking for it.
 *
 * @module
 */

/** Whether all of a permission is granted: paths alone forbid pointers. */
export function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  const { state, partial } = Deno.permissions.querySync(descriptor);
  return state === "granted" && !partial;
}
