/**
 * The fields of a descriptor, as lsusb prints them.
 *
 * @module
 */
import { u16 } from "../decode_descriptors.ts";

/** Bytes of a field, by the prefix of its name. A number with 0x has as many as its digits. */
const SIZES: Readonly<Record<string, number>> = {
  ...{ b: 1, ba: 1, bm: 1, bma: 1, i: 1, n: 1, bcd: 2, id: 2 },
  ...{ w: 2, wl: 2, t: 3, dw: 4, guid: 16 },
};
/** Fields of smart card readers that are hexadecimal, without a prefix. */
const HEXADECIMAL: ReadonlySet<string> = new Set([
  ...["dwSyncProtocols", "dwMechanical", "dwFeatures"],
  ...["bClassGetResponse", "bClassEnvelope"],
]);
/** Fields whose names have another prefix. */
const NAMED: Readonly<Record<string, number>> = {
  bU2DevExitLat: 2,
  CapabilityData: 1,
  ContainerID: 16,
  PlatformCapabilityUUID: 16,
};
/** A name, perhaps with an index, and the rest of the line. */
const FIELD =
  /^((?:guid|bcd|bma|bm|ba|dw|id|wl|b|i|n|t|w)(?=[A-Z]|cd)\w*|CapabilityData|ContainerID|PlatformCapabilityUUID)\.?(?:[([] *\d+ *[)\]])? +(.*)$/;

/** Headings of descriptors that are printed without length and type, and their subtypes (CDC 1.2 table 13). */
export const CDC_SUBTYPES: Readonly<Record<string, number>> = {
  "CDC Header": 0x00,
  "CDC Call Management": 0x01,
  "CDC ACM": 0x02,
  "CDC Union": 0x06,
  "CDC Country": 0x07,
  "CDC Ethernet": 0x0f,
  "CDC WHCM": 0x11,
  "CDC MDLM": 0x12,
  "CDC MDLM detail": 0x13,
  "CDC Device Management": 0x14,
  "CDC OBEX": 0x15,
  "CDC NCM": 0x1a,
  "CDC MBIM": 0x1b,
  "CDC MBIM Extended": 0x1c,
};
/** A field of a descriptor. */
export interface Field {
  readonly name: string;
  readonly value: number;
  readonly size: number;
  /** What follows the number. */
  readonly text: string;
  /** The bytes of a GUID. */
  readonly guid?: readonly number[];
}

/** Reads a line with a field, if it is one. */
export function parseField(line: string): Field | undefined {
  const [, name, rest] = FIELD.exec(line) ?? [];
  if (name === undefined) return undefined;
  const prefix = name.startsWith("wlcd")
    ? "wl"
    : /^[a-z]+/.exec(name)?.[0] ?? "";
  const size = Object.hasOwn(NAMED, name) ? NAMED[name] : SIZES[prefix];
  if (size === undefined) return undefined;
  if (size === 16) {
    const guid = guidBytes(rest);
    return guid && { name, value: 0, size, text: "", guid };
  }
  const [, number = "", text = ""] =
    /^(0x *[0-9a-f]+|\S*) *(.*)$/i.exec(rest) ??
      [];
  const value = HEXADECIMAL.has(name) && /^[0-9a-f]+$/i.test(number)
    ? parseInt(number, 16)
    : parseNumber(number, prefix);
  if (value === undefined) return undefined;
  const digits = /^0x([0-9a-f]+)$/i.exec(number)?.[1].length ?? 0;
  const isMask = prefix.startsWith("bm");
  return { name, value, size: isMask && digits > 2 ? digits / 2 : size, text };
}

function parseNumber(number: string, prefix: string): number | undefined {
  if (prefix === "bcd") return parseVersion(number);
  if (number === "echo") return 0xff;
  if (number === "none") return 0;
  // 24.000000MHz
  const megahertz = /^([\d.]+)MHz$/.exec(number);
  if (megahertz) return Math.round(Number(megahertz[1]) * 1e6);
  const value = Number(number.replaceAll(" ", ""));
  return number !== "" && Number.isInteger(value) ? value : undefined;
}

/** Binary-coded decimal: 1.1a is 0x011a. */
function parseVersion(text: string): number | undefined {
  const [, major, minor] = /^([0-9a-f]{1,2})\.([0-9a-f]{2})$/i.exec(text) ?? [];
  return major === undefined ? undefined : parseInt(major + minor, 16);
}

/** {7d9eee90-4755-1bbf-954e-ff6a21e446d4}: the first three groups are little-endian. */
function guidBytes(text: string): number[] | undefined {
  const groups = /^\{([0-9a-f-]{36})\}/i.exec(text)?.[1].split("-");
  if (groups === undefined) return undefined;
  return groups.flatMap((group, index) => {
    const bytes = (group.match(/../g) ?? []).map((it) => parseInt(it, 16));
    return index < 3 ? bytes.reverse() : bytes;
  });
}

/** Encodes the fields of a descriptor. */
export function encodeFields(fields: readonly Field[]): number[] {
  let controlSize: number | undefined;
  return fields.flatMap(({ name, value, size, guid }) => {
    if (guid) return [...guid];
    if (name === "bControlSize") controlSize = value;
    const width = /^bma?Controls$/.test(name) ? controlSize ?? size : size;
    return Array.from(
      { length: width },
      (_, index) => Math.floor(value / 2 ** (8 * index)) & 0xff,
    );
  });
}

/** Reads the speed that newer versions print. */
export function parseSpeedLine(line: string) {
  const [, megabits] = /^Negotiated speed: .*\((\S+)bps\)/.exec(line) ?? [];
  switch (megabits) {
    case "1M":
    case "1.5M":
      return "low-speed" as const;
    case "12M":
      return "full-speed" as const;
    case "480M":
      return "high-speed" as const;
    case "5G":
    case "5000M":
      return "super-speed" as const;
    default:
      return megabits === undefined ? undefined : "super-speed-plus" as const;
  }
}

/** Whether the device descriptor is of USB 3. */
export function isUsb3(device: Uint8Array | readonly number[]): boolean {
  return u16(Uint8Array.from(device), 2) >= 0x0300;
}
