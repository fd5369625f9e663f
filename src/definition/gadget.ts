/**
 * What a gadget consists of: plain data.
 *
 * @module
 */
import type { KnownFields, LocalizedString, UsbFunction } from "./function.ts";
import type { ExternalFunction, KernelFunction } from "./kernel_function.ts";

/** The fastest speed that a gadget offers, as configfs spells it. */
export type GadgetSpeed =
  | "low-speed"
  | "full-speed"
  | "high-speed"
  | "super-speed"
  | "super-speed-plus";

/** A function of a gadget: served by this process, by the kernel, or by another process. */
export type GadgetFunction = UsbFunction | KernelFunction | ExternalFunction;

/** A configuration, of which the host chooses one. */
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

/** Microsoft OS descriptors 1.0 of the device. Each function has its own part. */
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
   * The configuration that it is about, counted from 0.
   * @default {0}
   */
  readonly configuration?: number;
}

/**
 * WebUSB: the page that a browser offers to open when the device is plugged in.
 * Pages can open a device without it as well.
 *
 * Chromium ignores the page unless the controller is one for super speed: on
 * others Linux reports USB 2.01, whatever `usbVersion` says, and Chromium needs
 * 2.10. A warning is printed when a gadget is bound to such a controller.
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
 * Functions of whose interfaces no field is possible that nothing reads; see
 * {@linkcode KnownFields}.
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

/** A USB device: its identity, and its functions. */
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
   * bcdUSB, 16 bits: 0x0210 is USB 2.1. Only what configfs shows until a host
   * has come: in the descriptor that the host reads the kernel writes what it
   * holds right, 0x0320 at super speed and 0x0210 below on a controller for
   * super speed (seen with Linux 6.1 and 7.3), 0x0200 or 0x0201 on others.
   * @default {0} The kernel decides.
   */
  readonly usbVersion?: number;
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
  /**
   * The fastest speed to offer.
   * @default {undefined} As fast as the controller can.
   */
  readonly maxSpeed?: GadgetSpeed;
  /**
   * Microsoft OS descriptors; `true` takes the defaults. Must be given where a
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

/** Tells whether a function is served by this process. */
export function isOwnFunction(
  definition: GadgetFunction,
): definition is UsbFunction {
  return !("kind" in definition);
}

/** Tells whether a function is one of the kernel. */
export function isKernelFunction(
  definition: GadgetFunction,
): definition is KernelFunction {
  return "kind" in definition && definition.kind === "kernel";
}

/** configfs keeps `ffs.INSTANCE` in 40 bytes, with a NUL at the end. */
const MAX_INSTANCE_NAME = 35;

/**
 * The FunctionFS instance of a function. Instances are known to the whole
 * system, so the gadget's name is in front, or a hash of both names where they
 * are too long.
 */
export function instanceName(gadget: string, functionName: string): string {
  const name = `${gadget}-${functionName}`;
  if (name.length <= MAX_INSTANCE_NAME) return name;
  let hash = 0x811c9dc5; // FNV-1a
  for (const char of name) {
    hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
  }
  return `${hash.toString(36).padStart(7, "0")}-${functionName}`
    .slice(0, MAX_INSTANCE_NAME);
}

/** The name of a function's directory below `functions/`. */
export function functionDirectory(
  gadget: string,
  definition: GadgetFunction,
): string {
  return isKernelFunction(definition)
    ? `${definition.type}.${definition.name}`
    : `ffs.${instanceName(gadget, definition.name)}`;
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
