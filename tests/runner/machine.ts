/**
 * Where a test file runs, by its header.
 *
 * Most kernel tests share a VM that has everything, and run on every kernel and
 * at every speed. Other files have a comment on a line of its own, with phrases
 * separated by a comma and a space:
 *
 * ```ts ignore
 * // VM: --hcd none, any speed
 * ```
 *
 * - options of `deno task vm`, such as `--udc sg`: the VM. Files with the same
 *   options share one.
 * - `any speed`: the subject is the same at every speed. `test:all` runs the
 *   file at one speed, on the newest kernel and on the oldest.
 * - `since Linux 7.3`: the file is left out on older kernels.
 * - `newest kernel`: the subject does not depend on the kernel. `test:all` runs
 *   the file on the newest one only.
 * - `a class of device`: the subject is a ready-made function. `test:all` runs
 *   the file on few kernels, each at one speed: see matrix.ts. What is asked for
 *   with `--kernel` and `--speed` runs, as do the full counts of `test:soak`.
 * - `any architecture`: the subject depends on the architecture. `test:all` also
 *   runs the file in the VMs of others, even if it is a unit test.
 *
 * @module
 */
import { parseArguments } from "../../src/vm/arguments.ts";
import type { VmRunOptions } from "../../src/vm/options.ts";

/** The options of a VM that a test file may set. */
export type Machine = Pick<
  VmRunOptions,
  "udc" | "hcd" | "modules" | "memory" | "processors"
>;

/** A test file, and what its header says. */
export interface TestFile {
  readonly path: string;
  /** The options as the file spells them; `""` for the shared VM. */
  readonly request: string;
  readonly machine: Machine;
  readonly anySpeed: boolean;
  readonly anyArchitecture: boolean;
  readonly newestKernel: boolean;
  readonly deviceClass: boolean;
  /** The first kernel that the file runs on. */
  readonly since?: string;
}

/** Files that run in one VM. */
export interface MachineGroup {
  readonly request: string;
  readonly machine: Machine;
  readonly files: string[];
}

/** Reads the header out of the source of a test file. */
export function parseHeader(path: string, source: string): TestFile {
  const header = /^\/\/ VM: (.*)$/m.exec(source)?.[1].trim();
  const options: string[] = [];
  let since: string | undefined;
  let anySpeed = false;
  let anyArchitecture = false;
  let newestKernel = false;
  let deviceClass = false;
  for (const phrase of header?.split(", ") ?? []) {
    const kernel = /^since Linux (\d+\.\d+)$/.exec(phrase)?.[1];
    if (phrase === "any speed") anySpeed = true;
    else if (phrase === "any architecture") anyArchitecture = true;
    else if (phrase === "newest kernel") newestKernel = true;
    else if (phrase === "a class of device") deviceClass = true;
    else if (kernel !== undefined) since = kernel;
    else if (phrase.startsWith("--")) options.push(phrase);
    else {
      throw new Error(
        `Cannot read "// VM: ${header}" in ${path}: "${phrase}" is neither an option nor a known phrase`,
      );
    }
  }
  const request = options.join(" ");
  const machine = parseRequest(request);
  return {
    path,
    request,
    machine,
    anySpeed,
    anyArchitecture,
    newestKernel,
    deviceClass,
    since,
  };
}

/** Groups test files by the VM that they run in, in their order. */
export function groupByMachine(files: readonly TestFile[]): MachineGroup[] {
  const groups = new Map<string, MachineGroup>();
  for (const { path, request, machine } of files) {
    const group = groups.get(request) ?? { request, machine, files: [] };
    groups.set(request, group);
    group.files.push(path);
  }
  return [...groups.values()];
}

/** Deals the files of a group out to so many VMs that run side by side. */
export function deal(group: MachineGroup, count: number): MachineGroup[] {
  return Array.from(
    { length: Math.min(count, group.files.length) },
    (_, at) => ({
      ...group,
      files: group.files.filter((_, index) => index % count === at),
    }),
  );
}

/** Reads words as a shell would, as far as double quotes go. */
function parseRequest(request: string): Machine {
  const words = [...request.matchAll(/"([^"]*)"|(\S+)/g)]
    .map(([, quoted, word]) => quoted ?? word);
  const { udc, hcd, modules, memory, processors } = parseArguments([
    ...words,
    "--",
    "true",
  ]);
  return {
    ...(udc === undefined ? {} : { udc }),
    ...(hcd === undefined ? {} : { hcd }),
    ...(modules === undefined ? {} : { modules }),
    ...(memory === undefined ? {} : { memory }),
    ...(processors === undefined ? {} : { processors }),
  };
}
