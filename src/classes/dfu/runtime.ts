/**
 * The way from an application to DFU mode, as a function of a gadget.
 *
 * @module
 */
import type {
  InterfaceDefinition,
  UsbFunction,
} from "../../definition/function.ts";
import { dfu } from "../../definition/functional_descriptor.ts";
import { ClassCode } from "../../usb/class_code.ts";
import {
  type ControlAnswer,
  type ControlHandler,
  type SetupRequest,
  Stall,
} from "../../usb/control.ts";
import { controlRoutes } from "../../usb/control_routes.ts";
import {
  DfuRequest,
  DfuState,
  directionOf,
  encodeStatus,
  nameOf,
  PROTOCOL,
  SUBCLASS,
} from "./codes.ts";
import { Occurrences } from "./occurrences.ts";
import { checkDfuRuntime, type DfuRuntimeOptions } from "./options.ts";

/**
 * The DFU interface of a device that runs its application (DFU 1.1, 4.1): beside
 * the functions of the application, it takes the host's wish to change the
 * firmware. The device then detaches, and comes back in DFU mode.
 *
 * With `willDetach`, it detaches when the host asks for it. Without, the host has to
 * reset it within the time that it states, up to `detachTimeoutMs`.
 *
 * It needs Linux 6.12 or later.
 *
 * @example A device with two modes
 * ```ts ignore
 * import { Gadget } from "@usb/gadget";
 * import { Dfu, DfuRuntime } from "@usb/gadget/dfu";
 *
 * const runtime = new DfuRuntime({ willDetach: true });
 * const bootloader = new Dfu({ areas: [flash] });
 * while (true) {
 *   {
 *     await using _ = await Gadget.start({ ...ids, functions: [app, runtime] });
 *     await runtime.detached();
 *   }
 *   await using _ = await Gadget.start({ ...ids, functions: [bootloader] });
 *   await bootloader.left();
 * }
 * ```
 *
 * @category Devices
 */
export class DfuRuntime<N extends string = "dfu">
  implements UsbFunction<N, DfuRuntime["interfaces"]> {
  /** The name of the function. */
  readonly name: N;
  /** The only interface, without endpoints. */
  readonly interfaces: readonly [InterfaceDefinition];
  /** @ignore Answers the class requests. */
  readonly control: ControlHandler;
  readonly #detached = new Occurrences();
  readonly #willDetach: boolean;
  readonly #detachTimeoutMs: number;
  #isDetaching = false;
  /** When it no longer is. */
  #until = 0;

  /**
   * Makes the function.
   *
   * @throws {TypeError} For an unknown option, or one of the wrong type.
   * @throws {RangeError} For a timeout that is out of range.
   */
  constructor(options: DfuRuntimeOptions<N> = {}) {
    checkDfuRuntime(options);
    const { name = "dfu" as N, description, ...attributes } = options;
    const descriptor = dfu(attributes);
    this.name = name;
    this.#willDetach = descriptor.willDetach;
    this.#detachTimeoutMs = descriptor.detachTimeoutMs;
    this.interfaces = [{
      class: ClassCode.APPLICATION_SPECIFIC,
      subclass: SUBCLASS,
      protocol: PROTOCOL.runtime,
      descriptors: [descriptor],
      ...(description === undefined ? {} : { description }),
    }];
    this.control = controlRoutes(
      Object.values(DfuRequest).map((request) => ({
        type: "class",
        request,
        direction: directionOf(request),
        handler: (setup) => this.#answer(setup),
      })),
    );
  }

  /**
   * Resolves when the host next wants the device in DFU mode: stop the gadget then,
   * and start one with a {@linkcode Dfu} function and nothing else.
   */
  detached(): Promise<void> {
    return this.#detached.next();
  }

  #answer(setup: SetupRequest): ControlAnswer | Promise<ControlAnswer> {
    const state = this.#state;
    switch (setup.request) {
      case DfuRequest.GETSTATUS:
        return encodeStatus("OK", 0, state);
      case DfuRequest.GETSTATE:
        return Uint8Array.of(state);
      case DfuRequest.DETACH:
        if (state === DfuState.APP_IDLE) return this.#detach(setup);
    }
    this.#isDetaching = false;
    throw new Stall(
      `${nameOf(DfuRequest, setup.request)} in state ${
        nameOf(DfuState, state)
      }`,
    );
  }

  get #state(): DfuState {
    const isDetaching = this.#isDetaching && performance.now() <= this.#until;
    return isDetaching ? DfuState.APP_DETACH : DfuState.APP_IDLE;
  }

  async #detach(setup: SetupRequest): Promise<void> {
    const timeout = Math.min(setup.value, this.#detachTimeoutMs);
    this.#isDetaching = true;
    this.#until = performance.now() + timeout;
    setup.onSessionEnd(() => {
      const isReset = this.#state === DfuState.APP_DETACH;
      this.#isDetaching = false;
      if (isReset && !this.#willDetach) this.#detached.happen();
    });
    if (!this.#willDetach) return;
    // The host has the answer before the device is gone.
    await setup.acknowledge();
    this.#detached.happen();
  }
}
