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
 * Text that the host can read: one for all languages, or one for each. The keys are language tags
 * (`"en-US"`) or LANGIDs in digits (`"0x0409"`).
 *
 * @category Functions
 */
export type LocalizedString = string | Readonly<Record<string, string>>;

/**
 * An alternate setting of an interface. It inherits class, name and functional descriptors from the interface, but no
 * endpoints.
 *
 * @category Functions
 */
export interface AlternateDefinition {
  /** `bInterfaceClass`. */
  readonly class?: number;
  /** `bInterfaceSubClass`. */
  readonly subclass?: number;
  /** `bInterfaceProtocol`. */
  readonly protocol?: number;
  /** `iInterface`: the name of this setting. `""` for none. */
  readonly description?: LocalizedString;
  /** Functional descriptors, placed before the endpoints. `[]` for none, in a setting of another class. */
  readonly descriptors?: readonly FunctionalDescriptor[];
  /** Endpoints by name. No name may appear twice in a function. */
  readonly endpoints?: Readonly<Record<string, EndpointDefinition>>;
}

/**
 * An interface, with its endpoints by name.
 *
 * @priority 7
 * @category Functions
 */
export interface InterfaceDefinition {
  /** `bInterfaceClass`, a {@linkcode ClassCode} or any number from 0 to 255. */
  readonly class: number;
  /**
   * `bInterfaceSubClass`.
   * @default {0}
   */
  readonly subclass?: number;
  /**
   * `bInterfaceProtocol`.
   * @default {0}
   */
  readonly protocol?: number;
  /** `iInterface`: the name of the interface, at most 126 bytes of UTF-8. */
  readonly description?: LocalizedString;
  /** Functional descriptors, placed before the endpoints. */
  readonly descriptors?: readonly FunctionalDescriptor[];
  /** Endpoints by name. */
  readonly endpoints?: Readonly<Record<string, EndpointDefinition>>;
  /**
   * Alternate settings 1 and 2; the interface itself is setting 0. FunctionFS enables the endpoints of all settings when
   * setting 0 is selected. Kernels before 6.8 stall when the host selects another one.
   */
  readonly alternates?: readonly AlternateDefinition[];
}

/**
 * Consecutive interfaces that belong together: an interface association descriptor.
 *
 * @category Functions
 */
export interface AssociationDefinition {
  /** The first interface, counted from 0 within the function. */
  readonly firstInterface: number;
  /** How many interfaces. */
  readonly interfaceCount: number;
  /** `bFunctionClass`. */
  readonly class: number;
  /**
   * `bFunctionSubClass`.
   * @default {0}
   */
  readonly subclass?: number;
  /**
   * `bFunctionProtocol`.
   * @default {0}
   */
  readonly protocol?: number;
  /** `iFunction`: the name of the group. */
  readonly description?: LocalizedString;
}

/**
 * On-The-Go abilities, in an OTG descriptor of 3 bytes.
 *
 * @category Functions
 */
export interface OtgDefinition {
  /**
   * The device can request a session (SRP).
   * @default {false}
   */
  readonly srp?: boolean;
  /**
   * The device can become the host (HNP).
   * @default {false}
   */
  readonly hnp?: boolean;
}

/**
 * Options of a function, apart from its name and its interfaces.
 *
 * @category Functions
 */
export interface FunctionOptions {
  /**
   * The speeds that have descriptors. High and super speed together need full speed as well: the kernel crashes
   * without it.
   * @default {["full", "high", "super"]}
   */
  readonly speeds?: readonly FunctionSpeed[];
  /**
   * The languages of the strings, as tags or LANGIDs, the preferred one first. Without it, those of the descriptions,
   * or `"en-US"`.
   */
  readonly languages?: readonly (string | number)[];
  /** Groups of interfaces. Each descriptor precedes its first interface. */
  readonly associations?: readonly AssociationDefinition[];
  /** Extended compat IDs and extended properties for Windows. */
  readonly microsoftOs?: readonly MicrosoftOsFeature[];
  /** On-The-Go abilities. */
  readonly otg?: OtgDefinition;
  /**
   * Also accepts control requests whose recipient is the device or "other" (`FUNCTIONFS_ALL_CTRL_RECIP`). Without it
   * they are stalled. In a gadget with several functions, the first one that accepts a request gets it.
   * @default {false}
   */
  readonly allControlRecipients?: boolean;
  /**
   * Also accepts control requests while the host has set no configuration (`FUNCTIONFS_CONFIG0_SETUP`). Without it they
   * are stalled.
   * @default {false}
   */
  readonly config0Setup?: boolean;
  /**
   * One `epN_rw` file for each pair (`FUNCTIONFS_RW_PROXY_EPS`): on Linux 7.3, if all endpoints of the function are in
   * pairs. `"auto"` uses them if possible, `true` requires them, `false` never uses them.
   * @default {"auto"}
   */
  readonly rwProxy?: "auto" | boolean;
  /**
   * Names endpoint files by address, `ep81` instead of `ep1`, and shows the host the declared addresses
   * (`FUNCTIONFS_VIRTUAL_ADDR`). The kernel does not translate them: unless they are those of the endpoints that it
   * picks from the controller, the host cannot set the configuration. For known controllers only.
   * @default {false}
   */
  readonly virtualAddresses?: boolean;
  /** Answers the control requests that reach the function. Without it, all but the standard ones are stalled. */
  readonly control?: ControlHandler;
  /**
   * Receives standard requests before the package answers them from the definition. Return {@linkcode unhandled} to
   * leave one to the package.
   */
  readonly standardControl?: ControlHandler;
  /**
   * Receives what a control handler throws, except {@linkcode Stall}. Without it, the error becomes an `"error"` event
   * of the function, and is printed with `console.error` if no iteration over `events` receives it.
   */
  readonly onError?: ControlErrorHandler;
  /**
   * Receives each control request after it has ended, and its outcome: data, a stall, or a host that gave up. Without
   * it, each kind of request that no handler answers is printed once with `console.error`.
   */
  readonly onControl?: ControlObserver;
}

/**
 * A function as plain data: its name, its interfaces, its options.
 *
 * @priority 8
 * @category Functions
 */
export interface FunctionDefinition<
  N extends string = string,
  I extends readonly InterfaceDefinition[] = readonly InterfaceDefinition[],
> extends FunctionOptions {
  /** The name of the instance, as in `functions/ffs.NAME`. At most 35 bytes, no slash. */
  readonly name: N;
  /** The interfaces, the first one being number 0 of the function. */
  readonly interfaces: I;
  /**
   * Serves each session of the function, one after another: called when the host has configured the device, with the
   * endpoints of that session (`usbFunction()` has its type). The next session is served when this one has ended and
   * the returned promise is settled. A `SessionEndedError` that it throws is ignored; any other error becomes an
   * `"error"` event of the function, and is printed with `console.error` if no iteration over `events` receives it.
   */
  serve?(session: never): unknown;
}

/**
 * A function definition that {@linkcode usbFunction} validated and froze.
 *
 * @category Functions
 */
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
 *
 * @category Functions
 */
export type EndpointsOf<F extends UsbFunction> = MergedEndpoints<
  SettingsOf<F["interfaces"][number]>
>;

/**
 * An interface type, and the types of its alternate settings.
 *
 * @internal
 */
type SettingsOf<I> = I extends {
  readonly alternates: readonly (infer A)[];
} ? I | A
  : I;

/**
 * The endpoint record of a setting, `unknown` for one without endpoints.
 *
 * @internal
 */
type EndpointsOfSetting<S> = S extends { readonly endpoints?: infer E }
  ? unknown extends E ? unknown
  : Exclude<E, undefined>
  : unknown;

/**
 * The intersection of the endpoint records of a union of settings, as one flat record.
 *
 * @internal
 */
type MergedEndpoints<S> =
  (S extends unknown ? (record: EndpointsOfSetting<S>) => void : never) extends
    (record: infer R) => void ? {
      readonly [K in keyof R]: R[K] extends EndpointDefinition ? R[K] : never;
    }
    : never;

/**
 * Interfaces without unknown fields. TypeScript finds unknown fields in object literals, but not where it infers their
 * types: there, a function takes `I & KnownFields<I>`. The endpoint builders check `endpoints`.
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
 * Alternate settings without unknown fields.
 *
 * @internal
 */
type KnownAlternates<A extends readonly unknown[]> = {
  readonly [K in keyof A]: {
    readonly [P in keyof A[K]]: P extends keyof AlternateDefinition ? A[K][P]
      : never;
  };
};
