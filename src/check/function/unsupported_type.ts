/**
 * Why FunctionFS refuses a descriptor type, and what to do instead.
 *
 * @module
 */

import { ClassCode } from "../../usb/class_code.ts";
import { DescriptorType } from "../../usb/descriptor_type.ts";
import { hex } from "../problem_list.ts";

/** Descriptors of the gadget, which configfs makes. */
const GADGET_TYPES: ReadonlySet<number> = new Set([
  DescriptorType.DEVICE,
  DescriptorType.CONFIGURATION,
  DescriptorType.STRING,
  DescriptorType.DEVICE_QUALIFIER,
  DescriptorType.OTHER_SPEED_CONFIGURATION,
  DescriptorType.BOS,
  DescriptorType.DEVICE_CAPABILITY,
]);

/**
 * Explains why FunctionFS refuses a descriptor of a type.
 *
 * @param type `bDescriptorType`.
 * @param interfaceClass `bInterfaceClass` of the interface above it, if there is one.
 * @param interfaceSubclass `bInterfaceSubClass` of that interface.
 * @returns The reason and what to use instead.
 */
export function unsupportedType(
  type: number,
  interfaceClass: number | undefined,
  interfaceSubclass: number | undefined,
): string {
  const what = `Descriptor type ${hex(type)}`;
  if (GADGET_TYPES.has(type)) {
    return `${what} belongs to the gadget, not to a function: set it in the gadget definition`;
  }
  if (type === DescriptorType.CLASS_FUNCTIONAL) {
    return interfaceClass === undefined
      ? `${what} stands before any interface: put it after one of class HID, CCID or DFU`
      : `${what} is accepted below interfaces of class HID (0x03), CCID (0x0b) and DFU (0xfe, subclass 0x01) only, not ${
        hex(interfaceClass)
      }`;
  }
  if (
    type === DescriptorType.CS_INTERFACE || type === DescriptorType.CS_ENDPOINT
  ) {
    return `${what} is class specific and FunctionFS cannot carry it: use the kernel function ${
      kernelFunction(interfaceClass, interfaceSubclass)
    } instead`;
  }
  if (
    type === DescriptorType.SUPERSPEED_PLUS_ISOCHRONOUS_ENDPOINT_COMPANION
  ) {
    return `${what} is for SuperSpeed Plus, for which FunctionFS uses the super-speed descriptors: leave it out`;
  }
  return `${what} is not one that FunctionFS can carry: leave it out`;
}

/** The name of the kernel's own function for a class with class-specific descriptors. */
function kernelFunction(
  interfaceClass: number | undefined,
  interfaceSubclass: number | undefined,
): string {
  switch (interfaceClass) {
    case ClassCode.COMMUNICATIONS:
      return CDC_FUNCTIONS[interfaceSubclass ?? 0] ?? `"acm", "ecm" or "ncm"`;
    case ClassCode.CDC_DATA:
      return `"acm", "ecm" or "ncm"`;
    case ClassCode.AUDIO:
      return interfaceSubclass === SUBCLASS_MIDI_STREAMING
        ? `"midi"`
        : `"uac1" or "uac2"`;
    case ClassCode.VIDEO:
      return `"uvc"`;
    default:
      return `for this class ("acm", "ecm", "ncm", "uac1", "uac2", "uvc", "midi")`;
  }
}

const SUBCLASS_MIDI_STREAMING = 0x03;

/** By `bInterfaceSubClass` of a communications interface. */
const CDC_FUNCTIONS: Readonly<Record<number, string>> = {
  0x02: `"acm"`,
  0x06: `"ecm"`,
  0x0c: `"eem"`,
  0x0d: `"ncm"`,
};
