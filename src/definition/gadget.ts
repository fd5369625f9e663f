/**
 * What a gadget consists of, as plain data.
 *
 * @module
 */
import type { KnownFields, LocalizedString, UsbFunction } from "./function.ts";
import type { ExternalFunction, KernelFunction } from "./kernel_function.ts";

/**
 * The fastest speed that a gadget offers, as configfs spells it.
 *
 * @category Gadget
 */
export type GadgetSpeed =
  | "low-speed"
  | "full-speed"
  | "high-speed"
  | "super-speed"
  | "super-speed-plus";

/**
 * A function of a gadget: served by this process, by the kernel, or by another process.
 *
 * @category Gadget
 */
export type GadgetFunction = UsbFunction | KernelFunction | ExternalFunction;

/**
 * A configuration, of which the host chooses one.
 *
 * @category Gadget
 */
export interface ConfigurationDefinition {
  /** iConfiguration: its name, up to 126 bytes of UTF-8 in each language. */
  readonly description?: LocalizedString;
  /**
   * The names of its functions, in the order of their interfaces.
   * @default {all functions, in their order}
   */
  readonly functions?: readonly string[];
  /**
   * Current that the device draws from the bus, in mA.
   * @default {the gadget's}
   */
  readonly maxPower?: number;
  /**
   * Whether the device has a power supply of its own.
   * @default {the gadget's}
   */
  readonly selfPowered?: boolean;
  /**
   * Whether the device can wake its host.
   * @default {the gadget's}
   */
  readonly remoteWakeup?: boolean;
}

/**
 * Microsoft OS descriptors 1.0 of the device. Each function has its own part.
 *
 * @category Gadget
 */
export interface MicrosoftOsOptions {
  /**
   * bMS_VendorCode, 8 bits: the request by which Windows asks for the rest.
   * @default {0x01}
   */
  readonly vendorCode?: number;
  /**
   * qwSignature, up to 7 characters.
   * @default {"MSFT100"}
   */
  readonly signature?: string;
  /**
   * The index of the configuration that Windows asks about.
   * @default {0}
   */
  readonly configuration?: number;
}

/**
 * WebUSB: the page that a browser offers to open when the device is plugged in.
 * Pages can open a device without it as well.
 *
 * Chromium ignores the page unless the controller supports super speed: on other
 * controllers Linux reports USB 2.01, whatever `usbVersion` is, and Chromium
 * needs 2.10. Binding a gadget to such a controller prints a warning.
 *
 * @category Gadget
 */
export interface WebUsbOptions {
  /**
   * The URL with its scheme, `https://` as a rule. Up to 252 bytes without
   * `http://` or `https://`. Linux 6.3.
   */
  readonly landingPage?: string;
  /**
   * bVendorCode, 8 bits: the request by which the browser asks for the page.
   * @default {0x02}
   */
  readonly vendorCode?: number;
  /**
   * bcdVersion of the WebUSB specification.
   * @default {0x0100}
   */
  readonly version?: number;
}

/**
 * Functions whose interfaces have known fields only; see {@linkcode KnownFields}.
 *
 * @internal
 */
export type KnownFunctions<F extends readonly unknown[]> = {
  readonly [K in keyof F]: {
    readonly [P in keyof F[K]]: P extends "interfaces"
      ? F[K][P] extends readonly unknown[] ? KnownFields<F[K][P]> : F[K][P]
      : F[K][P];
  };
};

/**
 * A USB device: its identity, and its functions.
 *
 * @priority 9
 * @category Gadget
 */
export interface GadgetDefinition<
  F extends readonly GadgetFunction[] = readonly GadgetFunction[],
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
   * bcdUSB, 16 bits: 0x0210 is USB 2.1. By default the kernel's choice. The
   * host never reads this value: the kernel replaces it with 0x0320 at super
   * speed and 0x0210 below on a super-speed controller (seen with Linux 6.1 and
   * 7.3), with 0x0200 or 0x0201 on others.
   */
  readonly usbVersion?: number;
  /**
   * bDeviceClass. With 0, each interface has its own class.
   * @default {0}
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
  /** iManufacturer, up to 126 bytes of UTF-8 in each language. */
  readonly manufacturer?: LocalizedString;
  /** iProduct, up to 126 bytes of UTF-8 in each language. */
  readonly product?: LocalizedString;
  /** iSerialNumber, up to 126 bytes of UTF-8, the same in all languages. */
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
   * Whether the device can wake its host.
   * @default {false}
   */
  readonly remoteWakeup?: boolean;
  /** The fastest speed to offer. By default that of the controller. */
  readonly maxSpeed?: GadgetSpeed;
  /**
   * Microsoft OS descriptors; `true` uses the defaults. Required where a
   * function has such features: `false` leaves them unannounced.
   */
  readonly microsoftOs?: boolean | MicrosoftOsOptions;
  /** WebUSB. */
  readonly webUsb?: WebUsbOptions;
  /** The functions, in the order of their interfaces. */
  readonly functions: F & KnownFunctions<F>;
  /**
   * The configurations, the first one being number 1.
   * @default {one, with all functions}
   */
  readonly configurations?: readonly ConfigurationDefinition[];
}

/** Whether this process serves a function. */
export function isOwnFunction(
  definition: GadgetFunction,
): definition is UsbFunction {
  return !("kind" in definition);
}

/** Whether the kernel implements a function. */
export function isKernelFunction(
  definition: GadgetFunction,
): definition is KernelFunction {
  return "kind" in definition && definition.kind === "kernel";
}

/** The functions of each configuration, in order. */
export function configurationFunctions(
  { functions, configurations = [{}] }: GadgetDefinition,
): GadgetFunction[][] {
  return configurations.map(({ functions: names }) =>
    names === undefined
      ? [...functions]
      : names.flatMap((name) => functions.find((it) => it.name === name) ?? [])
  );
}
