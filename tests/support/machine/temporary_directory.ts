/**
 * Directories for tests.
 *
 * @module
 */
import { roomFreed } from "../../../src/files/removal.ts";

/** A new directory under /tmp that is gone after the test. */
export async function temporaryDirectory(): Promise<
  { path: string } & AsyncDisposable
> {
  const path = await Deno.makeTempDir();
  return {
    path,
    async [Symbol.asyncDispose]() {
      // Another thread closes what was removed in it.
      await roomFreed();
      await Deno.remove(path, { recursive: true });
    },
  };
}
