/**
 * Descriptor types.
 *
 * @module
 */

/**
 * Values of `bDescriptorType` (USB 3.2 table 9-6, and the class documents for the class-specific ones).
 *
 * A function can have only some of them over FunctionFS: {@linkcode DescriptorType.INTERFACE},
 * {@linkcode DescriptorType.ENDPOINT}, {@linkcode DescriptorType.OTG}, {@linkcode DescriptorType.INTERFACE_ASSOCIATION},
 * {@linkcode DescriptorType.SUPERSPEED_ENDPOINT_COMPANION} and, below some interface classes,
 * {@linkcode DescriptorType.CLASS_FUNCTIONAL}.
 *
 * @category USB vocabulary
 */
export const DescriptorType = {
  /** Device descriptor. */
  DEVICE: 0x01,
  /** Configuration descriptor. */
  CONFIGURATION: 0x02,
  /** String descriptor. */
  STRING: 0x03,
  /** Interface descriptor, 9 bytes. */
  INTERFACE: 0x04,
  /** Endpoint descriptor, 7 bytes, or 9 bytes in the audio form. */
  ENDPOINT: 0x05,
  /** Device qualifier: the device at the other speed. */
  DEVICE_QUALIFIER: 0x06,
  /** Configuration at the other speed. */
  OTHER_SPEED_CONFIGURATION: 0x07,
  /** Interface power descriptor. */
  INTERFACE_POWER: 0x08,
  /** On-The-Go descriptor, 3 bytes in the form of OTG 1.3. */
  OTG: 0x09,
  /** Debug descriptor. */
  DEBUG: 0x0a,
  /** Interface association descriptor, 8 bytes. */
  INTERFACE_ASSOCIATION: 0x0b,
  /** Security descriptor (Wireless USB). */
  SECURITY: 0x0c,
  /** Binary device object store. */
  BOS: 0x0f,
  /** Device capability, inside the binary device object store. */
  DEVICE_CAPABILITY: 0x10,
  /** The functional descriptor of HID, DFU and CCID: class type, number 1. */
  CLASS_FUNCTIONAL: 0x21,
  /** HID report descriptor, which the host requests from an interface. */
  HID_REPORT: 0x22,
  /** HID physical descriptor. */
  HID_PHYSICAL: 0x23,
  /** Class-specific interface descriptor of CDC, audio, video and MIDI. */
  CS_INTERFACE: 0x24,
  /** Class-specific endpoint descriptor of audio, video and MIDI. */
  CS_ENDPOINT: 0x25,
  /** SuperSpeed endpoint companion, 6 bytes. */
  SUPERSPEED_ENDPOINT_COMPANION: 0x30,
  /** SuperSpeedPlus isochronous endpoint companion, 8 bytes. */
  SUPERSPEED_PLUS_ISOCHRONOUS_ENDPOINT_COMPANION: 0x31,
} as const;

/** One of the values of {@linkcode DescriptorType}. */
export type DescriptorType =
  (typeof DescriptorType)[keyof typeof DescriptorType];
