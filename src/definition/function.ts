/**
 * How a USB function is declared.
 *
 * @module
 */

import type {
  ControlErrorHandler,
  ControlHandler,
  ControlObserver,
} from "../usb/control.ts";
import type { FunctionSpeed } from "../usb/speed.ts";
import type { EndpointDefinition } from "./endpoint.ts";
import type { FunctionalDescriptor } from "./functional_descriptor.ts";
import type { MicrosoftOsFeature } from "./microsoft_os.ts";

/**
 * Text that the host can read: one for all languages, or one for each language. The keys are language tags
 * (`"en-US"`) or LANGIDs in digits (`"0x0409"`).
 */
export type LocalizedString = string | Readonly<Record<string, string>>;

/**
 * An alternate setting of an interface. What it leaves out is that of the interface: class, name and functional
 * descriptors. Endpoints are not: a setting without `endpoints` has none.
 */
export interface AlternateDefinition {
  /** `bInterfaceClass`. */
  readonly class?: number;
  /** `bInterfaceSubClass`. */
  readonly subclass?: number;
  /** `bInterfaceProtocol`. */
  readonly protocol?: number;
  /** `iInterface`: the name of this setting, `""` for none. */
  readonly description?: LocalizedString;
  /** Functional descriptors, placed before the endpoints. `[]` for none, as a setting of another class needs it. */
  readonly descriptors?: readonly FunctionalDescriptor[];
  /** Endpoints by name. Names are those of the whole function, and no endpoint may appear in two settings. */
  readonly endpoints?: Readonly<Record<string, EndpointDefinition>>;
}

/** An interface, with its endpoints by name. */
export interface InterfaceDefinition {
  /** `bInterfaceClass`, a {@linkcode ClassCode} or any number from 0 to 255. */
  readonly class: number;
  /**
   * `bInterfaceSubClass`.
   *
   * @default {0}
   */
  readonly subclass?: number;
  /**
   * `bInterfaceProtocol`.
   *
   * @default {0}
   */
  readonly protocol?: number;
  /** `iInterface`: the name of the interface. At most 126 bytes of UTF-8: the kernel cuts longer ones. */
  readonly description?: LocalizedString;
  /** Functional descriptors, placed before the endpoints. */
  readonly descriptors?: readonly FunctionalDescriptor[];
  /** Endpoints by name. */
  readonly endpoints?: Readonly<Record<string, EndpointDefinition>>;
  /**
   * Alternate settings 1 and 2; the interface itself is setting 0. FunctionFS enables the endpoints of all settings as
   * soon as setting 0 is selected. Kernels before 6.8 stall when the host selects another one.
   */
  readonly alternates?: readonly AlternateDefinition[];
}

/** Consecutive interfaces that belong together: an interface association descriptor. */
export interface AssociationDefinition {
  /** The first interface, counted from 0 within the function. */
  readonly firstInterface: number;
  /** How many interfaces. */
  readonly interfaceCount: number;
  /** `bFunctionClass`. */
  readonly class: number;
  /**
   * `bFunctionSubClass`.
   *
   * @default {0}
   */
  readonly subclass?: number;
  /**
   * `bFunctionProtocol`.
   *
   * @default {0}
   */
  readonly protocol?: number;
  /** `iFunction`: the name of the group. */
  readonly description?: LocalizedString;
}

/** On-The-Go abilities, in an OTG descriptor of 3 bytes. */
export interface OtgDefinition {
  /**
   * The device can ask for a session (SRP).
   *
   * @default {false}
   */
  readonly srp?: boolean;
  /**
   * The device can become the host (HNP).
   *
   * @default {false}
   */
  readonly hnp?: boolean;
}

/** Options of a function, apart from its name and its interfaces. */
export interface FunctionOptions {
  /**
   * The speeds to have descriptors for. High and super speed together need full speed as well: the kernel crashes
   * without it.
   *
   * @default {["full", "high", "super"]}
   */
  readonly speeds?: readonly FunctionSpeed[];
  /**
   * The languages of the strings, as tags or LANGIDs, the preferred one first. Without it: those that the descriptions
   * use, or `"en-US"`.
   */
  readonly languages?: readonly (string | number)[];
  /** Groups of interfaces. Each is placed right before its first interface. */
  readonly associations?: readonly AssociationDefinition[];
  /** Extended compat IDs and extended properties for Windows. */
  readonly microsoftOs?: readonly MicrosoftOsFeature[];
  /** On-The-Go abilities. */
  readonly otg?: OtgDefinition;
  /**
   * Also take control requests whose recipient is the device or "other" (`FUNCTIONFS_ALL_CTRL_RECIP`). Without it they
   * are stalled. In a gadget of several functions the first one that takes a request gets it.
   *
   * @default {false}
   */
  readonly allControlRecipients?: boolean;
  /**
   * Also take control requests while the host has set no configuration (`FUNCTIONFS_CONFIG0_SETUP`). Without it they
   * are stalled.
   *
   * @default {false}
   */
  readonly config0Setup?: boolean;
  /**
   * One `epN_rw` file for each pair (`FUNCTIONFS_RW_PROXY_EPS`), Linux 7.3. All endpoints of the function must be in
   * pairs. `"auto"` uses them where both hold; `true` insists; `false` never uses them.
   *
   * @default {"auto"}
   */
  readonly rwProxy?: "auto" | boolean;
  /**
   * Name endpoint files by address, `ep81` in place of `ep1`, and show the host the addresses as they are declared
   * (`FUNCTIONFS_VIRTUAL_ADDR`). The kernel does not translate them: unless they are exactly those of the endpoints it
   * picks from the controller, the host cannot set the configuration. Only for a controller that is known.
   *
   * @default {false}
   */
  readonly virtualAddresses?: boolean;
  /**
   * Answers the control requests that reach the function. Without it, all but the standard ones are stalled.
   */
  readonly control?: ControlHandler;
  /**
   * Gets standard requests before the package answers them from the definition. To leave one to the package, return
   * {@linkcode unhandled}.
   */
  readonly standardControl?: ControlHandler;
  /**
   * Gets what a control handler throws, apart from {@linkcode Stall}. Without it, the error becomes an `"error"` event
   * of the function, and is printed with `console.error` if no iteration over `events` gets it.
   */
  readonly onError?: ControlErrorHandler;
  /**
   * Gets each control request that reaches the function when it is over, and what became of it: data, a stall, or a
   * host that has given up. Without it, each kind of request that no handler answers is printed once with
   * `console.error`.
   */
  readonly onControl?: ControlObserver;
}

/** A function: its name, its interfaces, its options. Plain data. */
export interface FunctionDefinition<
  N extends string = string,
  I extends readonly InterfaceDefinition[] = readonly InterfaceDefinition[],
> extends FunctionOptions {
  /** The name of the instance, as in `functions/ffs.NAME`. At most 35 bytes, no slash. */
  readonly name: N;
  /** The interfaces, the first one being number 0 of the function. */
  readonly interfaces: I;
}

/** A function definition that was validated and frozen by {@linkcode usbFunction}. */
export type UsbFunction<
  N extends string = string,
  I extends readonly InterfaceDefinition[] = readonly InterfaceDefinition[],
> = Readonly<FunctionDefinition<N, I>>;

/**
 * The endpoint definitions of a function by name: those of all interfaces and alternate settings in one record.
 *
 * @example Usage
 * ```ts
 * import { bulkPair, type EndpointsOf, usbFunction } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const echo = usbFunction({
 *   name: "echo",
 *   interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
 * });
 * const kind: EndpointsOf<typeof echo>["link"]["kind"] = "pair";
 * assertEquals(echo.interfaces[0].endpoints.link.kind, kind);
 * ```
 */
export type EndpointsOf<F extends UsbFunction> = MergedEndpoints<
  SettingsOf<F["interfaces"][number]>
>;

/**
 * The type of an interface definition, and those of its alternate settings.
 *
 * @internal
 */
export type SettingsOf<I> = I extends {
  readonly alternates: readonly (infer A)[];
} ? I | A
  : I;

/**
 * The type of the endpoint record of one setting, `unknown` for a setting without.
 *
 * @internal
 */
export type EndpointsOfSetting<S> = S extends { readonly endpoints?: infer E }
  ? unknown extends E ? unknown
  : Exclude<E, undefined>
  : unknown;

/**
 * The intersection of the endpoint records of a union of settings, as one flat record.
 *
 * @internal
 */
export type MergedEndpoints<S> =
  (S extends unknown ? (record: EndpointsOfSetting<S>) => void : never) extends
    (record: infer R) => void ? {
      readonly [K in keyof R]: R[K] extends EndpointDefinition ? R[K] : never;
    }
    : never;

/**
 * Interfaces of which no field is possible that nothing reads. TypeScript looks for unknown fields in object literals,
 * but not where it infers their types. A function that is generic over its interfaces takes `I & KnownFields<I>`, and
 * passes them on. What is in `endpoints` is not looked at here: the builders do that.
 *
 * @internal
 */
export type KnownFields<I extends readonly unknown[]> = {
  readonly [K in keyof I]: {
    readonly [P in keyof I[K]]: P extends "alternates"
      ? I[K][P] extends readonly unknown[] ? KnownAlternates<I[K][P]>
      : I[K][P]
      : P extends keyof InterfaceDefinition ? I[K][P]
      : never;
  };
};

/**
 * The same for alternate settings.
 *
 * @internal
 */
export type KnownAlternates<A extends readonly unknown[]> = {
  readonly [K in keyof A]: {
    readonly [P in keyof A[K]]: P extends keyof AlternateDefinition ? A[K][P]
      : never;
  };
};
