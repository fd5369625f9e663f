/**
 * The package in one file, for tests that start many processes: an emulated
 * processor loads it three times as fast as the modules.
 *
 * @module
 */
import { openCache } from "../../src/vm/cache.ts";
import { exampleVariable } from "../support/programs/example.ts";
import { ROOT } from "./deno_test.ts";

/** A bundle, until it is disposed of. */
export interface Bundle extends AsyncDisposable {
  /** Its variable for the tests; none where there is no bundler. */
  readonly environment: Record<string, string>;
}

/** Bundles `mod.ts`. Deno fetches its bundler when it is first used. */
export function bundlePackage(): Promise<Bundle> {
  return bundle("GADGET_BUNDLE", "mod.ts", "mod.js");
}

/** Bundles an example, for `startExample()`. */
export function bundleExample(name: string): Promise<Bundle> {
  return bundle(exampleVariable(name), `examples/${name}`, "example.js");
}

async function bundle(
  variable: string,
  entry: string,
  output: string,
): Promise<Bundle> {
  // Not below /tmp, where the VM has a folder of its own.
  const folder = await Deno.makeTempDir({
    dir: await openCache(),
    prefix: "bundle-",
  });
  const file = `${folder}/${output}`;
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", entry, "--output", file],
    cwd: ROOT,
    stdout: "null",
    stderr: "null",
  }).output();
  return {
    environment: success ? { [variable]: `file://${file}` } : {},
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
