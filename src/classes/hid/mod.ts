/**
 * Human interface devices: keyboards, mice, game controllers, security keys, and
 * anything else that a report descriptor describes.
 *
 * {@linkcode Keyboard}, {@linkcode Mouse}, {@linkcode Tablet}, {@linkcode
 * Gamepad}, {@linkcode ConsumerControl}, {@linkcode SystemControl} and
 * {@linkcode CtapHid} are functions of a gadget that serve themselves.
 * {@linkcode HidFunction} does the same with any report descriptor, which
 * {@linkcode reportDescriptor} builds. {@linkcode hidRequests} are the class
 * requests alone.
 *
 * @example A keyboard and a mouse
 * ```ts ignore
 * import { Gadget } from "@usb/gadget";
 * import { Keyboard, Mouse } from "@usb/gadget/hid";
 *
 * const keyboard = new Keyboard({ layout: "de-DE" });
 * const mouse = new Mouse();
 * await using gadget = await Gadget.start({
 *   vendorId: 0x1209,
 *   productId: 0x0001,
 *   functions: [keyboard, mouse],
 * });
 * await keyboard.type("Grüße\n");
 * await mouse.move(100, 0);
 * ```
 *
 * @module
 */
// Devices
export {
  Keyboard,
  type KeyboardOptions,
  type TypeOptions,
} from "./keyboard/keyboard.ts";
export { type KeyCode } from "./keyboard/keys.ts";
export { type KeyboardLayout, type KeyboardRows } from "./keyboard/layout.ts";
export { type KeyboardLayoutName } from "./keyboard/layouts.ts";
export { type KeyboardLeds } from "./keyboard/reports.ts";
export { Mouse } from "./mouse.ts";
export { type MouseButton } from "./mouse_buttons.ts";
export { Tablet } from "./tablet.ts";
export {
  Gamepad,
  type GamepadButton,
  type GamepadOptions,
  type GamepadState,
  type HatDirection,
  type Rumble,
} from "./gamepad.ts";
export {
  ConsumerControl,
  type ConsumerKey,
  type ConsumerKeyName,
  SystemControl,
  type SystemKey,
} from "./controls.ts";
export { CtapHid, type CtapHidOptions } from "./fido/ctap_hid.ts";
export { type CtapRequest } from "./fido/request.ts";

// Any device
export { HidFunction } from "./function.ts";
export {
  type HidDeviceOptions,
  type HidFunctionOptions,
  type ReceivedReport,
} from "./options.ts";

// Report descriptors
export * from "./report/mod.ts";

// Requests
export {
  type HidReport,
  HidRequest,
  type HidRequestOptions,
  hidRequests,
} from "./requests.ts";
