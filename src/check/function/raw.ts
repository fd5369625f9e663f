/**
 * The rules for raw descriptors: what FunctionFS accepts, and what to use instead of the rest.
 *
 * @module
 */

import { isWithin } from "../../arguments/rules.ts";
import { hex } from "../../arguments/show.ts";
import {
  ASSOCIATION_LENGTH,
  AUDIO_ENDPOINT_LENGTH,
  COMPANION_LENGTH,
  ENDPOINT_LENGTH,
  INTERFACE_LENGTH,
  OTG_LENGTH,
} from "../../compile/descriptor_encoding.ts";
import {
  FUNCTIONAL_LENGTHS,
  functionalKind,
} from "../../compile/functional_encoding.ts";
import { ClassCode } from "../../usb/class_code.ts";
import { DescriptorType } from "../../usb/descriptor_type.ts";
import type { ProblemList } from "../problem.ts";

/** The class of the interface above a functional descriptor. */
export interface InterfaceClass {
  /** `bInterfaceClass`. */
  readonly class: number;
  /** `bInterfaceSubClass`. */
  readonly subclass: number;
}

/** Types that the compiler writes, the lengths that FunctionFS takes, and what to declare. */
const COMPILED: Readonly<
  Record<number, readonly [lengths: readonly number[], remedy: string]>
> = {
  [DescriptorType.INTERFACE]: [
    [INTERFACE_LENGTH],
    "declare an interface or an alternate setting",
  ],
  [DescriptorType.ENDPOINT]: [
    [ENDPOINT_LENGTH, AUDIO_ENDPOINT_LENGTH],
    "declare it in endpoints",
  ],
  [DescriptorType.OTG]: [[OTG_LENGTH], "use the option otg"],
  [DescriptorType.INTERFACE_ASSOCIATION]: [
    [ASSOCIATION_LENGTH],
    "use the option associations",
  ],
  [DescriptorType.SUPERSPEED_ENDPOINT_COMPANION]: [
    [COMPANION_LENGTH],
    "use super in the endpoint's options",
  ],
};

/** Types that the gadget has, and configfs makes. */
const GADGET_TYPES: ReadonlySet<number> = new Set([
  DescriptorType.DEVICE,
  DescriptorType.CONFIGURATION,
  DescriptorType.STRING,
  DescriptorType.DEVICE_QUALIFIER,
  DescriptorType.OTHER_SPEED_CONFIGURATION,
  DescriptorType.BOS,
  DescriptorType.DEVICE_CAPABILITY,
]);

const SUBCLASS_MIDI_STREAMING = 0x03;

/** Kernel functions by `bInterfaceSubClass` of a communications interface. */
const CDC_FUNCTIONS: Readonly<Record<number, string>> = {
  0x02: `"acm"`,
  0x06: `"ecm"`,
  0x0c: `"eem"`,
  0x0d: `"ncm"`,
};

/** Checks the raw descriptor at `path`, below an interface of class `above`. */
export function checkRaw(
  list: ProblemList,
  bytes: readonly number[],
  above: InterfaceClass,
  path: string,
): void {
  const [length, type] = bytes;
  if (!bytes.every((it) => isWithin(it, 0, 255))) {
    return list.writeFails(
      "raw",
      path,
      "The descriptor has a number that is not a byte: use 0 to 255",
    );
  }
  if (bytes.length < 2 || length !== bytes.length) {
    return list.writeFails(
      "raw",
      path,
      bytes.length < 2
        ? `The descriptor has ${bytes.length} bytes: give length and type first`
        : `The descriptor says it has ${length} bytes, but has ${bytes.length}: correct its first byte`,
    );
  }
  if (Object.hasOwn(COMPILED, type)) {
    const [lengths, remedy] = COMPILED[type];
    // FunctionFS takes one of the right length, but the host finds it misplaced, with numbers that nothing corrects.
    const fails = lengths.includes(length) ? "configureFails" : "writeFails";
    return list[fails](
      "raw",
      path,
      `Descriptor type ${hex(type)} is written by the compiler: ${remedy}`,
    );
  }
  const kind = functionalKind(above.class, above.subclass);
  if (type !== DescriptorType.CLASS_FUNCTIONAL || kind === undefined) {
    return list.writeFails("descriptor-type", path, refusedType(type, above));
  }
  const expected = FUNCTIONAL_LENGTHS[kind];
  if (length === expected) return;
  list.writeFails(
    "descriptor-length",
    path,
    kind === "hid"
      ? `A HID descriptor of ${length} bytes is refused: announce one report descriptor only, which takes ${expected} bytes`
      : `A functional descriptor of ${length} bytes is refused below class ${
        hex(above.class)
      }: it must have ${expected} bytes`,
  );
}

/** Explains why FunctionFS refuses a type, and what to use instead. */
function refusedType(type: number, above: InterfaceClass): string {
  const what = `Descriptor type ${hex(type)}`;
  if (GADGET_TYPES.has(type)) {
    return `${what} belongs to the gadget, not to a function: set it in the gadget definition`;
  }
  switch (type) {
    case DescriptorType.CLASS_FUNCTIONAL:
      return `${what} is accepted below interfaces of class HID (0x03), CCID (0x0b) and DFU (0xfe, subclass 0x01) only, not ${
        hex(above.class)
      }`;
    case DescriptorType.CS_INTERFACE:
    case DescriptorType.CS_ENDPOINT:
      return `${what} is class specific and FunctionFS cannot carry it: use the kernel function ${
        kernelFunction(above)
      } instead`;
    case DescriptorType.SUPERSPEED_PLUS_ISOCHRONOUS_ENDPOINT_COMPANION:
      return `${what} is for SuperSpeed Plus, for which FunctionFS uses the super-speed descriptors: leave it out`;
    default:
      return `${what} is not one that FunctionFS can carry: leave it out`;
  }
}

/** Names the kernel function of a class that has class-specific descriptors. */
function kernelFunction({ class: code, subclass }: InterfaceClass): string {
  switch (code) {
    case ClassCode.COMMUNICATIONS:
      return CDC_FUNCTIONS[subclass] ?? `"acm", "ecm" or "ncm"`;
    case ClassCode.CDC_DATA:
      return `"acm", "ecm" or "ncm"`;
    case ClassCode.AUDIO:
      return subclass === SUBCLASS_MIDI_STREAMING
        ? `"midi"`
        : `"uac1" or "uac2"`;
    case ClassCode.VIDEO:
      return `"uvc"`;
    default:
      return `for this class ("acm", "ecm", "ncm", "uac1", "uac2", "uvc", "midi")`;
  }
}
