/**
 * Reads strings and Microsoft OS 1.0 descriptors of a device, as a host does.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";

const GET_DESCRIPTOR = 6;
const STRING = 3;
/** The length that Windows requests. */
const ANSWER_LENGTH = 4096;

/** Reads a string descriptor. */
export async function readString(
  device: UsbfsDevice,
  index: number,
  language: number,
): Promise<string> {
  const bytes = await readStringBytes(device, index, language);
  return new TextDecoder("utf-16le").decode(bytes);
}

/** Reads the LANGIDs of a device's strings. */
export async function readLanguages(device: UsbfsDevice): Promise<number[]> {
  const bytes = await readStringBytes(device, 0, 0);
  return [...new Uint16Array(bytes.slice().buffer)];
}

async function readStringBytes(
  device: UsbfsDevice,
  index: number,
  language: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await device.controlIn({
    requestType: 0x80,
    request: GET_DESCRIPTOR,
    value: STRING << 8 | index,
    index: language,
    length: 255,
  });
  assertEquals([bytes[0], bytes[1]], [bytes.length, STRING]);
  return bytes.subarray(2);
}

/** The string descriptor 0xee, which Windows requests first. */
export interface OsString {
  readonly signature: string;
  readonly vendorCode: number;
}

/** Reads the Microsoft OS string descriptor. */
export async function readOsString(device: UsbfsDevice): Promise<OsString> {
  const bytes = await readStringBytes(device, 0xee, 0);
  return {
    signature: new TextDecoder("utf-16le").decode(bytes.subarray(0, 14)),
    vendorCode: bytes[14],
  };
}

/** A function section of the extended compat ID descriptor. */
export interface CompatibleIdSection {
  readonly interface: number;
  readonly compatibleId: string;
  readonly subCompatibleId: string;
}

/** Reads the extended compat IDs of a device. */
export async function readCompatibleIds(
  device: UsbfsDevice,
  vendorCode: number,
): Promise<CompatibleIdSection[]> {
  const bytes = await device.controlIn({
    requestType: 0xc0,
    request: vendorCode,
    index: 4,
    length: ANSWER_LENGTH,
  });
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  assertEquals(view.getUint32(0, true), bytes.length, "dwLength");
  assertEquals(view.getUint16(4, true), 0x0100, "bcdVersion");
  assertEquals(view.getUint16(6, true), 4, "wIndex");
  assertEquals(bytes.length, 16 + 24 * bytes[8], "bCount");
  const text = (at: number) =>
    new TextDecoder().decode(bytes.subarray(at, at + 8)).replace(/\0+$/, "");
  return Array.from({ length: bytes[8] }, (_, index) => {
    const at = 16 + 24 * index;
    return {
      interface: bytes[at],
      compatibleId: text(at + 2),
      subCompatibleId: text(at + 10),
    };
  });
}

/** A custom property section of the extended properties descriptor. */
export interface PropertySection {
  readonly type: number;
  /** Without the terminating NUL. */
  readonly name: string;
  readonly data: Uint8Array;
}

/** Reads the extended properties of an interface. */
export async function readProperties(
  device: UsbfsDevice,
  vendorCode: number,
  interfaceNumber: number,
): Promise<PropertySection[]> {
  const bytes = await device.controlIn({
    requestType: 0xc1,
    request: vendorCode,
    value: interfaceNumber,
    index: 5,
    length: ANSWER_LENGTH,
  });
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  assertEquals(view.getUint32(0, true), bytes.length, "dwLength");
  assertEquals(view.getUint16(4, true), 0x0100, "bcdVersion");
  assertEquals(view.getUint16(6, true), 5, "wIndex");
  const sections: PropertySection[] = [];
  let at = 10;
  for (let left = view.getUint16(8, true); left > 0; left--) {
    const size = view.getUint32(at, true);
    const nameLength = view.getUint16(at + 8, true);
    const dataAt = at + 10 + nameLength;
    const dataLength = view.getUint32(dataAt, true);
    assertEquals(size, 14 + nameLength + dataLength, "dwSize");
    sections.push({
      type: view.getUint32(at + 4, true),
      name: utf16(bytes.subarray(at + 10, dataAt)),
      data: bytes.subarray(dataAt + 4, dataAt + 4 + dataLength),
    });
    at += size;
  }
  assertEquals(at, bytes.length, "the sum of all sizes");
  return sections;
}

/** Decodes text that must end with exactly one NUL. */
export function utf16(bytes: Uint8Array): string {
  const text = new TextDecoder("utf-16le").decode(bytes);
  assertEquals(text.indexOf("\0"), text.length - 1, "the place of the NUL");
  return text.slice(0, -1);
}
