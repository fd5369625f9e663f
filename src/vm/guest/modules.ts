/**
 * Finds kernel modules with what they depend on, and unpacks them.
 *
 * @module
 */

import { VmError } from "../errors.ts";
import { run } from "../process.ts";

/** What `modules.dep` and `modules.builtin` say of one kernel. */
export interface ModuleIndex {
  /** Path of a module to the paths of those it needs, nearest first. */
  dependencies: ReadonlyMap<string, readonly string[]>;
  /** Names of what is part of the kernel itself. */
  builtin: ReadonlySet<string>;
}

/** The name of a module, from its path: `drivers/usb-storage.ko.xz` is `usb_storage`. */
export function moduleName(path: string): string {
  const base = path.slice(path.lastIndexOf("/") + 1);
  return base.replace(/\.ko(\.\w+)?$/, "").replaceAll("-", "_");
}

/** Reads the text of `modules.dep` and of `modules.builtin`. */
export function parseModuleIndex(dep: string, builtin: string): ModuleIndex {
  const dependencies = new Map<string, string[]>();
  for (const line of dep.split("\n")) {
    const [path, rest] = line.split(":");
    if (rest !== undefined) {
      dependencies.set(path, rest.split(" ").filter((word) => word !== ""));
    }
  }
  const names = builtin.split("\n").filter((line) => line !== "").map(
    moduleName,
  );
  return { dependencies, builtin: new Set(names) };
}

/** Reads the index of a kernel's module folder. */
export async function readModuleIndex(folder: string): Promise<ModuleIndex> {
  try {
    return parseModuleIndex(
      await Deno.readTextFile(`${folder}/modules.dep`),
      await Deno.readTextFile(`${folder}/modules.builtin`),
    );
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new VmError(
      `Cannot use modules folder "${folder}": it has no "modules.dep"; run "depmod" for it, or name a folder like "/lib/modules/RELEASE"`,
      { cause },
    );
  }
}

/**
 * Paths of the named modules and all that they need, in an order in which they
 * can be loaded. What is built into the kernel is left out.
 */
export function loadOrder(
  index: ModuleIndex,
  names: readonly string[],
): string[] {
  const paths = new Map(
    [...index.dependencies.keys()].map((path) => [moduleName(path), path]),
  );
  const order = new Set<string>();
  for (const name of names) {
    if (index.builtin.has(name)) continue;
    const path = paths.get(name);
    if (path === undefined) {
      throw new VmError(`Cannot find module "${name}" in this kernel`);
    }
    // modules.dep lists the deepest dependency last.
    for (const needed of index.dependencies.get(path)!.toReversed()) {
      order.add(needed);
    }
    order.add(path);
  }
  return [...order];
}

/** Reads a module; a compressed one is unpacked. */
export async function readModule(file: string): Promise<Uint8Array> {
  if (file.endsWith(".xz")) return await run("xz", ["-dc", file]);
  if (file.endsWith(".zst")) return await run("zstd", ["-dcq", file]);
  const bytes = await Deno.readFile(file);
  if (!file.endsWith(".gz")) return bytes;
  const unpacked = new Blob([bytes]).stream().pipeThrough(
    new DecompressionStream("gzip"),
  );
  return await new Response(unpacked).bytes();
}
