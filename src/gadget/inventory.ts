/**
 * What gadgets there are on this machine, and who holds them.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { exists, list, readlink, readTextFile } from "../../ffi/file.ts";
import { listMounts } from "../../ffi/mount.ts";
import { type Claim, listClaims } from "./claim.ts";
import { findConfigfs } from "./remedies.ts";

/** A process that has files of a mount open. */
export interface HoldingProcess {
  readonly pid: number;
  /** Its program, as `/proc/PID/comm` tells it. */
  readonly program: string;
}

/** A function of a gadget that exists. */
export interface FoundFunction {
  /** Its directory below `functions/`: `TYPE.INSTANCE`. */
  readonly directory: string;
  /** Whether it has descriptors; `undefined` for functions of the kernel, and before Linux 6.9. */
  readonly ready?: boolean;
  /** Where it is mounted. */
  readonly mounts: readonly string[];
  /** Who has its files open, as far as this process may see. */
  readonly heldBy: readonly HoldingProcess[];
}

/** A gadget that exists in configfs. */
export interface FoundGadget {
  readonly name: string;
  /** The directory in configfs. */
  readonly path: string;
  /** `vendor:product`, in hexadecimal. */
  readonly ids: string;
  /** iManufacturer, iProduct and iSerialNumber of its first language. */
  readonly strings: Readonly<Record<string, string>>;
  /** The UDC that it is bound to, or `""`. */
  readonly udc: string;
  /** Whose it is: of this package, or `"foreign"`. */
  readonly owner: Claim["owner"] | "foreign";
  /** The process that owns it, where one does. */
  readonly pid?: number;
  /** The functions in use, by configuration. */
  readonly configurations: Readonly<Record<string, readonly string[]>>;
  readonly functions: readonly FoundFunction[];
}

/** Lists the gadgets in configfs, by name; none where there is no configfs. */
export function listGadgets(): FoundGadget[] {
  const directory = `${findConfigfs()}/usb_gadget`;
  if (!exists(directory)) return [];
  const claims = new Map(listClaims().map((it) => [it.name, it]));
  return names(directory).flatMap((name) => {
    try {
      return [readGadget(directory, name, claims.get(name))];
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return []; // Gone by now.
      throw error;
    }
  });
}

function readGadget(
  directory: string,
  name: string,
  claim: Claim | undefined,
): FoundGadget {
  const path = `${directory}/${name}`;
  const read = (attribute: string) => readTextFile(`${path}/${attribute}`);
  const [language] = names(`${path}/strings`);
  const strings = language === undefined ? {} : Object.fromEntries(
    ["manufacturer", "product", "serialnumber"].map((key) => [
      key,
      read(`strings/${language}/${key}`),
    ]).filter(([, value]) => value !== ""),
  );
  const owner = claim?.owner ?? "foreign";
  return {
    name,
    path,
    ids: `${read("idVendor").slice(2)}:${read("idProduct").slice(2)}`,
    strings,
    udc: read("UDC"),
    owner,
    ...(claim !== undefined && claim.pid > 0 ? { pid: claim.pid } : {}),
    configurations: Object.fromEntries(
      names(`${path}/configs`).map((configuration) => [
        configuration,
        list(`${path}/configs/${configuration}`)
          .filter((it) => it.isSymlink).map((it) => it.name).sort()
          .map((link) =>
            readlink(`${path}/configs/${configuration}/${link}`)
              .split("/").at(-1)!
          ),
      ]),
    ),
    functions: names(`${path}/functions`).map((it) => readFunction(path, it)),
  };
}

function readFunction(gadget: string, directory: string): FoundFunction {
  if (!directory.startsWith("ffs.")) {
    return { directory, mounts: [], heldBy: [] };
  }
  const instance = directory.slice("ffs.".length);
  const mounts = listMounts()
    .filter((it) => it.type === "functionfs" && it.source === instance)
    .map((it) => it.target);
  const ready = `${gadget}/functions/${directory}/ready`;
  return {
    directory,
    ...(exists(ready) ? { ready: readTextFile(ready) === "1" } : {}),
    mounts,
    heldBy: holders(mounts),
  };
}

/** The processes with open files below some mounts. */
function holders(mounts: readonly string[]): HoldingProcess[] {
  if (mounts.length === 0) return [];
  const found: HoldingProcess[] = [];
  for (const { name: pid } of list("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const holds = list(`/proc/${pid}/fd`).some(({ name }) => {
        const target = readlink(`/proc/${pid}/fd/${name}`);
        return mounts.some((it) => target.startsWith(`${it}/`));
      });
      if (!holds) continue;
      const program = readTextFile(`/proc/${pid}/comm`);
      found.push({ pid: Number(pid), program });
    } catch (error) {
      // It has ended, closed a file, or belongs to somebody else.
      if (!isSystemError(error, "ENOENT", "ESRCH", "EACCES", "EPERM")) {
        throw error;
      }
    }
  }
  return found;
}

function names(path: string): string[] {
  return list(path).filter((it) => it.isDirectory).map((it) => it.name).sort();
}
