/**
 * What a gadget file contains, from a gadget that exists in configfs.
 *
 * @module
 */
import { O_WRONLY } from "../../../ffi/abi.ts";
import { isSystemError } from "../../../ffi/errno.ts";
import {
  close,
  exists,
  list,
  open,
  readFile,
  readlinkIfThere,
  readTextFile,
} from "../../../ffi/file.ts";
import { STATE } from "../../definition/gadget_names.ts";
import { decodeFunctionBlock } from "../../inspect/decode_block.ts";
import { recordedBlocks } from "../../state/descriptors.ts";
import { textsByTag } from "../../usb/language.ts";
import { compareNames } from "../../gadget/configfs/order.ts";
import { isHexadecimal } from "../../gadget/configfs/tree.ts";
import { decodeText, isBinary } from "../../gadget/configfs/value.ts";
import type { FoundFunction, FoundGadget } from "../inventory.ts";
import type { Content } from "./format.ts";

/** What a definition has by default; the kernel cannot show what was left out. */
const DEFAULTS: Content = {
  deviceVersion: 0x0100,
  class: 0,
  subclass: 0,
  protocol: 0,
  maxSpeed: "super-speed-plus",
  maxPower: 500,
  selfPowered: false,
  remoteWakeup: false,
};

/**
 * Describes a gadget as a file from which `up` makes the same one: with all
 * attributes that can be written, but without what is the default of a
 * definition. bcdUSB is left out, which the kernel chooses.
 *
 * Functions that a process serves become external ones.
 */
export function describeGadget(gadget: FoundGadget): Content {
  const { path, name } = gadget;
  const number = (file: string) => Number(readTextFile(`${path}/${file}`));
  const names = new Map(
    gadget.functions.map((each) => [each.directory, functionName(name, each)]),
  );
  const configurations = Object.keys(gadget.configurations)
    .sort(compareNames)
    .map((it) => describeConfiguration(gadget, it, names));
  // In the order of the first configuration: that of the interfaces.
  const order = configurations.flatMap(({ functions }) => functions);
  const functions = gadget.functions.toSorted((a, b) =>
    position(order, names.get(a.directory)) -
    position(order, names.get(b.directory))
  );
  const all = functions.map((it) => names.get(it.directory)!);
  // What a definition has without configurations: one with all functions.
  const [only] = configurations;
  const simple = configurations.length === 1 &&
    only.content.description === undefined &&
    only.functions.join() === all.join();
  const mounts = functions.flatMap(({ directory, mounts: [point] }) => {
    const its = names.get(directory)!;
    const usual = point === undefined || point === `${STATE}/${name}/${its}`;
    return usual ? [] : [[its, { path: point }] as const];
  });
  return {
    vendorId: number("idVendor"),
    productId: number("idProduct"),
    ...changed({
      deviceVersion: number("bcdDevice"),
      class: number("bDeviceClass"),
      subclass: number("bDeviceSubClass"),
      protocol: number("bDeviceProtocol"),
      maxSpeed: gadget.attributes.max_speed,
    }),
    ...describeStrings(`${path}/strings`, {
      manufacturer: "manufacturer",
      product: "product",
      serialNumber: "serialnumber",
    }),
    ...(simple ? only.content : {}),
    ...describeHostFeatures(path, Object.keys(gadget.configurations)),
    options: {
      name,
      ...(mounts.length === 0 ? {} : { mounts: Object.fromEntries(mounts) }),
    },
    functions: functions.map((each) => {
      const its = names.get(each.directory)!;
      return each.directory.startsWith("ffs.")
        ? { external: its, ...countInterfaces(each) }
        : describeKernelFunction(path, each.directory, its);
    }),
    ...(simple || configurations.length === 0 ? {} : {
      configurations: configurations.map(({ content, functions }) => ({
        ...content,
        functions,
      })),
    }),
  };
}

function position(order: readonly unknown[], name: unknown): number {
  const found = order.indexOf(name);
  return found === -1 ? order.length : found;
}

/** What differs from the defaults. */
function changed(values: Content): Content {
  return Object.fromEntries(
    Object.entries(values).filter(([name, value]) =>
      value !== undefined && value !== DEFAULTS[name]
    ),
  );
}

/** The name of a function in its definition. */
function functionName(gadget: string, { directory, mounts }: FoundFunction) {
  const instance = directory.slice(directory.indexOf(".") + 1);
  if (!directory.startsWith("ffs.")) return instance;
  const folder = `${STATE}/${gadget}/`;
  const mounted = mounts.find((it) => it.startsWith(folder));
  if (mounted !== undefined) return mounted.slice(folder.length);
  // A hash stands for the gadget's name where both are too long.
  const [hash = ""] = /^[0-9a-z]{7}-/.exec(instance) ?? [];
  const own = `${gadget}-`;
  return instance.slice((instance.startsWith(own) ? own : hash).length);
}

function countInterfaces({ mounts: [point] }: FoundFunction): Content {
  const blocks = point === undefined ? undefined : recordedBlocks(point);
  if (blocks === undefined) return {};
  const { speeds } = decodeFunctionBlock(blocks.descriptors);
  const [nodes = []] = Object.values(speeds);
  const numbers = nodes.flatMap((it) =>
    it.kind === "interface" ? [it.number] : []
  );
  return { interfaces: new Set(numbers).size };
}

function describeConfiguration(
  { path, configurations }: FoundGadget,
  directory: string,
  names: ReadonlyMap<string, string>,
): { readonly content: Content; readonly functions: readonly string[] } {
  const { attributes, functions } = configurations[directory];
  const bits = Number(attributes.bmAttributes);
  return {
    content: {
      ...describeStrings(`${path}/configs/${directory}/strings`, {
        description: "configuration",
      }),
      ...changed({
        maxPower: Number(attributes.MaxPower),
        selfPowered: (bits & 0x40) !== 0,
        remoteWakeup: (bits & 0x20) !== 0,
      }),
    },
    functions: functions.map((it) => names.get(it)!),
  };
}

/** Texts that are not empty: one, or one for each language if it is not only English. */
function describeStrings(
  path: string,
  files: Readonly<Record<string, string>>,
): Content {
  const languages = list(path).filter((it) => it.isDirectory)
    .map((it) => it.name).sort();
  return Object.fromEntries(
    Object.entries(files).flatMap(([key, file]) => {
      const texts = new Map(
        languages.map((language) => [
          Number(language),
          readTextFile(`${path}/${language}/${file}`),
        ]),
      );
      const [first = ""] = texts.values();
      if ([...texts.values()].every((it) => it === "")) return [];
      return [[key, key === "serialNumber" ? first : textsByTag(texts)]];
    }),
  );
}

/** Microsoft OS descriptors, and WebUSB since Linux 6.3. */
function describeHostFeatures(
  path: string,
  configurations: readonly string[],
): Content {
  const read = (file: string) => readTextFile(`${path}/${file}`);
  const isUsed = (file: string) =>
    exists(`${path}/${file}`) && read(file) === "1";
  const target = list(`${path}/os_desc`).find((it) => it.isSymlink)?.name;
  const configuration = configurations.toSorted(compareNames)
    .indexOf(target ?? "");
  const landingPage = isUsed("webusb/use") ? read("webusb/landingPage") : "";
  return {
    ...(isUsed("os_desc/use")
      ? {
        microsoftOs: {
          vendorCode: Number(read("os_desc/b_vendor_code")),
          // Linux 6.12 reads beyond its end.
          signature: read("os_desc/qw_sign").slice(0, 7),
          ...(configuration > 0 ? { configuration } : {}),
        },
      }
      : {}),
    ...(isUsed("webusb/use")
      ? {
        webUsb: {
          vendorCode: Number(read("webusb/bVendorCode")),
          version: Number(read("webusb/bcdVersion")),
          ...(landingPage === "" ? {} : { landingPage }),
        },
      }
      : {}),
  };
}

function describeKernelFunction(
  gadget: string,
  directory: string,
  name: string,
): Content {
  const type = directory.slice(0, directory.indexOf("."));
  const root = `${gadget}/functions/${directory}`;
  const { attributes, links } = readTree(root);
  return {
    kernel: type,
    ...(name === type ? {} : { name }),
    ...(attributes.length === 0 ? {} : {
      attributes: Object.fromEntries(
        attributes.map(([path, value]) => [
          path,
          isHexadecimal(type, path) ? parseInt(String(value), 16) : value,
        ]),
      ),
    }),
    ...(links.length === 0 ? {} : { links: Object.fromEntries(links) }),
  };
}

/** What can be written below a function, with its paths. */
function readTree(root: string, below = "") {
  const attributes: [string, unknown][] = [];
  const links: [string, string][] = [];
  const entries = list(`${root}${below}`)
    .sort((a, b) => compareNames(a.name, b.name));
  for (const { name, isDirectory, isSymlink } of entries) {
    const path = `${below}/${name}`;
    if (isSymlink) {
      const [, target] = readlinkIfThere(`${root}${path}`)
        ?.split(root.slice(root.lastIndexOf("/usb_gadget/"))) ?? [];
      if (target !== undefined) links.push([path.slice(1), target.slice(1)]);
    } else if (isDirectory) {
      const inner = readTree(root, path);
      attributes.push(...inner.attributes);
      links.push(...inner.links);
    } else {
      const value = readWritable(`${root}${path}`);
      if (value !== undefined) attributes.push([path.slice(1), value]);
    }
  }
  return { attributes, links };
}

/** The value of an attribute that can be written and has one. */
function readWritable(path: string): unknown {
  let bytes: Uint8Array;
  try {
    close(open(path, O_WRONLY, {}));
    bytes = readFile(path);
  } catch (error) {
    // Read-only, write-only, or without a value at the moment.
    if (isSystemError(error)) return undefined;
    throw error;
  }
  const text = decodeText(bytes);
  // The name that an interface has now; a pattern would have been kept.
  if (path.endsWith("/ifname") && !text.includes("%d")) return undefined;
  if (text === "") return undefined;
  if (isBinary(text)) return [...bytes];
  if (/^(0|[1-9][0-9]{0,8})$/.test(text)) return Number(text);
  // bmaControls of uvc is shown with one digit, and taken with two only.
  return text.replace(/^0x([0-9a-f])$/, "0x0$1");
}
