/**
 * Pointers with absolute coordinates.
 *
 * @module
 */
import { checkOptions } from "../../arguments/rules.ts";
import { HidFunction } from "./function.ts";
import {
  HeldButtons,
  type MouseButton,
  mouseButtons,
} from "./mouse_buttons.ts";
import { DEVICE_OPTIONS, type HidDeviceOptions, SETTLE_MS } from "./options.ts";
import { reportDescriptor } from "./report/descriptor.ts";
import {
  collection,
  input,
  logicalRange,
  physicalRange,
  reportCount,
  reportSize,
  usage,
  usagePage,
  usages,
} from "./report/mod.ts";

/** The largest coordinate. */
const RANGE = 0x7fff;

const TABLET = reportDescriptor([
  usagePage("generic desktop"),
  usage("mouse"),
  collection("application", [
    usage("pointer"),
    collection("physical", [
      ...mouseButtons,
      usagePage("generic desktop"),
      usages("x", "y"),
      logicalRange(0, RANGE),
      physicalRange(0, RANGE),
      reportSize(16),
      reportCount(2),
      input(),
      usage("wheel"),
      logicalRange(-127, 127),
      physicalRange(-127, 127),
      reportSize(8),
      reportCount(1),
      input({ relative: true }),
    ]),
  ]),
]);

/**
 * A pointer with absolute coordinates, as a tablet or the mouse of a virtual
 * machine: five buttons, and a wheel with whole detents.
 *
 * @example
 * ```ts
 * import { Tablet } from "@usb/gadget/hid";
 *
 * const tablet = new Tablet();
 * // await using gadget = await Gadget.start({ ...ids, functions: [tablet] });
 * tablet.moveTo(0.5, 0.5); // the middle of the screen
 * // await tablet.click();
 * ```
 *
 * @category Devices
 */
export class Tablet<N extends string = "tablet"> extends HidFunction<N> {
  readonly #held = new HeldButtons();
  #x = 0;
  #y = 0;

  /**
   * Makes the function.
   *
   * @throws {TypeError} For an unknown option, or one of the wrong type.
   */
  constructor(options: HidDeviceOptions<N> = {}) {
    checkOptions("make tablet", options, DEVICE_OPTIONS);
    super({
      settleMs: SETTLE_MS,
      ...options,
      name: options.name ?? "tablet" as N,
      reportDescriptor: TABLET,
      onSessionEnd: () => this.#held.clear(),
    });
  }

  /**
   * Moves the pointer. The newest position wins: the host does not see those in
   * between that it has not polled.
   *
   * @param x From 0, at the left, to 1.
   * @param y From 0, at the top, to 1.
   * @throws {RangeError} If a coordinate is not from 0 to 1.
   */
  moveTo(x: number, y: number): void {
    this.#x = coordinate("x", x);
    this.#y = coordinate("y", y);
    this.update(this.#values(0));
  }

  /** Presses buttons, and resolves when the host has polled that. */
  async press(...buttons: MouseButton[]): Promise<void> {
    this.#held.press("press tablet button", buttons);
    await this.send(this.#values(0));
  }

  /** Releases buttons, and resolves when the host has polled that. */
  async release(...buttons: MouseButton[]): Promise<void> {
    this.#held.release("release tablet button", buttons);
    await this.send(this.#values(0));
  }

  /** Presses a button and releases it. */
  async click(button: MouseButton = "left"): Promise<void> {
    await Promise.all([this.press(button), this.release(button)]);
  }

  /**
   * Turns the wheel.
   *
   * @param detents Up, or down if negative: -127 to 127.
   */
  async scroll(detents: number): Promise<void> {
    await this.send(this.#values(detents));
  }

  #values(wheel: number) {
    return { buttons: this.#held.numbers, x: this.#x, y: this.#y, wheel };
  }
}

function coordinate(what: string, value: number): number {
  if (value >= 0 && value <= 1) return Math.round(value * RANGE);
  throw new RangeError(
    `Cannot move tablet: ${what} must be from 0 to 1, is ${value}`,
  );
}
