/**
 * What a gadget consists of: plain data, checked before anything is written.
 *
 * @module
 */
import type { UsbFunction } from "../descriptors/mod.ts";

/** The fastest speed that a gadget offers, as configfs spells it. */
export type GadgetSpeed =
  | "full-speed"
  | "high-speed"
  | "super-speed"
  | "super-speed-plus";

/** A USB device: its identity, and its functions. */
export interface GadgetDefinition<
  F extends readonly UsbFunction[] = readonly UsbFunction[],
> {
  /** idVendor, 16 bits. */
  readonly vendorId: number;
  /** idProduct, 16 bits. */
  readonly productId: number;
  /**
   * bcdDevice, 16 bits: 0x0102 is release 1.02.
   * @default {0x0100}
   */
  readonly deviceVersion?: number;
  /**
   * bDeviceClass.
   * @default {0} Each interface tells its own class.
   */
  readonly class?: number;
  /**
   * bDeviceSubClass.
   * @default {0}
   */
  readonly subclass?: number;
  /**
   * bDeviceProtocol.
   * @default {0}
   */
  readonly protocol?: number;
  /** iManufacturer, up to 126 UTF-16 units. */
  readonly manufacturer?: string;
  /** iProduct, up to 126 UTF-16 units. */
  readonly product?: string;
  /** iSerialNumber, up to 126 UTF-16 units. */
  readonly serialNumber?: string;
  /**
   * Current that the device draws from the bus, in mA, up to 500 (900 at
   * super speed).
   * @default {500}
   */
  readonly maxPower?: number;
  /**
   * Whether the device has a power supply of its own.
   * @default {false}
   */
  readonly selfPowered?: boolean;
  /**
   * The fastest speed to offer.
   * @default {undefined} As fast as the controller can.
   */
  readonly maxSpeed?: GadgetSpeed;
  /** The functions, in the order of their interfaces. */
  readonly functions: F;
}

/** FunctionFS keeps the instance name in 41 bytes, and configfs adds `ffs.` */
const MAX_INSTANCE_NAME = 40;
const MAX_STRING_LENGTH = 126;

/**
 * Checks what the kernel would refuse without a reason, or take silently.
 *
 * @throws {TypeError} If a value has no meaning.
 * @throws {RangeError} If a number or a text is out of its range.
 */
export function checkGadget(definition: GadgetDefinition, name: string): void {
  const number = (key: keyof GadgetDefinition, max: number) => {
    const value = definition[key];
    if (value === undefined) return;
    if (!Number.isInteger(value) || Number(value) < 0 || Number(value) > max) {
      throw new RangeError(
        `Cannot make gadget: "${key}" must be an integer from 0 to ${max}, is ${value}`,
      );
    }
  };
  number("vendorId", 0xffff);
  number("productId", 0xffff);
  number("deviceVersion", 0xffff);
  number("class", 0xff);
  number("subclass", 0xff);
  number("protocol", 0xff);
  number("maxPower", 900);
  for (const key of ["manufacturer", "product", "serialNumber"] as const) {
    const text = definition[key];
    if (text !== undefined && text.length > MAX_STRING_LENGTH) {
      throw new RangeError(
        `Cannot make gadget: "${key}" has ${text.length} UTF-16 units, ${MAX_STRING_LENGTH} is the limit of USB`,
      );
    }
  }
  if (definition.functions.length === 0) {
    throw new TypeError("Cannot make gadget: it has no functions");
  }
  checkName("gadget", name);
  const names = new Set<string>();
  for (const { name: functionName } of definition.functions) {
    checkName("function", functionName);
    if (names.has(functionName)) {
      throw new TypeError(
        `Cannot make gadget: two functions have the name "${functionName}"`,
      );
    }
    names.add(functionName);
    const instance = instanceName(name, functionName);
    if (instance.length > MAX_INSTANCE_NAME) {
      throw new RangeError(
        `Cannot make gadget: the FunctionFS instance name "${instance}" has ${instance.length} characters, ${MAX_INSTANCE_NAME} is the limit`,
      );
    }
  }
}

/** Names become names of directories: nothing may lead out of the gadget's. */
function checkName(what: string, name: string): void {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name)) {
    throw new TypeError(
      `Cannot make gadget: the ${what} name "${name}" must consist of letters, digits, "_", "-" and ".", and not begin with "." or "-"`,
    );
  }
}

/** Instance names are known to the whole system: the gadget's name is in front. */
export function instanceName(gadget: string, functionName: string): string {
  return `${gadget}-${functionName}`;
}
