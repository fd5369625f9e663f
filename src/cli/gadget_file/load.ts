/**
 * Gadget files: a definition and its options, as plain data.
 *
 * @module
 */
import { readTextFile, realPath } from "../../../ffi/file.ts";
import {
  checkArgument,
  checkOptions,
  FLAG,
  isPlain,
  isWithin,
  LIST,
  NUMBER,
  OBJECT,
  type Rules,
  TEXT,
} from "../../arguments/rules.ts";
import { show } from "../../arguments/show.ts";
import {
  type GadgetDefinition,
  type GadgetFunction,
  isOwnFunction,
} from "../../definition/gadget.ts";
import {
  externalFunction,
  kernelFunction,
} from "../../definition/kernel_function.ts";
import type { GadgetOptions } from "../../gadget/options.ts";
import { parseGadgetFile } from "./format.ts";

/** A gadget as a file describes it. */
export interface GadgetFile {
  readonly definition: GadgetDefinition;
  readonly options: GadgetOptions & { readonly name: string };
}

/** Whether the process that makes a gadget serves functions of it. */
export function servesFunctions({ definition }: GadgetFile): boolean {
  return definition.functions.some(isOwnFunction);
}

/** Whether the process that makes a gadget has to go on. */
export function staysRunning(file: GadgetFile): boolean {
  return servesFunctions(file) || file.options.rebind === true;
}

/** Options of `Gadget.start()` that a file can have. */
type FileOptions = Pick<GadgetOptions, "name" | "udc" | "mounts" | "rebind">;

const OPTIONS: Rules<FileOptions> = {
  name: TEXT,
  udc: TEXT,
  mounts: OBJECT,
  rebind: FLAG,
};

/** A function of the kernel, as files have it. */
interface KernelEntry {
  readonly kernel: string;
  readonly name?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly interfaces?: number;
}

/** A function that another process serves. */
interface ExternalEntry {
  readonly external: string;
  readonly interfaces?: number;
}

/** Functions that a module exports, and this process serves. */
interface ModuleEntry {
  readonly module: string;
  readonly export?: string;
}

const KERNEL: Rules<KernelEntry> = {
  kernel: TEXT,
  name: TEXT,
  attributes: OBJECT,
  links: OBJECT,
  interfaces: NUMBER,
};
const EXTERNAL: Rules<ExternalEntry> = { external: TEXT, interfaces: NUMBER };
const MODULE: Rules<ModuleEntry> = { module: TEXT, export: TEXT };

/**
 * Reads a gadget file, and imports the modules that it names.
 *
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {SyntaxError} If it is neither TOML nor JSON.
 * @throws {TypeError} For what it may not contain.
 */
export async function loadGadgetFile(path: string): Promise<GadgetFile> {
  const call = { action: "read gadget file" };
  const content = await parseGadgetFile(readTextFile(path, call), path);
  const action = `use ${path}`;
  if (!isPlain(content)) {
    throw new TypeError(
      `Cannot ${action}: it contains ${show(content)}, give a gadget`,
    );
  }
  const { functions = [], options = {}, ...identity } = content;
  checkOptions(action, { functions, options }, {
    functions: LIST,
    options: OBJECT,
  });
  checkOptions(action, options as FileOptions, OPTIONS);
  const absolute = realPath(path, call);
  const loaded: GadgetFunction[] = [];
  for (const [index, each] of (functions as unknown[]).entries()) {
    const what = `use functions[${index}] of ${path}`;
    loaded.push(...await loadFunctions(what, each, absolute));
  }
  const [, stem] = /([^/]*?)(\.[^./]*)?$/.exec(absolute)!;
  return {
    // Gadget.start() checks the rest of it.
    definition: { ...identity, functions: loaded } as never,
    options: { name: stem, ...options as FileOptions },
  };
}

async function loadFunctions(
  action: string,
  entry: unknown,
  file: string,
): Promise<GadgetFunction[]> {
  const kinds = ["kernel", "external", "module"];
  const given = isPlain(entry) ? kinds.filter((it) => it in entry) : [];
  if (given.length !== 1) {
    throw new TypeError(
      `Cannot ${action}: it needs one of "kernel", "external" and "module", is ${
        show(entry)
      }`,
    );
  }
  switch (given[0]) {
    case "kernel": {
      const each = entry as KernelEntry;
      checkOptions(action, each, KERNEL, ["kernel"]);
      const { kernel, attributes = {}, ...options } = each;
      return [kernelFunction(kernel, withBytes(action, attributes), options)];
    }
    case "external": {
      const { external, ...options } = entry as ExternalEntry;
      checkOptions(action, entry as ExternalEntry, EXTERNAL, ["external"]);
      return [externalFunction(external, options)];
    }
    default:
      checkOptions(action, entry as ModuleEntry, MODULE, ["module"]);
      return await importFunctions(action, entry as ModuleEntry, file);
  }
}

/** Attributes with bytes where the file has lists of numbers. */
function withBytes(
  action: string,
  attributes: NonNullable<KernelEntry["attributes"]>,
): Record<string, string | Uint8Array> {
  return Object.fromEntries(
    Object.entries(attributes).map(([path, value]) => {
      // Gadget.start() checks the others.
      if (!Array.isArray(value)) return [path, value as string];
      if (value.every((it) => isWithin(it, 0, 255))) {
        return [path, Uint8Array.from(value)];
      }
      throw new TypeError(
        `Cannot ${action}: a list in "${path}" must have numbers from 0 to 255`,
      );
    }),
  );
}

/** Imports a function, or a list of them, that a module exports. */
async function importFunctions(
  action: string,
  { module, export: name = "default" }: ModuleEntry,
  file: string,
): Promise<GadgetFunction[]> {
  const url = /^[a-z]+:/.test(module)
    ? module
    : new URL(module, `file://${file}`).href;
  const exports = await importModule(action, url);
  const value = exports[name];
  if (value === undefined) {
    const names = Object.keys(exports).map((it) => `"${it}"`).join(", ");
    throw new TypeError(
      `Cannot ${action}: ${module} does not export "${name}": it exports ${
        names || "nothing"
      }`,
    );
  }
  const functions: unknown[] = Array.isArray(value) ? value : [value];
  for (const each of functions) {
    checkArgument(action, `"${name}" of ${module}`, each, OBJECT);
  }
  return functions as GadgetFunction[];
}

async function importModule(
  action: string,
  url: string,
): Promise<Record<string, unknown>> {
  try {
    return await import(url);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new TypeError(`Cannot ${action}: ${error.message}`, { cause: error });
  }
}
