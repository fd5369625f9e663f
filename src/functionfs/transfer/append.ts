/**
 * Adding lists of any length to arrays.
 *
 * A spread into a call passes each item as an argument, on the stack, which
 * has room for some 125,000.
 *
 * @module
 */

/** Adds items at the end of an array. */
export function appendAll<T>(array: T[], items: readonly T[]): void {
  for (const item of items) array.push(item);
}

/** Adds items before all others of an array. */
export function prependAll<T>(array: T[], items: readonly T[]): void {
  if (items.length === 0) return;
  const rest = array.splice(0);
  appendAll(array, items);
  appendAll(array, rest);
}
