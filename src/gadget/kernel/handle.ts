/**
 * What the kernel makes for its functions of a gadget: network interfaces,
 * terminals, device files and sound cards.
 *
 * @module
 */
import { Errno, errorOf } from "../../../ffi/errno.ts";
import {
  type GadgetFunction,
  isKernelFunction,
} from "../../definition/gadget.ts";
import { functionDirectory } from "../../definition/gadget_names.ts";
import type { KernelFunction } from "../../definition/kernel_function.ts";
import type { LiveGadget } from "../create.ts";
import {
  findCard,
  findHidNode,
  findInterface,
  findPrinterNode,
  findTerminal,
  findVideoNode,
} from "./sysfs.ts";

/**
 * A function of the kernel in a gadget: `gadget.kernel.NAME`. Its properties are
 * read from configfs and sysfs each time, since the kernel may choose others when
 * the gadget is bound again. Those of a type that has no such thing are left out of
 * its TypeScript type.
 *
 * All but `tty` exist from the moment in which the gadget is bound until it is
 * unbound; at other times, reading them throws `Deno.errors.NotFound`. Device files
 * are made by the kernel (devtmpfs); a program that renames them or sets their
 * rights, such as udevd, may do so a moment later.
 *
 * @category Gadget
 */
export interface KernelHandle {
  /** The name of the function. */
  readonly name: string;
  /** Its type, as configfs spells it. */
  readonly type: string;
  /**
   * The network interface, such as `"usb0"`, of ecm, eem, geth, ncm, phonet and
   * rndis.
   */
  readonly ifname: string;
  /** The terminal, such as `"/dev/ttyGS0"`, of acm, gser and obex. */
  readonly tty: string;
  /**
   * The device file: `"/dev/hidg0"` of hid, `"/dev/g_printer0"` of printer,
   * `"/dev/snd/midiC0D0"` of midi, `"/dev/snd/umpC0D0"` of midi2, `"/dev/video0"`
   * of uvc.
   *
   * Of several printers, in this gadget or in others, the one that was made first
   * is taken to have the lowest number: the kernel does not show it.
   */
  readonly node: string;
  /** The number of the sound card of midi, midi2, uac1 and uac2. */
  readonly card: number;
}

type Place = "ifname" | "tty" | "node" | "card";

/** What each type of function has. */
const PLACES = {
  ecm: ["ifname"],
  eem: ["ifname"],
  geth: ["ifname"],
  ncm: ["ifname"],
  phonet: ["ifname"],
  rndis: ["ifname"],
  acm: ["tty"],
  gser: ["tty"],
  serial: ["tty"],
  obex: ["tty"],
  hid: ["node"],
  printer: ["node"],
  uvc: ["node"],
  midi: ["node", "card"],
  midi2: ["node", "card"],
  uac1: ["card"],
  uac2: ["card"],
} as const satisfies Readonly<Record<string, readonly Place[]>>;

type Places = typeof PLACES;

/**
 * The part of a handle that a type of function has.
 *
 * @internal
 */
export type HandleOf<T extends string> = string extends T
  ? Pick<KernelHandle, "name" | "type"> & Partial<KernelHandle>
  : Pick<
    KernelHandle,
    "name" | "type" | (T extends keyof Places ? Places[T][number] : never)
  >;

/**
 * The functions of a gadget that the kernel serves, under their names.
 *
 * @internal
 */
export type KernelHandles<F extends readonly GadgetFunction[]> = {
  readonly [
    K in Extract<F[number], { readonly kind: "kernel" }> as K["name"]
  ]: HandleOf<K["type"]>;
};

const WHAT: Readonly<Record<Place, string>> = {
  ifname: "network interface",
  tty: "terminal",
  node: "device file",
  card: "sound card",
};

/**
 * The handles of a gadget.
 *
 * @param udc Reads which controller the gadget is bound to, `""` without one.
 */
export function kernelHandles(
  gadget: LiveGadget,
  udc: () => string,
): Readonly<Record<string, KernelHandle>> {
  return Object.fromEntries(
    gadget.definition.functions.filter(isKernelFunction).map((each) => [
      each.name,
      new FunctionHandle(gadget, each, udc),
    ]),
  );
}

class FunctionHandle implements KernelHandle {
  readonly #gadget: LiveGadget;
  readonly #function: KernelFunction;
  readonly #udc: () => string;

  constructor(gadget: LiveGadget, of: KernelFunction, udc: () => string) {
    this.#gadget = gadget;
    this.#function = of;
    this.#udc = udc;
  }

  get name(): string {
    return this.#function.name;
  }

  get type(): string {
    return this.#function.type;
  }

  get ifname(): string {
    return this.#find("ifname", () => findInterface(this.#directory));
  }

  get tty(): string {
    return this.#find("tty", () => findTerminal(this.#directory));
  }

  get node(): string {
    return this.#find("node", () => {
      switch (this.type) {
        case "hid":
          return findHidNode(this.#directory);
        case "printer":
          return findPrinterNode(this.#directory);
        case "uvc":
          return findVideoNode(this.#udc(), this.#instance);
      }
      const card = this.#card();
      const kind = this.type === "midi" ? "midi" : "ump";
      return card === undefined ? undefined : `/dev/snd/${kind}C${card}D0`;
    });
  }

  get card(): number {
    return this.#find("card", () => this.#card());
  }

  #card(): number | undefined {
    return findCard(this.#gadget.definition, this.#function, this.#udc());
  }

  get #directory(): string {
    return `${this.#gadget.root}/functions/${this.#instance}`;
  }

  get #instance(): string {
    return functionDirectory(this.#gadget.name, this.#function);
  }

  #find<T>(place: Place, find: () => T | undefined): T {
    const action = `read the ${WHAT[place]} of function "${this.name}"`;
    const places: Readonly<Record<string, readonly Place[]>> = PLACES;
    if (!places[this.type]?.includes(place)) {
      throw new TypeError(
        `Cannot ${action}: functions of type "${this.type}" have none`,
      );
    }
    const isBound = place === "tty" || this.#udc() !== "";
    const found = isBound ? find() : undefined;
    if (found !== undefined) return found;
    throw errorOf(
      Errno.ENOENT,
      `Cannot ${action}: ${
        isBound
          ? "the kernel shows none"
          : `it exists while the gadget "${this.#gadget.name}" is bound to a controller`
      }`,
      { syscall: "open", path: this.#directory },
    );
  }
}
