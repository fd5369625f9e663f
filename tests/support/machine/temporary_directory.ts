/**
 * Directories for tests.
 *
 * @module
 */

/** A new directory under /tmp that is gone after the test. */
export async function temporaryDirectory(): Promise<
  { path: string } & AsyncDisposable
> {
  const path = await Deno.makeTempDir();
  return {
    path,
    async [Symbol.asyncDispose]() {
      await Deno.remove(path, { recursive: true });
    },
  };
}
