/**
 * Encodes the standard descriptors of a function.
 *
 * @module
 */

import { DescriptorType } from "../usb/descriptor_type.ts";
import { USB_EP_MAXP_MULT_SHIFT } from "../usb/endpoint_attributes.ts";
import type { FunctionSpeed } from "../usb/speed.ts";
import type { OtgDefinition } from "../definition/function.ts";
import type { EndpointLayout, SpeedLayout } from "./endpoint_layout.ts";
import { functionalSize, writeFunctional } from "./functional_encoding.ts";
import type { AssociationLayout, Layout, SettingLayout } from "./layout.ts";
import type { Writer } from "./writer.ts";

/** `bLength` of an OTG descriptor. */
export const OTG_LENGTH = 3;
/** `bLength` of an interface descriptor. */
export const INTERFACE_LENGTH = 9;
/** `bLength` of an interface association descriptor. */
export const ASSOCIATION_LENGTH = 8;
/** `bLength` of an endpoint descriptor (`USB_DT_ENDPOINT_SIZE`). */
export const ENDPOINT_LENGTH = 7;
/** `bLength` of an endpoint descriptor of the audio class (`USB_DT_ENDPOINT_AUDIO_SIZE`). */
export const AUDIO_ENDPOINT_LENGTH = 9;
/** `bLength` of a super-speed endpoint companion (`USB_DT_SS_EP_COMP_SIZE`). */
export const COMPANION_LENGTH = 6;

/** Returns the number of descriptors at one speed, and their length in bytes. */
export function measureSpeed(
  { definition: { otg }, settings }: Layout,
  speed: FunctionSpeed,
): { readonly count: number; readonly length: number } {
  let count = otg ? 1 : 0;
  let length = otg ? OTG_LENGTH : 0;
  for (const { associations, descriptors, endpoints } of settings) {
    count += 1 + associations.length + descriptors.length + endpoints.length;
    length += INTERFACE_LENGTH + associations.length * ASSOCIATION_LENGTH;
    for (const it of descriptors) length += functionalSize(it);
    for (const { audio } of endpoints) {
      length += audio ? AUDIO_ENDPOINT_LENGTH : ENDPOINT_LENGTH;
    }
    if (speed === "super") {
      count += endpoints.length;
      length += endpoints.length * COMPANION_LENGTH;
    }
  }
  return { count, length };
}

/** Writes the descriptors of one speed. `interfaceOffset` is added to `bFirstInterface` of associations. */
export function writeSpeed(
  writer: Writer,
  { definition: { otg }, settings }: Layout,
  speed: FunctionSpeed,
  interfaceOffset: number,
): void {
  if (otg) writeOtg(writer, otg);
  for (const setting of settings) {
    for (const it of setting.associations) {
      writeAssociation(writer, it, interfaceOffset);
    }
    writeInterface(writer, setting);
    for (const it of setting.descriptors) writeFunctional(writer, it);
    for (const it of setting.endpoints) {
      writeEndpoint(writer, it, it.speeds[speed]);
      if (speed === "super") writeCompanion(writer, it, it.speeds.super);
    }
  }
}

function writeOtg(writer: Writer, { srp, hnp }: OtgDefinition): void {
  writer.u8(OTG_LENGTH);
  writer.u8(DescriptorType.OTG);
  writer.u8((srp ? 1 : 0) | (hnp ? 2 : 0));
}

function writeAssociation(
  writer: Writer,
  { association, string }: AssociationLayout,
  interfaceOffset: number,
): void {
  writer.u8(ASSOCIATION_LENGTH);
  writer.u8(DescriptorType.INTERFACE_ASSOCIATION);
  writer.u8(association.firstInterface + interfaceOffset);
  writer.u8(association.interfaceCount);
  writer.u8(association.class);
  writer.u8(association.subclass ?? 0);
  writer.u8(association.protocol ?? 0);
  writer.u8(string);
}

function writeInterface(writer: Writer, setting: SettingLayout): void {
  writer.u8(INTERFACE_LENGTH);
  writer.u8(DescriptorType.INTERFACE);
  writer.u8(setting.interfaceNumber);
  writer.u8(setting.alternateSetting);
  writer.u8(setting.endpoints.length);
  writer.u8(setting.class);
  writer.u8(setting.subclass);
  writer.u8(setting.protocol);
  writer.u8(setting.string);
}

function writeEndpoint(
  writer: Writer,
  { address, attributes, audio }: EndpointLayout,
  { maxPacketSize, transactions, interval }: SpeedLayout,
): void {
  writer.u8(audio ? AUDIO_ENDPOINT_LENGTH : ENDPOINT_LENGTH);
  writer.u8(DescriptorType.ENDPOINT);
  writer.u8(address);
  writer.u8(attributes);
  writer.u16(maxPacketSize | (transactions - 1) << USB_EP_MAXP_MULT_SHIFT);
  writer.u8(interval);
  if (audio) {
    writer.u8(audio.refresh ?? 0);
    writer.u8(audio.synchAddress ?? 0);
  }
}

function writeCompanion(
  writer: Writer,
  { transferType }: EndpointLayout,
  { maxBurst, streams, mult, bytesPerInterval }: SpeedLayout,
): void {
  writer.u8(COMPANION_LENGTH);
  writer.u8(DescriptorType.SUPERSPEED_ENDPOINT_COMPANION);
  writer.u8(maxBurst);
  writer.u8(
    transferType === "bulk"
      ? streams > 0 ? Math.log2(streams) : 0
      : transferType === "isochronous"
      ? mult
      : 0,
  );
  writer.u16(bytesPerInterval);
}
