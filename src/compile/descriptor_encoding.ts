/**
 * Standard descriptors of a function to bytes.
 *
 * @module
 */

import { DescriptorType } from "../usb/descriptor_type.ts";
import { USB_EP_MAXP_MULT_SHIFT } from "../usb/endpoint_attributes.ts";
import type { FunctionSpeed } from "../usb/speed.ts";
import type {
  AssociationDefinition,
  FunctionDefinition,
  OtgDefinition,
} from "../definition/function.ts";
import { functionalSize, writeFunctional } from "./functional_encoding.ts";
import type { Plan, PlannedSetting } from "./layout.ts";
import type { PlannedEndpoint, PlannedSpeed } from "./endpoint_layout.ts";
import type { StringTable } from "./string_table.ts";
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

/** The values of `bLength` that FunctionFS takes for each standard descriptor. */
export const STANDARD_LENGTHS: Readonly<Record<number, readonly number[]>> = {
  [DescriptorType.INTERFACE]: [INTERFACE_LENGTH],
  [DescriptorType.ENDPOINT]: [ENDPOINT_LENGTH, AUDIO_ENDPOINT_LENGTH],
  [DescriptorType.OTG]: [OTG_LENGTH],
  [DescriptorType.INTERFACE_ASSOCIATION]: [ASSOCIATION_LENGTH],
  [DescriptorType.SUPERSPEED_ENDPOINT_COMPANION]: [COMPANION_LENGTH],
};

/** A setting with what stands around its interface descriptor. */
interface ContentSetting {
  readonly setting: PlannedSetting;
  /** `iInterface`. */
  readonly string: number;
  readonly associations: readonly ContentAssociation[];
}

interface ContentAssociation {
  readonly association: AssociationDefinition;
  /** `iFunction`. */
  readonly string: number;
}

/** What each speed's list of descriptors is made of. */
export interface FunctionContent {
  /** On-The-Go abilities. */
  readonly otg: OtgDefinition | undefined;
  /** The settings in order. */
  readonly settings: readonly ContentSetting[];
  /** Added to `bFirstInterface` of associations. */
  readonly interfaceOffset: number;
}

/**
 * Collects what the lists of all speeds have in common, and puts the strings into the table in the order of use.
 *
 * @param definition The function.
 * @param plan Its plan.
 * @param strings The table to fill.
 * @param interfaceOffset Interfaces before those of this function.
 * @returns The content.
 */
export function functionContent(
  definition: FunctionDefinition,
  plan: Plan,
  strings: StringTable,
  interfaceOffset: number,
): FunctionContent {
  const { associations = [] } = definition;
  const settings = plan.settings.map((setting) => ({
    setting,
    associations: setting.alternateSetting > 0 ? [] : associations
      .filter((it) => it.firstInterface === setting.interfaceNumber)
      .map((association) => ({
        association,
        string: strings.add(association.description),
      })),
    string: strings.add(setting.description),
  }));
  return { otg: definition.otg, settings, interfaceOffset };
}

/**
 * Counts the descriptors at one speed.
 *
 * @param content What there is.
 * @param speed The speed.
 * @returns How many descriptors there are, and how many bytes they take.
 */
export function measureSpeed(
  content: FunctionContent,
  speed: FunctionSpeed,
): { readonly count: number; readonly length: number } {
  let count = content.otg ? 1 : 0;
  let length = content.otg ? OTG_LENGTH : 0;
  for (const { setting, associations } of content.settings) {
    const { descriptors, endpoints } = setting;
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

/**
 * Writes the descriptors of one speed.
 *
 * @param writer The block.
 * @param content What there is.
 * @param speed The speed.
 */
export function writeSpeed(
  writer: Writer,
  content: FunctionContent,
  speed: FunctionSpeed,
): void {
  if (content.otg) writeOtg(writer, content.otg);
  for (const it of content.settings) {
    for (const association of it.associations) {
      writeAssociation(writer, association, content.interfaceOffset);
    }
    writeInterface(writer, it.setting, it.string);
    for (const each of it.setting.descriptors) writeFunctional(writer, each);
    for (const endpoint of it.setting.endpoints) {
      writeEndpoint(writer, endpoint, endpoint.speeds[speed]);
      if (speed === "super") {
        writeCompanion(writer, endpoint, endpoint.speeds.super);
      }
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
  { association, string }: ContentAssociation,
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

function writeInterface(
  writer: Writer,
  setting: PlannedSetting,
  string: number,
): void {
  writer.u8(INTERFACE_LENGTH);
  writer.u8(DescriptorType.INTERFACE);
  writer.u8(setting.interfaceNumber);
  writer.u8(setting.alternateSetting);
  writer.u8(setting.endpoints.length);
  writer.u8(setting.class);
  writer.u8(setting.subclass);
  writer.u8(setting.protocol);
  writer.u8(string);
}

function writeEndpoint(
  writer: Writer,
  { address, attributes, audio }: PlannedEndpoint,
  { maxPacketSize, transactions, interval }: PlannedSpeed,
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
  { transferType }: PlannedEndpoint,
  { maxBurst, streams, mult, bytesPerInterval }: PlannedSpeed,
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
