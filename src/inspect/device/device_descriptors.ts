/**
 * What a host has read from a device.
 *
 * @module
 */
import type { LocalizedString } from "../../definition/function.ts";
import type { Speed } from "../../usb/speed.ts";

/**
 * The descriptors of a real device, as a host has read them.
 *
 * @category Inspect
 */
export interface DeviceDescriptors {
  /**
   * The device descriptor, then each configuration with all of its descriptors: the file `descriptors` of the device in
   * sysfs, such as `/sys/bus/usb/devices/1-2/descriptors`.
   */
  readonly descriptors: Uint8Array;
  /** The speed at which they were read. Without it, the slowest one that has endpoints like these. */
  readonly speed?: Speed;
  /** The strings, by index: texts, or one for each language. Descriptors name the others, but their texts are lost. */
  readonly strings?: Readonly<Record<number, LocalizedString>>;
  /**
   * The report descriptors of HID interfaces, by the number of the interface: the files `report_descriptor` in sysfs.
   * Without it, the clone has to answer the host's requests for them in `standardControl`.
   */
  readonly reports?: Readonly<Record<number, Uint8Array>>;
  /** The BOS descriptor with all of its capabilities: the file `bos_descriptors`, which Linux has since 6.11. */
  readonly bos?: Uint8Array;
}

/**
 * Something of a device that its clone does not have, or has in another way.
 *
 * @category Inspect
 */
export interface DeviceProblem {
  /** Where it is on the device, such as `configuration 1, interface 0, alternate setting 1, endpoint 0x81`. */
  readonly place: string;
  /**
   * What becomes of it. `"left-out"`: the clone does not have it. `"changed"`: the clone has it with another value.
   * `"refused"`: the clone has it, but the kernel or the controller of the options cannot.
   */
  readonly effect: "left-out" | "changed" | "refused";
  /** The name of the broken rule, one of those of docs/descriptors.md or of this function. */
  readonly rule: string;
  /** What the reason is. */
  readonly message: string;
  /** Where the descriptor begins in `descriptors` of the device, in bytes; missing for what is not in there. */
  readonly offset?: number;
}

/** A descriptor, and where it is. */
export interface Source {
  readonly bytes: Uint8Array;
  /** Where it begins in the bytes of the device. */
  readonly offset: number;
  readonly place: string;
}

/** An endpoint, and its companion at super speed. */
export interface EndpointSource extends Source {
  readonly companion?: Source;
}

/** A setting of an interface, and what follows its descriptor. */
export interface SettingSource extends Source {
  readonly number: number;
  readonly alternate: number;
  /** All but endpoints and their companions. */
  readonly descriptors: readonly Source[];
  readonly endpoints: readonly EndpointSource[];
}

/** A configuration, taken apart. */
export interface ConfigurationSource extends Source {
  /** Bytes of all its descriptors. */
  readonly length: number;
  readonly associations: readonly Source[];
  /** Those that precede the first interface, and are not associations. */
  readonly others: readonly Source[];
  /** In the order of the device. */
  readonly settings: readonly SettingSource[];
}
