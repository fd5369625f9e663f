/**
 * Microsoft OS descriptors, version 1.0.
 *
 * @module
 */

import { withDefaults } from "../arguments/rules.ts";

/**
 * Options of {@linkcode compatibleId} and {@linkcode winUsb}.
 *
 * @category Descriptor builders
 */
export interface CompatibleIdOptions {
  /**
   * The interface it is for, counted from 0 within the function.
   * @default {0}
   */
  readonly interface?: number;
  /**
   * The sub-compatible ID, at most 8 characters of A to Z, 0 to 9 and underscore.
   * @default {""}
   */
  readonly subCompatibleId?: string;
}

/**
 * An extended compat ID, by which Windows chooses the driver of an interface.
 *
 * @internal
 */
export interface CompatibleId extends Required<CompatibleIdOptions> {
  readonly kind: "compatible-id";
  /** The compatible ID, at most 8 characters of A to Z, 0 to 9 and underscore. */
  readonly compatibleId: string;
}

/**
 * The type of an extended property, as in the Windows registry. FunctionFS accepts others (numbers, several strings),
 * but the kernel stalls when the host asks for them.
 *
 * @category Descriptor builders
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

/**
 * What a function announces to Windows: an extended compat ID or an extended property.
 *
 * @category Descriptor builders
 */
export type MicrosoftOsFeature = CompatibleId | ExtendedProperty;

/**
 * Declares an extended compat ID, such as `"WINUSB"` or `"MTP"`.
 *
 * @category Descriptor builders
 */
export function compatibleId(
  id: string,
  options: CompatibleIdOptions = {},
): CompatibleId {
  const defaults = { interface: 0, subCompatibleId: "" };
  const action = "declare compatible ID";
  return {
    kind: "compatible-id",
    compatibleId: id,
    ...withDefaults(action, options, defaults),
  };
}

/**
 * Makes Windows use WinUSB for an interface, without a driver of your own. It takes effect in a gadget with
 * `microsoftOs: true` (`os_desc` in configfs). A gadget with such a function that does not say so is refused.
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
 *
 * @priority 6
 * @category Descriptor builders
 */
export function winUsb(options: CompatibleIdOptions = {}): CompatibleId {
  return compatibleId("WINUSB", options);
}

/**
 * Declares an extended property with text. Its name is that of the registry value.
 *
 * @param options The interface it is for (0 by default) and the type (`"string"` by default).
 *
 * @example Usage
 * ```ts
 * import { textProperty } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(textProperty("Label", "Probe").type, "string");
 * ```
 *
 * @category Descriptor builders
 */
export function textProperty(
  name: string,
  value: string,
  options: {
    readonly interface?: number;
    readonly type?: "string" | "expand-string" | "link";
  } = {},
): ExtendedProperty {
  const defaults = { interface: 0, type: "string" as const };
  const action = "declare property";
  return {
    kind: "property",
    name,
    value,
    ...withDefaults(action, options, defaults),
  };
}

/**
 * Declares an extended property with bytes, which are copied. Its name is that of the registry value.
 *
 * @param options The interface it is for (0 by default).
 *
 * @example Usage
 * ```ts
 * import { binaryProperty } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(binaryProperty("Calibration", [1, 2, 3]).value, [1, 2, 3]);
 * ```
 *
 * @category Descriptor builders
 */
export function binaryProperty(
  name: string,
  value: Iterable<number>,
  options: { readonly interface?: number } = {},
): ExtendedProperty {
  const rest = withDefaults("declare property", options, { interface: 0 });
  return { kind: "property", type: "binary", name, value: [...value], ...rest };
}

/**
 * Declares the GUID by which Windows programs find the interface (`DeviceInterfaceGUID`, one string: the kernel cannot
 * answer with the list form `DeviceInterfaceGUIDs`).
 *
 * @param guid The GUID with braces.
 * @param options The interface it is for (0 by default).
 *
 * @category Descriptor builders
 */
export function deviceInterfaceGuid(
  guid: string,
  options: { readonly interface?: number } = {},
): ExtendedProperty {
  const rest = withDefaults("declare GUID", options, { interface: 0 });
  return textProperty("DeviceInterfaceGUID", guid, rest);
}
