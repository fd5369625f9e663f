/**
 * Functional descriptors to bytes and back.
 *
 * @module
 */

import { ClassCode } from "../usb/class_code.ts";
import { DescriptorType } from "../usb/descriptor_type.ts";
import type { CcidDescriptor } from "../definition/ccid.ts";
import {
  type DfuDescriptor,
  type FunctionalDescriptor,
  type HidDescriptor,
  raw,
} from "../definition/functional_descriptor.ts";
import { Writer } from "./writer.ts";

/** Length of a HID descriptor with one class descriptor. */
export const HID_LENGTH = 9;
/** Length of a DFU functional descriptor. */
export const DFU_LENGTH = 9;
/** Length of a smart card class descriptor. */
export const CCID_LENGTH = 54;
/** `bInterfaceSubClass` of DFU below the application specific class. */
export const SUBCLASS_DFU = 0x01;

/** A field of a functional descriptor: its name and its size in bytes. */
export type Field<D> = readonly [name: keyof D & string, size: 1 | 2 | 4];

/** The fields of a smart card class descriptor after type and length, in order. */
export const CCID_FIELDS: readonly Field<CcidDescriptor>[] = [
  ["bcdCcid", 2],
  ["maxSlotIndex", 1],
  ["voltageSupport", 1],
  ["protocols", 4],
  ["defaultClockKhz", 4],
  ["maximumClockKhz", 4],
  ["clocksSupported", 1],
  ["dataRate", 4],
  ["maxDataRate", 4],
  ["dataRatesSupported", 1],
  ["maxIfsd", 4],
  ["synchProtocols", 4],
  ["mechanical", 4],
  ["features", 4],
  ["maxMessageLength", 4],
  ["classGetResponse", 1],
  ["classEnvelope", 1],
  ["lcdLayout", 2],
  ["pinSupport", 1],
  ["maxBusySlots", 1],
];

/** The numeric fields of a HID descriptor. */
export const HID_FIELDS: readonly Field<HidDescriptor>[] = [
  ["bcdHid", 2],
  ["countryCode", 1],
  ["reportLength", 2],
];

/** The numeric fields of a DFU functional descriptor. */
export const DFU_FIELDS: readonly Field<DfuDescriptor>[] = [
  ["detachTimeoutMs", 2],
  ["transferSize", 2],
  ["bcdDfu", 2],
];

/** The bits of `bmAttributes` of a DFU functional descriptor. */
const DFU_BITS = {
  canDownload: 1,
  canUpload: 2,
  manifestationTolerant: 4,
  willDetach: 8,
} as const;

/**
 * Says how long a functional descriptor is.
 *
 * @param descriptor The descriptor.
 * @returns Its length in bytes.
 */
export function functionalSize(descriptor: FunctionalDescriptor): number {
  switch (descriptor.kind) {
    case "hid":
      return HID_LENGTH;
    case "dfu":
      return DFU_LENGTH;
    case "ccid":
      return CCID_LENGTH;
    case "raw":
      return descriptor.bytes.length;
  }
}

/**
 * Encodes a functional descriptor.
 *
 * @param descriptor The descriptor.
 * @returns Its bytes.
 */
export function encodeFunctional(
  descriptor: FunctionalDescriptor,
): Uint8Array<ArrayBuffer> {
  const writer = new Writer(functionalSize(descriptor));
  writeFunctional(writer, descriptor);
  return writer.finish();
}

/**
 * Writes a functional descriptor.
 *
 * @param writer The block.
 * @param descriptor The descriptor.
 */
export function writeFunctional(
  writer: Writer,
  descriptor: FunctionalDescriptor,
): void {
  if (descriptor.kind === "raw") return writer.bytes(descriptor.bytes);
  writer.u8(functionalSize(descriptor));
  writer.u8(DescriptorType.CLASS_FUNCTIONAL);
  switch (descriptor.kind) {
    case "hid":
      return writeHid(writer, descriptor);
    case "dfu":
      return writeDfu(writer, descriptor);
    case "ccid":
      return writeCcid(writer, descriptor);
  }
}

function writeHid(writer: Writer, descriptor: HidDescriptor): void {
  writer.u16(descriptor.bcdHid);
  writer.u8(descriptor.countryCode);
  writer.u8(1);
  writer.u8(DescriptorType.HID_REPORT);
  writer.u16(descriptor.reportLength);
}

function writeDfu(writer: Writer, descriptor: DfuDescriptor): void {
  let attributes = 0;
  for (const [name, bit] of dfuBits()) if (descriptor[name]) attributes |= bit;
  writer.u8(attributes);
  writer.u16(descriptor.detachTimeoutMs);
  writer.u16(descriptor.transferSize);
  writer.u16(descriptor.bcdDfu);
}

function dfuBits(): [keyof typeof DFU_BITS, number][] {
  return Object.entries(DFU_BITS) as [keyof typeof DFU_BITS, number][];
}

function writeCcid(writer: Writer, descriptor: CcidDescriptor): void {
  for (const [name, size] of CCID_FIELDS) {
    const value = descriptor[name] as number;
    if (size === 1) writer.u8(value);
    else if (size === 2) writer.u16(value);
    else writer.u32(value);
  }
}

/**
 * Decodes a functional descriptor.
 *
 * @param bytes One descriptor.
 * @param interfaceClass `bInterfaceClass` of the interface above it.
 * @param interfaceSubclass `bInterfaceSubClass` of the interface above it.
 * @returns A typed descriptor where one has exactly these bytes, else the bytes.
 */
export function decodeFunctional(
  bytes: Uint8Array,
  interfaceClass: number,
  interfaceSubclass: number,
): FunctionalDescriptor {
  const decoded = decodeTyped(bytes, interfaceClass, interfaceSubclass);
  if (decoded === undefined) return raw(bytes);
  const encoded = encodeFunctional(decoded);
  const same = encoded.length === bytes.length &&
    bytes.every((it, index) => it === encoded[index]);
  return same ? decoded : raw(bytes);
}

function decodeTyped(
  bytes: Uint8Array,
  interfaceClass: number,
  interfaceSubclass: number,
): FunctionalDescriptor | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (interfaceClass === ClassCode.HID && bytes.length === HID_LENGTH) {
    return {
      kind: "hid",
      reportLength: view.getUint16(7, true),
      bcdHid: view.getUint16(2, true),
      countryCode: view.getUint8(4),
    };
  }
  if (interfaceClass === ClassCode.SMART_CARD && bytes.length === CCID_LENGTH) {
    return decodeCcid(view);
  }
  if (
    interfaceClass === ClassCode.APPLICATION_SPECIFIC &&
    interfaceSubclass === SUBCLASS_DFU && bytes.length === DFU_LENGTH
  ) {
    const has = (name: keyof typeof DFU_BITS) =>
      (view.getUint8(2) & DFU_BITS[name]) !== 0;
    return {
      kind: "dfu",
      canDownload: has("canDownload"),
      canUpload: has("canUpload"),
      manifestationTolerant: has("manifestationTolerant"),
      willDetach: has("willDetach"),
      detachTimeoutMs: view.getUint16(3, true),
      transferSize: view.getUint16(5, true),
      bcdDfu: view.getUint16(7, true),
    };
  }
  return undefined;
}

function decodeCcid(view: DataView): CcidDescriptor {
  const values: Record<string, number> = {};
  let offset = 2;
  for (const [name, size] of CCID_FIELDS) {
    values[name] = size === 1
      ? view.getUint8(offset)
      : size === 2
      ? view.getUint16(offset, true)
      : view.getUint32(offset, true);
    offset += size;
  }
  return { kind: "ccid", ...values } as unknown as CcidDescriptor;
}
