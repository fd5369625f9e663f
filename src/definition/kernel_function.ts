/**
 * Functions that this process does not serve: those of the kernel, and
 * FunctionFS instances that another process serves.
 *
 * @module
 */
import { show } from "../arguments/show.ts";
import { isPlain, type NamesOf, refuseUnknown } from "../arguments/rules.ts";
import type { KernelAttributes } from "./kernel_attributes.ts";

/**
 * A function that the kernel itself implements.
 *
 * @category Functions
 */
export interface KernelFunction<
  N extends string = string,
  T extends string = string,
> {
  /** Distinguishes it from functions of FunctionFS. */
  readonly kind: "kernel";
  /** Its type, as configfs spells it: `functions/TYPE.NAME`. */
  readonly type: T;
  /** The name of the instance. */
  readonly name: N;
  /**
   * Attributes by their paths, set before the function is added to a
   * configuration. `true` is written as `1`.
   */
  readonly attributes: Readonly<
    Record<string, string | number | boolean | Uint8Array>
  >;
  /** Links inside its directory: path to target path. */
  readonly links: Readonly<Record<string, string>>;
  /**
   * How many interfaces it has. Functions after it need the number;
   * `undefined` where it is not known.
   */
  readonly interfaces: number | undefined;
}

/**
 * A FunctionFS instance that another process serves.
 *
 * @category Functions
 */
export interface ExternalFunction<N extends string = string> {
  /** Distinguishes it from other functions. */
  readonly kind: "external";
  /** The name of the function. */
  readonly name: N;
  /** How many interfaces it has. Functions after it need the number. */
  readonly interfaces: number | undefined;
}

/**
 * How a kernel function is made, apart from its type and attributes.
 *
 * @category Functions
 */
export interface KernelFunctionOptions<N extends string = string> {
  /**
   * The name of the instance.
   * @default {the type}
   */
  readonly name?: N;
  /**
   * Links inside its directory: path to target path. uvc needs them and
   * numbers its formats in the natural order of the links' names.
   */
  readonly links?: Readonly<Record<string, string>>;
  /**
   * How many interfaces it has.
   * @default {what the kernel's driver of this type has}
   */
  readonly interfaces?: number;
}

/** Interfaces of each type: from the drivers, `drivers/usb/gadget/function/`. */
const INTERFACES: Readonly<Record<string, number>> = {
  ecm: 2,
  ncm: 2,
  rndis: 2,
  eem: 1,
  geth: 1,
  acm: 2,
  gser: 1,
  obex: 2,
  phonet: 2,
  hid: 1,
  mass_storage: 1,
  midi: 2,
  midi2: 2,
  uvc: 2,
  printer: 1,
  Loopback: 1,
  SourceSink: 1,
  tcm: 1,
  usb9pfs: 1,
};

/** Types that have another name in configfs. */
const TYPES: Readonly<Record<string, string>> = {
  serial: "gser",
  loopback: "Loopback",
};

/**
 * Attributes that this package does not know, such as those of a newer kernel.
 *
 * @internal
 */
export type OtherAttributes = Readonly<
  Record<string, string | number | boolean | Uint8Array | undefined>
>;

/**
 * The types of functions whose attributes can all be left out.
 *
 * @internal
 */
export type TypeWithDefaults = {
  [T in keyof KernelAttributes]: Record<never, never> extends
    KernelAttributes[T] ? T : never;
}[keyof KernelAttributes];

/**
 * Describes a function that the kernel itself implements, for the `functions`
 * of a gadget.
 *
 * @param type One of {@linkcode KernelAttributes}, whose attributes are typed,
 * or any other that the kernel knows, as configfs spells it.
 * @param attributes The attributes to set, by the names of configfs. Bytes are
 * copied.
 * @throws {TypeError} For an option that does not exist.
 *
 * @example Usage
 * ```ts
 * import { kernelFunction } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const network = kernelFunction("ecm", { host_addr: "02:00:00:00:00:01" });
 * assertEquals(network.name, "ecm");
 * assertEquals(network.interfaces, 2);
 * ```
 *
 * @priority 7
 * @category Functions
 */
export function kernelFunction<
  const T extends TypeWithDefaults,
  const N extends string = T,
>(
  type: T,
  attributes?: KernelAttributes[T] & OtherAttributes,
  options?: KernelFunctionOptions<N>,
): KernelFunction<N, T>;
/**
 * Describes a function with attributes that have no default.
 *
 * @category Functions
 */
export function kernelFunction<
  const T extends Exclude<keyof KernelAttributes, TypeWithDefaults>,
  const N extends string = T,
>(
  type: T,
  attributes: KernelAttributes[T] & OtherAttributes,
  options?: KernelFunctionOptions<N>,
): KernelFunction<N, T>;
/**
 * Describes a function of a type that this package does not know.
 *
 * @category Functions
 */
export function kernelFunction<
  const T extends string,
  const N extends string = T,
>(
  type: T extends keyof KernelAttributes ? never : T,
  attributes?: KernelFunction["attributes"],
  options?: KernelFunctionOptions<N>,
): KernelFunction<N, T>;
export function kernelFunction(
  type: string,
  attributes: object = {},
  options: KernelFunctionOptions = {},
): KernelFunction {
  const action = `describe kernel function "${String(type)}"`;
  refuseUnknown(action, options, OPTIONS);
  if (!isPlain(attributes)) {
    throw new TypeError(
      `Cannot ${action}: its attributes are ${
        show(attributes)
      }, give an object`,
    );
  }
  const given = attributes as KernelFunction["attributes"];
  const kernelType = TYPES[type] ?? type;
  return Object.freeze({
    kind: "kernel",
    type: kernelType,
    name: options.name ?? type,
    attributes: Object.freeze(copyBytes(given)),
    links: Object.freeze({ ...options.links }),
    interfaces: options.interfaces ?? countInterfaces(kernelType, given),
  });
}

const OPTIONS: NamesOf<KernelFunctionOptions> = {
  name: true,
  links: true,
  interfaces: true,
};

function copyBytes(
  attributes: KernelFunction["attributes"],
): KernelFunction["attributes"] {
  return Object.fromEntries(
    Object.entries(attributes).map(([path, value]) => [
      path,
      value instanceof Uint8Array ? new Uint8Array(value) : value,
    ]),
  );
}

/** Audio has one interface for control, and one for each direction. */
function countInterfaces(
  type: string,
  { c_chmask = 3, p_chmask = 3 }: KernelFunction["attributes"],
): number | undefined {
  if (type !== "uac1" && type !== "uac2") return INTERFACES[type];
  return 1 + (Number(c_chmask) === 0 ? 0 : 1) +
    (Number(p_chmask) === 0 ? 0 : 1);
}

/**
 * Describes a FunctionFS instance that another process serves with
 * `FunctionFs.open()`. The gadget makes and mounts the instance, and is bound
 * when it is ready.
 *
 * @throws {TypeError} For an option that does not exist.
 *
 * @example Usage
 * ```ts
 * import { externalFunction } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(externalFunction("mtp", { interfaces: 1 }).name, "mtp");
 * ```
 *
 * @priority 7
 * @category Functions
 */
export function externalFunction<const N extends string>(
  name: N,
  options: {
    /** How many interfaces it has. Functions after it need the number. */
    readonly interfaces?: number;
  } = {},
): ExternalFunction<N> {
  refuseUnknown(`describe function "${String(name)}"`, options, {
    interfaces: true,
  });
  const { interfaces } = options;
  return Object.freeze({ kind: "external", name, interfaces });
}
