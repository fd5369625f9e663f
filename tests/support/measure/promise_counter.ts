/**
 * Counts promises.
 *
 * @module
 */

/**
 * Counts all promises that are made from now on: those of calls, of `await`, of
 * async functions, and of the platform's own code.
 *
 * @returns The number so far.
 */
export function countPromises(): () => number {
  let count = 0;
  setPromiseHooks(() => count++);
  return () => count;
}

/** V8's hooks, which `node:async_hooks` of Deno does not offer. */
function setPromiseHooks(onInit: () => void): void {
  const nothing = () => {};
  // deno-lint-ignore no-explicit-any
  const { core } = (Deno as any)[(Deno as any).internal];
  core.setPromiseHooks(onInit, nothing, nothing, nothing);
}
