/**
 * Which VM a test file wants.
 *
 * Most kernel tests share a VM that has everything. A file that needs another
 * one says so with a line of its own, by the options of `deno task vm`:
 *
 * ```ts ignore
 * // VM: --hcd none
 * ```
 *
 * Files that ask for the same VM share it.
 *
 * @module
 */
import { parseArguments } from "../vm/arguments.ts";
import type { RunOptions } from "../vm/vm.ts";

/** What a test file may ask for. */
export type Machine = Pick<RunOptions, "udc" | "hcd" | "modules" | "memory">;

/** Files that run in one VM. */
export interface MachineGroup {
  /** What they ask for, as they spell it; `""` for the VM of all others. */
  readonly request: string;
  readonly machine: Machine;
  readonly files: string[];
}

/** Puts test files together by the VM that they want, in their order. */
export async function groupByMachine(
  files: readonly string[],
  read: (file: string) => Promise<string>,
): Promise<MachineGroup[]> {
  const groups = new Map<string, MachineGroup>();
  for (const file of files) {
    const request = findRequest(await read(file));
    const group = groups.get(request) ??
      { request, machine: parseRequest(request), files: [] };
    groups.set(request, group);
    group.files.push(file);
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

function findRequest(source: string): string {
  return /^\/\/ VM: (.*)$/m.exec(source)?.[1].trim() ?? "";
}

/** Reads words as a shell would, as far as double quotes go. */
function parseRequest(request: string): Machine {
  const words = [...request.matchAll(/"([^"]*)"|(\S+)/g)]
    .map(([, quoted, word]) => quoted ?? word);
  const { udc, hcd, modules, memory } = parseArguments([
    ...words,
    "--",
    "true",
  ]);
  return {
    ...(udc === undefined ? {} : { udc }),
    ...(hcd === undefined ? {} : { hcd }),
    ...(modules === undefined ? {} : { modules }),
    ...(memory === undefined ? {} : { memory }),
  };
}
