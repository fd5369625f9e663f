/**
 * A USB device that this machine is.
 *
 * @module
 */
import type { UsbFunction } from "../descriptors/mod.ts";
import { FunctionFs } from "../functionfs/mod.ts";
import { removeAtExit } from "./exit.ts";
import { checkGadget, type GadgetDefinition } from "./gadget_definition.ts";
import { GadgetTree } from "./gadget_tree.ts";
import { chooseUdc, listUdcs, readUdc, type Udc } from "./udc.ts";

/** How to start a gadget. */
export interface GadgetOptions {
  /**
   * The name of its directory in configfs.
   * @default {`usb-gadget.PID.N`}
   */
  readonly name?: string;
  /**
   * The USB device controller to use.
   * @default {the first one that is free}
   */
  readonly udc?: string;
  /** Which libaio to use; see {@linkcode FunctionFsOptions.libaio}. */
  readonly libaio?: string;
}

/** The functions of a gadget under their names. */
export type GadgetFunctions<F extends readonly UsbFunction[]> = {
  readonly [K in F[number] as K["name"]]: FunctionFs<K>;
};

let counter = 0;

/** A USB device that this machine is, as long as the object is not stopped. */
export class Gadget<
  const F extends readonly UsbFunction[] = readonly UsbFunction[],
> implements AsyncDisposable {
  /** The name of its directory in configfs. */
  readonly name: string;
  /** What it was made from. */
  readonly definition: GadgetDefinition<F>;
  /** Its functions, under their names. */
  readonly functions: GadgetFunctions<F>;
  readonly #tree: GadgetTree;
  readonly #udc: string;
  readonly #forget: () => void;
  #stopped: Promise<void> | undefined;

  private constructor(
    name: string,
    definition: GadgetDefinition<F>,
    functions: GadgetFunctions<F>,
    tree: GadgetTree,
    udc: string,
  ) {
    this.name = name;
    this.definition = definition;
    this.functions = functions;
    this.#tree = tree;
    this.#udc = udc;
    this.#forget = removeAtExit({
      stop: () => this.stop(),
      stopNow: () => this.#stopNow(),
    });
  }

  /**
   * Makes a gadget and attaches it to a USB device controller. From then on a
   * host that is connected sees it; it is not waited for.
   *
   * Needs root: gadgets are made in configfs, and FunctionFS is mounted.
   * Whatever fails, nothing is left behind. The gadget is removed when it is
   * stopped or disposed of, and when the process ends by SIGINT, SIGTERM,
   * `Deno.exit` or an uncaught error.
   *
   * @throws {Deno.errors.NotFound} Without gadget support in the kernel, or
   * without a USB device controller.
   * @throws {Deno.errors.Busy} If all controllers are taken, or the kernel
   * refuses to bind the gadget.
   * @throws {Deno.errors.PermissionDenied} Without the right to do it.
   */
  static async start<const F extends readonly UsbFunction[]>(
    definition: GadgetDefinition<F>,
    options: GadgetOptions = {},
  ): Promise<Gadget<F>> {
    const { name = `usb-gadget.${Deno.pid}.${counter++}` } = options;
    checkGadget(definition, name);
    const tree = GadgetTree.create(definition, name);
    const functions: FunctionFs[] = [];
    try {
      const udc = chooseUdc(listUdcs(), options.udc);
      let interfaceOffset = 0;
      definition.functions.forEach((each, index) => {
        functions.push(
          FunctionFs.open(each, tree.mountPoints[index], {
            interfaceOffset,
            libaio: options.libaio,
          }),
        );
        interfaceOffset += each.interfaces.length;
      });
      tree.bind(udc.name);
      return new Gadget<F>(
        name,
        definition,
        nameFunctions(functions),
        tree,
        udc.name,
      );
    } catch (error) {
      await Promise.all(functions.map((each) => each.close()));
      tree.remove();
      throw error;
    }
  }

  /** The USB device controller, with its state of now. */
  get udc(): Udc {
    return readUdc(this.#udc);
  }

  /**
   * Detaches the gadget from its host and removes it: functions, mounts, and
   * its directory in configfs. Does not wait for the host. A second call
   * returns the same promise.
   */
  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  /** Stops the gadget; see {@linkcode stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    try {
      // First: with the host gone, all that is pending ends.
      this.#tree.unbind();
      await Promise.all(this.#all().map((each) => each.close()));
      this.#tree.remove();
    } finally {
      this.#forget();
    }
  }

  #stopNow(): void {
    this.#tree.unbind();
    for (const each of this.#all()) each.closeNow();
    this.#tree.remove();
  }

  #all(): FunctionFs[] {
    return Object.values(this.functions);
  }
}

function nameFunctions<F extends readonly UsbFunction[]>(
  functions: readonly FunctionFs[],
): GadgetFunctions<F> {
  return Object.freeze(
    Object.fromEntries(functions.map((each) => [each.name, each])),
  ) as GadgetFunctions<F>;
}
