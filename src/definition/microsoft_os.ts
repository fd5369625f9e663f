/**
 * Microsoft OS descriptors, version 1.0.
 *
 * @module
 */

import { refuseUnknown } from "../arguments/rules.ts";

/** Options of {@linkcode compatibleId} and its like. */
export interface CompatibleIdOptions {
  /**
   * The interface it is for, counted from 0 within the function.
   *
   * @default {0}
   */
  readonly interface?: number;
  /**
   * The sub-compatible ID, at most 8 characters of A to Z, 0 to 9 and underscore.
   *
   * @default {""}
   */
  readonly subCompatibleId?: string;
}

/**
 * An extended compat ID: tells Windows which driver serves an interface.
 *
 * @internal
 */
export interface CompatibleId extends Required<CompatibleIdOptions> {
  /** Tells this from an extended property. */
  readonly kind: "compatible-id";
  /** The compatible ID, at most 8 characters of A to Z, 0 to 9 and underscore. */
  readonly compatibleId: string;
}

/**
 * The type of an extended property, as in the Windows registry: text, text with environment variables, bytes, or a
 * link. Others (numbers, several strings) pass into FunctionFS, but the kernel stalls when the host asks for them.
 */
export type ExtendedPropertyType =
  | "string"
  | "expand-string"
  | "binary"
  | "link";

/**
 * An extended property: a registry value for an interface.
 *
 * @internal
 */
export interface ExtendedProperty {
  /** Tells this from an extended compat ID. */
  readonly kind: "property";
  /** The interface it is for, counted from 0 within the function. */
  readonly interface: number;
  /** The type of the value. */
  readonly type: ExtendedPropertyType;
  /** The name of the value, ASCII, without a terminator. */
  readonly name: string;
  /** Text without a terminator, or bytes for `"binary"`. */
  readonly value: string | readonly number[];
}

/** What a function tells Windows about itself. */
export type MicrosoftOsFeature = CompatibleId | ExtendedProperty;

const INTERFACE_OPTION = { interface: true };
const TEXT_OPTIONS = { interface: true, type: true };
const ID_OPTIONS = { interface: true, subCompatibleId: true };

/**
 * Declares an extended compat ID.
 *
 * @param id The compatible ID, such as `"WINUSB"` or `"MTP"`.
 * @param options The interface it is for, and the sub-compatible ID.
 * @returns The feature, plain data.
 * @throws {TypeError} For an option that does not exist.
 *
 * @example Usage
 * ```ts
 * import { compatibleId } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(compatibleId("MTP").interface, 0);
 * ```
 */
export function compatibleId(
  id: string,
  options: CompatibleIdOptions = {},
): CompatibleId {
  refuseUnknown("declare compatible ID", options, ID_OPTIONS);
  return {
    kind: "compatible-id",
    interface: options.interface ?? 0,
    compatibleId: id,
    subCompatibleId: options.subCompatibleId ?? "",
  };
}

/**
 * Tells Windows to use WinUSB for an interface, without a driver of one's own. It takes effect in a gadget
 * with `microsoftOs: true` (`os_desc` in configfs); one that leaves that out is refused.
 *
 * @param options The interface it is for.
 * @returns The feature, plain data.
 * @throws {TypeError} For an option that does not exist.
 *
 * @example Usage
 * ```ts
 * import { bulkPair, deviceInterfaceGuid, usbFunction, winUsb } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const tool = usbFunction({
 *   name: "tool",
 *   interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
 *   microsoftOs: [
 *     winUsb(),
 *     deviceInterfaceGuid("{8fe6d4d7-49dd-41e7-9486-49afc6bfe475}"),
 *   ],
 * });
 * assertEquals(tool.microsoftOs?.length, 2);
 * ```
 */
export function winUsb(options: CompatibleIdOptions = {}): CompatibleId {
  return compatibleId("WINUSB", options);
}

/**
 * Declares an extended property with text.
 *
 * @param name The name of the registry value.
 * @param value The text.
 * @param options The interface it is for (0 by default) and the type (`"string"` by default).
 * @returns The feature, plain data.
 * @throws {TypeError} For an option that does not exist.
 *
 * @example Usage
 * ```ts
 * import { textProperty } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(textProperty("Label", "Probe").type, "string");
 * ```
 */
export function textProperty(
  name: string,
  value: string,
  options: {
    readonly interface?: number;
    readonly type?: "string" | "expand-string" | "link";
  } = {},
): ExtendedProperty {
  refuseUnknown("declare property", options, TEXT_OPTIONS);
  return {
    kind: "property",
    interface: options.interface ?? 0,
    type: options.type ?? "string",
    name,
    value,
  };
}

/**
 * Declares an extended property with bytes.
 *
 * @param name The name of the registry value.
 * @param value The bytes. They are copied.
 * @param options The interface it is for (0 by default).
 * @returns The feature, plain data.
 * @throws {TypeError} For an option that does not exist.
 *
 * @example Usage
 * ```ts
 * import { binaryProperty } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(binaryProperty("Calibration", [1, 2, 3]).value, [1, 2, 3]);
 * ```
 */
export function binaryProperty(
  name: string,
  value: Iterable<number>,
  options: { readonly interface?: number } = {},
): ExtendedProperty {
  refuseUnknown("declare property", options, INTERFACE_OPTION);
  return {
    kind: "property",
    interface: options.interface ?? 0,
    type: "binary",
    name,
    value: [...value],
  };
}

/**
 * Declares the GUID by which Windows programs find the interface (`DeviceInterfaceGUID`, one string: the kernel cannot
 * answer with the list form `DeviceInterfaceGUIDs`).
 *
 * @param guid The GUID with braces.
 * @param options The interface it is for (0 by default).
 * @returns The feature, plain data.
 * @throws {TypeError} For an option that does not exist.
 *
 * @example Usage
 * ```ts
 * import { deviceInterfaceGuid } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const guid = deviceInterfaceGuid("{8fe6d4d7-49dd-41e7-9486-49afc6bfe475}");
 * assertEquals(guid.name, "DeviceInterfaceGUID");
 * ```
 */
export function deviceInterfaceGuid(
  guid: string,
  options: { readonly interface?: number } = {},
): ExtendedProperty {
  refuseUnknown("declare GUID", options, INTERFACE_OPTION);
  return textProperty("DeviceInterfaceGUID", guid, options);
}
