/**
 * Encodes Microsoft OS descriptors in the form that FunctionFS reads. The kernel rewrites them for the host.
 *
 * ```text
 * header, 11 bytes                    compat ID, 24 bytes        property, 14 bytes and more
 *  0 u8   interface                    0 u8    interface          0 u32 dwSize, all of it
 *  1 u32  dwLength                     1 u8    1                  4 u32 type
 *  5 u16  bcdVersion                   2 u8[8] compatible ID      8 u16 name length, NUL included
 *  7 u16  wIndex, 4 or 5              10 u8[8] sub-compatible ID 10     name
 *  9 u16  how many follow             18 u8[6] 0                  . u32 value length, NUL included
 *                                                                 .     value
 * ```
 *
 * @module
 */

import type {
  CompatibleId,
  ExtendedProperty,
  ExtendedPropertyType,
  MicrosoftOsFeature,
} from "../definition/microsoft_os.ts";
import type { Writer } from "./writer.ts";

/** `wIndex` of extended compat IDs. */
export const EXTENDED_COMPAT_ID = 4;
/** `wIndex` of extended properties. */
export const EXTENDED_PROPERTIES = 5;
/** Length of the header of a feature descriptor. */
export const OS_HEADER_LENGTH = 11;
/** Length of one extended compat ID. */
export const COMPAT_ID_LENGTH = 24;
/** Length of an extended property without its name and value. */
export const PROPERTY_LENGTH = 14;
/** Most characters of a compatible ID. */
export const COMPAT_ID_CHARACTERS = 8;

/** `dwPropertyDataType` of the types that the kernel can answer with. */
export const PROPERTY_TYPES: Readonly<Record<ExtendedPropertyType, number>> = {
  "string": 1,
  "expand-string": 2,
  "binary": 3,
  "link": 6,
};

const encoder = new TextEncoder();

/** The feature descriptors of a function: one of all compat IDs, then one of properties for each interface. */
export interface MicrosoftOsBlock {
  readonly count: number;
  /** In bytes. */
  readonly length: number;
  write(writer: Writer, bcdVersion: number): void;
}

interface EncodedProperty {
  readonly type: number;
  readonly name: Uint8Array;
  readonly value: ArrayLike<number>;
}

/** Groups the features of a function, which may come in any order, and measures them. */
export function microsoftOsBlock(
  features: readonly MicrosoftOsFeature[],
): MicrosoftOsBlock {
  const ids: CompatibleId[] = [];
  const properties = new Map<number, EncodedProperty[]>();
  let length = 0;
  for (const feature of features) {
    if (feature.kind === "compatible-id") {
      if (ids.length === 0) length += OS_HEADER_LENGTH;
      ids.push(feature);
      length += COMPAT_ID_LENGTH;
    } else {
      const property = encodeProperty(feature);
      const list = properties.get(feature.interface);
      if (list) {
        list.push(property);
      } else {
        properties.set(feature.interface, [property]);
        length += OS_HEADER_LENGTH;
      }
      length += propertyLength(property);
    }
  }
  return {
    count: (ids.length > 0 ? 1 : 0) + properties.size,
    length,
    write(writer, bcdVersion): void {
      if (ids.length > 0) writeIds(writer, bcdVersion, ids);
      for (const [number, list] of properties) {
        writeProperties(writer, bcdVersion, number, list);
      }
    },
  };
}

/** Adds the terminators that the kernel relies on. */
function encodeProperty(property: ExtendedProperty): EncodedProperty {
  const { name, value } = property;
  return {
    type: PROPERTY_TYPES[property.type],
    name: encoder.encode(`${name}\0`),
    value: typeof value === "string" ? encoder.encode(`${value}\0`) : value,
  };
}

function propertyLength({ name, value }: EncodedProperty): number {
  return PROPERTY_LENGTH + name.length + value.length;
}

function writeHeader(
  writer: Writer,
  bcdVersion: number,
  header: { interface: number; length: number; index: number; count: number },
): void {
  writer.u8(header.interface);
  writer.u32(OS_HEADER_LENGTH + header.length);
  writer.u16(bcdVersion);
  writer.u16(header.index);
  writer.u16(header.count);
}

function writeIds(
  writer: Writer,
  bcdVersion: number,
  ids: readonly CompatibleId[],
): void {
  writeHeader(writer, bcdVersion, {
    interface: 0,
    length: ids.length * COMPAT_ID_LENGTH,
    index: EXTENDED_COMPAT_ID,
    count: ids.length,
  });
  for (const id of ids) {
    writer.u8(id.interface);
    writer.u8(1);
    writer.ascii(id.compatibleId, COMPAT_ID_CHARACTERS);
    writer.ascii(id.subCompatibleId, COMPAT_ID_CHARACTERS);
    writer.zeros(6);
  }
}

function writeProperties(
  writer: Writer,
  bcdVersion: number,
  number: number,
  properties: readonly EncodedProperty[],
): void {
  let length = 0;
  for (const property of properties) length += propertyLength(property);
  writeHeader(writer, bcdVersion, {
    interface: number,
    length,
    index: EXTENDED_PROPERTIES,
    count: properties.length,
  });
  for (const property of properties) {
    writer.u32(propertyLength(property));
    writer.u32(property.type);
    writer.u16(property.name.length);
    writer.bytes(property.name);
    writer.u32(property.value.length);
    writer.bytes(property.value);
  }
}
