/**
 * Encodes and decodes functional descriptors.
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

type TypedKind = Exclude<FunctionalDescriptor["kind"], "raw">;

/** `bLength` of each kind; a HID descriptor has one class descriptor. */
export const FUNCTIONAL_LENGTHS: Readonly<Record<TypedKind, number>> = {
  hid: 9,
  dfu: 9,
  ccid: 54,
};

/** `bInterfaceSubClass` of DFU below the application-specific class. */
const SUBCLASS_DFU = 0x01;

/** Returns the kind of descriptor that FunctionFS accepts below an interface of a class, if it accepts one. */
export function functionalKind(
  interfaceClass: number,
  interfaceSubclass: number,
): TypedKind | undefined {
  switch (interfaceClass) {
    case ClassCode.HID:
      return "hid";
    case ClassCode.SMART_CARD:
      return "ccid";
    case ClassCode.APPLICATION_SPECIFIC:
      return interfaceSubclass === SUBCLASS_DFU ? "dfu" : undefined;
    default:
      return undefined;
  }
}

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

/** Returns the length of a functional descriptor in bytes. */
export function functionalSize(descriptor: FunctionalDescriptor): number {
  return descriptor.kind === "raw"
    ? descriptor.bytes.length
    : FUNCTIONAL_LENGTHS[descriptor.kind];
}

export function encodeFunctional(
  descriptor: FunctionalDescriptor,
): Uint8Array<ArrayBuffer> {
  const writer = new Writer(functionalSize(descriptor));
  writeFunctional(writer, descriptor);
  return writer.finish();
}

export function writeFunctional(
  writer: Writer,
  descriptor: FunctionalDescriptor,
): void {
  if (descriptor.kind === "raw") return writer.bytes(descriptor.bytes);
  writer.u8(functionalSize(descriptor));
  writer.u8(DescriptorType.CLASS_FUNCTIONAL);
  switch (descriptor.kind) {
    case "hid":
      writer.u16(descriptor.bcdHid);
      writer.u8(descriptor.countryCode);
      writer.u8(1);
      writer.u8(DescriptorType.HID_REPORT);
      writer.u16(descriptor.reportLength);
      return;
    case "dfu":
      writer.u8(
        (descriptor.canDownload ? 1 : 0) | (descriptor.canUpload ? 2 : 0) |
          (descriptor.manifestationTolerant ? 4 : 0) |
          (descriptor.willDetach ? 8 : 0),
      );
      writer.u16(descriptor.detachTimeoutMs);
      writer.u16(descriptor.transferSize);
      writer.u16(descriptor.bcdDfu);
      return;
    case "ccid":
      for (const [name, size] of CCID_FIELDS) {
        const value = descriptor[name] as number;
        if (size === 1) writer.u8(value);
        else if (size === 2) writer.u16(value);
        else writer.u32(value);
      }
  }
}

/** Decodes a descriptor below an interface of a class: to a typed one if that encodes to the same bytes, else to a raw one. */
export function decodeFunctional(
  bytes: Uint8Array,
  interfaceClass: number,
  interfaceSubclass: number,
): FunctionalDescriptor {
  const kind = functionalKind(interfaceClass, interfaceSubclass);
  if (kind === undefined || bytes.length !== FUNCTIONAL_LENGTHS[kind]) {
    return raw(bytes);
  }
  const decoded = decodeTyped(kind, bytes);
  const same = encodeFunctional(decoded).every((it, i) => it === bytes[i]);
  return same ? decoded : raw(bytes);
}

function decodeTyped(
  kind: TypedKind,
  bytes: Uint8Array,
): FunctionalDescriptor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (kind) {
    case "hid":
      return {
        kind,
        reportLength: view.getUint16(7, true),
        bcdHid: view.getUint16(2, true),
        countryCode: view.getUint8(4),
      };
    case "dfu": {
      const bits = view.getUint8(2);
      return {
        kind,
        canDownload: (bits & 1) !== 0,
        canUpload: (bits & 2) !== 0,
        manifestationTolerant: (bits & 4) !== 0,
        willDetach: (bits & 8) !== 0,
        detachTimeoutMs: view.getUint16(3, true),
        transferSize: view.getUint16(5, true),
        bcdDfu: view.getUint16(7, true),
      };
    }
    case "ccid":
      return decodeCcid(view);
  }
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
