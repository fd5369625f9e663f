/**
 * Class codes.
 *
 * @module
 */

/**
 * Values of `bInterfaceClass`, as assigned by the USB Implementers Forum.
 *
 * @example Usage
 * ```ts
 * import { ClassCode } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(ClassCode.VENDOR_SPECIFIC, 0xff);
 * ```
 */
export const ClassCode = {
  /** Audio: control, streaming and MIDI interfaces. */
  AUDIO: 0x01,
  /** Communications (CDC) control interface. */
  COMMUNICATIONS: 0x02,
  /** Human interface device. */
  HID: 0x03,
  /** Physical interface device. */
  PHYSICAL: 0x05,
  /** Still image: PTP and MTP. */
  STILL_IMAGE: 0x06,
  /** Printer. */
  PRINTER: 0x07,
  /** Mass storage. */
  MASS_STORAGE: 0x08,
  /** Hub. */
  HUB: 0x09,
  /** Communications (CDC) data interface. */
  CDC_DATA: 0x0a,
  /** Smart card reader (CCID). */
  SMART_CARD: 0x0b,
  /** Content security. */
  CONTENT_SECURITY: 0x0d,
  /** Video. */
  VIDEO: 0x0e,
  /** Personal healthcare. */
  PERSONAL_HEALTHCARE: 0x0f,
  /** Audio and video. */
  AUDIO_VIDEO: 0x10,
  /** Billboard. */
  BILLBOARD: 0x11,
  /** USB Type-C bridge. */
  TYPE_C_BRIDGE: 0x12,
  /** Diagnostic device. */
  DIAGNOSTIC: 0xdc,
  /** Wireless controller: Bluetooth, RNDIS. */
  WIRELESS_CONTROLLER: 0xe0,
  /** Miscellaneous. */
  MISCELLANEOUS: 0xef,
  /** Application specific: DFU, test and measurement. */
  APPLICATION_SPECIFIC: 0xfe,
  /** Vendor specific. */
  VENDOR_SPECIFIC: 0xff,
} as const;

/** One of the values of {@linkcode ClassCode}. */
export type ClassCode = (typeof ClassCode)[keyof typeof ClassCode];

/**
 * The name of an interface class, for people.
 *
 * @param code The value of `bInterfaceClass`, 0 to 255.
 * @returns The name in words, or `"unknown"` for a code that nobody was assigned.
 */
export function className(code: number): string {
  return NAMES[code] ?? "unknown";
}

const NAMES: Readonly<Record<number, string>> = {
  [ClassCode.AUDIO]: "audio",
  [ClassCode.COMMUNICATIONS]: "communications",
  [ClassCode.HID]: "HID",
  [ClassCode.PHYSICAL]: "physical",
  [ClassCode.STILL_IMAGE]: "still image",
  [ClassCode.PRINTER]: "printer",
  [ClassCode.MASS_STORAGE]: "mass storage",
  [ClassCode.HUB]: "hub",
  [ClassCode.CDC_DATA]: "CDC data",
  [ClassCode.SMART_CARD]: "smart card",
  [ClassCode.CONTENT_SECURITY]: "content security",
  [ClassCode.VIDEO]: "video",
  [ClassCode.PERSONAL_HEALTHCARE]: "personal healthcare",
  [ClassCode.AUDIO_VIDEO]: "audio/video",
  [ClassCode.BILLBOARD]: "billboard",
  [ClassCode.TYPE_C_BRIDGE]: "Type-C bridge",
  [ClassCode.DIAGNOSTIC]: "diagnostic",
  [ClassCode.WIRELESS_CONTROLLER]: "wireless controller",
  [ClassCode.MISCELLANEOUS]: "miscellaneous",
  [ClassCode.APPLICATION_SPECIFIC]: "application specific",
  [ClassCode.VENDOR_SPECIFIC]: "vendor specific",
};
