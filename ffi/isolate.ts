/**
 * How long this isolate lives.
 *
 * @module
 */
import { libc } from "./libc.ts";

let lasts: boolean | undefined;

/**
 * Whether this isolate lives as long as the process.
 *
 * That of the main thread does. A Worker's can end at any moment, by
 * `terminate()` or `close()`, without a chance to clean up; so can that of a test
 * file, which `deno test` runs on a thread of its own. Its memory is freed then,
 * while the kernel and threads of Deno's pool go on.
 */
export function lastsAsLongAsProcess(): boolean {
  return lasts ??= libc().gettid() === Deno.pid;
}

/**
 * Makes {@linkcode lastsAsLongAsProcess} return true from now on. For tests, whose
 * isolates can end, of what happens on the main thread.
 */
export function assumeLasting(): void {
  lasts = true;
}
