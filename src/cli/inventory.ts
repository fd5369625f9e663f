/**
 * The gadgets on this machine, and the processes that hold them.
 *
 * @module
 */
import { Errno, errorOf, isSystemError } from "../../ffi/errno.ts";
import {
  exists,
  list,
  readlink,
  readlinkIfThere,
  readTextFile,
} from "../../ffi/file.ts";
import { listMounts } from "../../ffi/mount.ts";
import { type Claim, listClaims } from "../state/claim.ts";
import { findConfigfs } from "../gadget/configfs/directory.ts";
import { readUdcDriver } from "../gadget/udc/udc.ts";

/** A process that has files of a mount open. */
export interface HoldingProcess {
  readonly pid: number;
  /** Its program, from `/proc/PID/comm`. */
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
  /** The processes that have its files open, as far as this process may see. */
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
  /** Its owner, or `"foreign"` for gadgets of other programs. */
  readonly owner: Claim["owner"] | "foreign";
  /** The process that owns it, if one does. */
  readonly pid?: number;
  /** Other attributes of the device: `bcdUSB`, `bDeviceClass`, ... */
  readonly attributes: Readonly<Record<string, string>>;
  /** By the names of their directories. */
  readonly configurations: Readonly<Record<string, FoundConfiguration>>;
  readonly functions: readonly FoundFunction[];
}

/** A configuration of a gadget that exists. */
export interface FoundConfiguration {
  /** iConfiguration, in its first language. */
  readonly description?: string;
  /** `MaxPower` and `bmAttributes`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The directories of its functions, in the order of their links' names. */
  readonly functions: readonly string[];
}

/** Attributes of a device beside its identity; older kernels lack some. */
const ATTRIBUTES = [
  "bcdUSB",
  "bcdDevice",
  "bDeviceClass",
  "bDeviceSubClass",
  "bDeviceProtocol",
  "max_speed",
];

/** Lists the gadgets in configfs, by name; none if configfs is not mounted. */
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

/**
 * Finds a gadget by its name.
 *
 * @throws {Deno.errors.NotFound} If there is none; the error names those that exist.
 */
export function findGadget(name: string): FoundGadget {
  const gadgets = listGadgets();
  const found = gadgets.find((it) => it.name === name);
  if (found !== undefined) return found;
  const names = gadgets.map((it) => `"${it.name}"`).join(", ");
  throw errorOf(
    Errno.ENOENT,
    `Cannot find gadget "${name}": there is ${names || "none"}`,
    { syscall: "access" },
  );
}

function readGadget(
  directory: string,
  name: string,
  claim: Claim | undefined,
): FoundGadget {
  const path = `${directory}/${name}`;
  const read = (attribute: string) => readTextFile(`${path}/${attribute}`);
  const strings = readStrings(`${path}/strings`, [
    "manufacturer",
    "product",
    "serialnumber",
  ]);
  const owner = claim?.owner ?? "foreign";
  const udc = read("UDC");
  return {
    name,
    path,
    ids: `${read("idVendor").slice(2)}:${read("idProduct").slice(2)}`,
    strings,
    // configfs keeps the name of a controller that is gone.
    udc: udc !== "" && readUdcDriver(udc) === name ? udc : "",
    owner,
    ...(claim !== undefined && claim.pid > 0 ? { pid: claim.pid } : {}),
    attributes: readAll(path, ATTRIBUTES),
    configurations: Object.fromEntries(
      names(`${path}/configs`).map((it) => [
        it,
        readConfiguration(`${path}/configs/${it}`),
      ]),
    ),
    functions: names(`${path}/functions`).map((it) => readFunction(path, it)),
  };
}

function readConfiguration(path: string): FoundConfiguration {
  const { configuration } = readStrings(`${path}/strings`, ["configuration"]);
  return {
    ...(configuration === undefined ? {} : { description: configuration }),
    attributes: readAll(path, ["MaxPower", "bmAttributes"]),
    functions: list(path).filter((it) => it.isSymlink)
      .map(({ name }) => name).sort()
      .map((link) => readlink(`${path}/${link}`).split("/").at(-1)!),
  };
}

/** The nonempty strings of the first language. */
function readStrings(
  path: string,
  files: readonly string[],
): Record<string, string> {
  const [language] = names(path);
  if (language === undefined) return {};
  const texts = readAll(`${path}/${language}`, files);
  return Object.fromEntries(
    Object.entries(texts).filter(([, text]) => text !== ""),
  );
}

/** Reads the files that exist. */
function readAll(
  path: string,
  files: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    files.filter((it) => exists(`${path}/${it}`))
      .map((it) => [it, readTextFile(`${path}/${it}`)]),
  );
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
        const target = readlinkIfThere(`/proc/${pid}/fd/${name}`);
        return mounts.some((it) => target?.startsWith(`${it}/`));
      });
      if (!holds) continue;
      const program = readTextFile(`/proc/${pid}/comm`);
      found.push({ pid: Number(pid), program });
    } catch (error) {
      // It has ended, or belongs to another user.
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
