/**
 * The lifetime of this isolate.
 *
 * @module
 */
import { libc } from "./libc.ts";

let lasts: boolean | undefined;

/**
 * Whether this isolate lives as long as the process.
 *
 * The main thread's isolate does. A Worker's can end at any moment, by
 * `terminate()` or `close()`, without a chance to clean up; so can that of a
 * test file, which `deno test` runs on a separate thread. Its memory is then
 * freed, while the kernel and threads of Deno's pool keep running.
 */
export function lastsAsLongAsProcess(): boolean {
  return lasts ??= libc().gettid() === Deno.pid;
}

/**
 * Makes {@linkcode lastsAsLongAsProcess} return true from now on. For tests of
 * what happens on the main thread: their own isolates can end.
 */
export function assumeLasting(): void {
  lasts = true;
}
