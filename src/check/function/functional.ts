/**
 * Rules for functional descriptors.
 *
 * @module
 */

import { ClassCode } from "../../usb/class_code.ts";
import { DescriptorType } from "../../usb/descriptor_type.ts";
import { STANDARD_LENGTHS } from "../../compile/descriptor_encoding.ts";
import type { FunctionalDescriptor } from "../../definition/functional_descriptor.ts";
import {
  CCID_FIELDS,
  CCID_LENGTH,
  DFU_FIELDS,
  DFU_LENGTH,
  HID_FIELDS,
  HID_LENGTH,
  SUBCLASS_DFU,
} from "../../compile/functional_encoding.ts";
import { hex, isWithin, type ProblemList, show } from "../problem_list.ts";
import { unsupportedType } from "./unsupported_type.ts";

/** The class of the interface that a functional descriptor stands below. */
export interface InterfaceClass {
  /** `bInterfaceClass`. */
  readonly class: number;
  /** `bInterfaceSubClass`. */
  readonly subclass: number;
}

/** A DFU transfer is one control transfer, and composite takes 4096 bytes in one. */
const MAX_DFU_TRANSFER = 4096;

/**
 * Validates one functional descriptor.
 *
 * @param list Where problems go.
 * @param descriptor The descriptor.
 * @param above The class of the interface above it.
 * @param path Where the descriptor is.
 */
export function validateFunctional(
  list: ProblemList,
  descriptor: FunctionalDescriptor,
  above: InterfaceClass,
  path: string,
): void {
  const fields = (names: readonly (readonly [string, number])[]) => {
    const values: Record<string, unknown> = { ...descriptor };
    for (const [name, size] of names) {
      const greatest = 2 ** (8 * size) - 1;
      list.range(values[name], [0, greatest], `${path}.${name}`, words(name));
    }
  };
  switch (descriptor.kind) {
    case "hid":
      expectClass(list, above.class === ClassCode.HID, {
        path,
        what: "A HID descriptor",
        wanted: "class HID (0x03)",
        above,
      });
      fields(HID_FIELDS);
      if (
        descriptor.report !== undefined &&
        descriptor.report.length !== descriptor.reportLength
      ) {
        list.configure(
          "functional",
          `${path}.reportLength`,
          `Report length is ${
            show(descriptor.reportLength)
          }, but the report descriptor has ${descriptor.report.length} bytes: leave the length out`,
        );
      } else if (descriptor.reportLength === 0) {
        list.configure(
          "functional",
          `${path}.reportLength`,
          "The report descriptor has no bytes: give its length",
        );
      }
      break;
    case "dfu":
      expectClass(list, isDfu(above), {
        path,
        what: "A DFU functional descriptor",
        wanted: "class 0xfe and subclass 0x01",
        above,
      });
      fields(DFU_FIELDS);
      if (!isWithin(descriptor.transferSize, 1, MAX_DFU_TRANSFER)) {
        list.configure(
          "functional",
          `${path}.transferSize`,
          `Transfer size ${
            show(descriptor.transferSize)
          } is not possible: a control transfer to a function has 1 to ${MAX_DFU_TRANSFER} bytes`,
        );
      }
      break;
    case "ccid":
      expectClass(list, above.class === ClassCode.SMART_CARD, {
        path,
        what: "A smart card descriptor",
        wanted: "class CCID (0x0b)",
        above,
      });
      fields(CCID_FIELDS);
      break;
    case "raw":
      validateRaw(list, descriptor.bytes, above, path);
      break;
    default:
      list.write(
        "functional",
        path,
        "The descriptor is of no known kind: use hid(), dfu(), ccid() or raw()",
      );
  }
}

function expectClass(
  list: ProblemList,
  fits: boolean,
  { path, what, wanted, above }: {
    readonly path: string;
    readonly what: string;
    readonly wanted: string;
    readonly above: InterfaceClass;
  },
): void {
  if (fits) return;
  list.write(
    "functional",
    path,
    `${what} stands below an interface of ${wanted} only, not of class ${
      hex(above.class)
    } and subclass ${hex(above.subclass)}: change the class or remove it`,
  );
}

function validateRaw(
  list: ProblemList,
  bytes: readonly number[],
  above: InterfaceClass,
  path: string,
): void {
  if (!Array.isArray(bytes) || !bytes.every((it) => isWithin(it, 0, 255))) {
    list.write(
      "raw",
      path,
      "The descriptor has a number that is not a byte: use 0 to 255",
    );
    return;
  }
  const [length, type] = bytes;
  if (bytes.length < 2 || length !== bytes.length) {
    list.write(
      "raw",
      path,
      bytes.length < 2
        ? `The descriptor has ${bytes.length} bytes: give length and type first`
        : `The descriptor says it has ${length} bytes, but has ${bytes.length}: correct its first byte`,
    );
    return;
  }
  const builder = BUILDERS[type];
  if (builder !== undefined) {
    const problem = `Descriptor type ${
      hex(type)
    } is written by the compiler: ${builder}`;
    // FunctionFS takes it here, but the host finds it in the wrong place, with numbers that nothing corrects.
    if (STANDARD_LENGTHS[type]?.includes(length)) {
      list.configure("raw", path, problem);
    } else list.write("raw", path, problem);
    return;
  }
  const expected = functionalLength(above);
  if (type !== DescriptorType.CLASS_FUNCTIONAL || expected === undefined) {
    list.write(
      "descriptor-type",
      path,
      unsupportedType(type, above.class, above.subclass),
    );
  } else if (length !== expected) {
    list.write(
      "descriptor-length",
      path,
      functionalLengthProblem(length, above),
    );
  }
}

/** Types that come from other parts of a definition. */
const BUILDERS: Readonly<Record<number, string>> = {
  [DescriptorType.INTERFACE]: "declare an interface or an alternate setting",
  [DescriptorType.ENDPOINT]: "declare it in endpoints",
  [DescriptorType.OTG]: "use the option otg",
  [DescriptorType.INTERFACE_ASSOCIATION]: "use the option associations",
  [DescriptorType.SUPERSPEED_ENDPOINT_COMPANION]:
    "use super in the endpoint's options",
};

function isDfu(above: InterfaceClass): boolean {
  return above.class === ClassCode.APPLICATION_SPECIFIC &&
    above.subclass === SUBCLASS_DFU;
}

/**
 * The length that the kernel wants of a functional descriptor.
 *
 * @param above The class of the interface above it.
 * @returns The only length it takes, or `undefined` for a class below which it takes none.
 */
export function functionalLength(above: InterfaceClass): number | undefined {
  if (above.class === ClassCode.HID) return HID_LENGTH;
  if (above.class === ClassCode.SMART_CARD) return CCID_LENGTH;
  return isDfu(above) ? DFU_LENGTH : undefined;
}

/**
 * Says what is wrong with the length of a functional descriptor.
 *
 * @param length `bLength`.
 * @param above The class of the interface above it, one below which the kernel takes functional descriptors.
 * @returns The problem.
 */
export function functionalLengthProblem(
  length: number,
  above: InterfaceClass,
): string {
  const expected = functionalLength(above);
  return above.class === ClassCode.HID
    ? `A HID descriptor of ${length} bytes is refused: announce one report descriptor only, which takes ${expected} bytes`
    : `A functional descriptor of ${length} bytes is refused below class ${
      hex(above.class)
    }: it must have ${expected} bytes`;
}

/** A field's name in words. */
function words(name: string): string {
  const spaced = name.replace(/[A-Z]/g, (it) => ` ${it.toLowerCase()}`);
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
