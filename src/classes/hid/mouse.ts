/**
 * Mice.
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
  feature,
  input,
  logicalRange,
  physicalRange,
  pop,
  push,
  reportCount,
  reportSize,
  usage,
  usagePage,
  usages,
} from "./report/mod.ts";

/** The largest movement in one report. */
const MOST = 0x7fff;
/** The same in the boot protocol. */
const MOST_BOOT = 0x7f;
/** Steps of a high-resolution wheel in one detent, as Windows and Linux want. */
const WHEEL_STEPS = 120;
/** A wheel, and the feature by which the host asks for its fine steps. */
const wheel = (page: string, name: string, label: string) =>
  collection("logical", [
    usagePage("generic desktop"),
    usage("resolution multiplier"),
    push(),
    logicalRange(0, 1),
    physicalRange(1, WHEEL_STEPS),
    reportSize(8),
    reportCount(1),
    feature({ name: `${label} resolution` }),
    pop(),
    usagePage(page),
    usage(name),
    input({ name: label, relative: true }),
  ]);

const MOUSE = reportDescriptor([
  usagePage("generic desktop"),
  usage("mouse"),
  collection("application", [
    usage("pointer"),
    collection("physical", [
      ...mouseButtons,
      usagePage("generic desktop"),
      usages("x", "y"),
      logicalRange(-MOST, MOST),
      reportSize(16),
      reportCount(2),
      input({ relative: true }),
      reportCount(1),
      wheel("generic desktop", "wheel", "wheel"),
      wheel("consumer", "ac pan", "pan"),
    ]),
  ]),
]);

/**
 * A mouse with five buttons, a wheel and a horizontal wheel. Both have 120 steps
 * in a detent if the host asks for them, as Windows and Linux do; else whole
 * detents are sent, and fractions add up. It is a boot mouse, too, without
 * wheels there.
 *
 * @example
 * ```ts
 * import { Mouse } from "@usb/gadget/hid";
 * import { assertEquals } from "@std/assert";
 *
 * const mouse = new Mouse();
 * // await using gadget = await Gadget.start({ ...ids, functions: [mouse] });
 * // await mouse.move(30, -10);
 * // await mouse.click("left");
 * // await mouse.scroll(-0.5);
 * assertEquals(mouse.input().byteLength, 9);
 * ```
 *
 * @category Devices
 */
export class Mouse<N extends string = "mouse"> extends HidFunction<N> {
  readonly #held = new HeldButtons();
  /** Whether the host has asked for fine steps. */
  #fine = { wheel: false, pan: false };
  /** Parts of a step that were not sent. */
  #rest = { wheel: 0, pan: 0 };

  /**
   * Makes the function.
   *
   * @throws {TypeError} For an unknown option, or one of the wrong type.
   */
  constructor(options: HidDeviceOptions<N> = {}) {
    checkOptions("make mouse", options, DEVICE_OPTIONS);
    super({
      settleMs: SETTLE_MS,
      ...options,
      name: options.name ?? "mouse" as N,
      reportDescriptor: MOUSE,
      boot: "mouse",
      onFeature: ({ values }) => {
        this.#fine = {
          wheel: values["wheel resolution"] === 1,
          pan: values["pan resolution"] === 1,
        };
      },
      onSessionEnd: () => {
        this.#held.clear();
        this.#fine = { wheel: false, pan: false };
        this.#rest = { wheel: 0, pan: 0 };
        this.setFeature({});
      },
    });
  }

  /**
   * Moves the pointer, to the right and down. Resolves when the host has polled
   * the movement; one that does not fit into a report takes several.
   *
   * @throws {RangeError} If a distance is not an integer.
   * @throws {SessionEndedError} If the host goes before that.
   */
  async move(x: number, y: number): Promise<void> {
    checkDistance("move mouse", "x", x);
    checkDistance("move mouse", "y", y);
    const most = this.protocol === "boot" ? MOST_BOOT : MOST;
    const reports: Promise<void>[] = [];
    do {
      const step = { x: within(x, most), y: within(y, most) };
      reports.push(this.#report(step));
      x -= step.x;
      y -= step.y;
    } while (x !== 0 || y !== 0);
    await Promise.all(reports);
  }

  /** Presses buttons, and resolves when the host has polled that. */
  async press(...buttons: MouseButton[]): Promise<void> {
    this.#held.press("press mouse button", buttons);
    await this.#report({});
  }

  /** Releases buttons, and resolves when the host has polled that. */
  async release(...buttons: MouseButton[]): Promise<void> {
    this.#held.release("release mouse button", buttons);
    await this.#report({});
  }

  /** Presses a button and releases it. */
  async click(button: MouseButton = "left"): Promise<void> {
    await Promise.all([this.press(button), this.release(button)]);
  }

  /**
   * Turns the wheels.
   *
   * @param detents Up, or down if negative; fractions are allowed.
   * @param pan To the right, or to the left if negative.
   * @throws {RangeError} If a number is not finite, or too large for one report.
   */
  async scroll(detents: number, pan = 0): Promise<void> {
    const wheel = this.#steps("wheel", detents);
    await this.#report({ wheel, pan: this.#steps("pan", pan) });
  }

  /** Whole steps of a turn; what is left over is added to the next one. */
  #steps(which: "wheel" | "pan", detents: number): number {
    if (!Number.isFinite(detents)) {
      throw new RangeError(
        `Cannot scroll: the detents must be a finite number, are ${detents}`,
      );
    }
    const unit = this.#fine[which] ? WHEEL_STEPS : 1;
    const exact = detents * unit + this.#rest[which];
    // Rounded first: a tenth of a detent is not exact.
    const whole = Math.trunc(Math.round(exact * 1e6) / 1e6);
    this.#rest[which] = exact - whole;
    return whole;
  }

  #report(
    { x = 0, y = 0, wheel = 0, pan = 0 }: {
      x?: number;
      y?: number;
      wheel?: number;
      pan?: number;
    },
  ): Promise<void> {
    const buttons = this.#held.numbers;
    if (this.protocol === "report") {
      return this.send({ buttons, x, y, wheel, pan });
    }
    // The boot mouse has three buttons, and no wheel.
    const bits = buttons.filter((each) => each <= 3)
      .reduce((all, each) => all | (1 << (each - 1)), 0);
    return this.send(Uint8Array.of(bits, x & 0xff, y & 0xff));
  }
}

function checkDistance(action: string, what: string, value: number): void {
  if (Number.isSafeInteger(value)) return;
  throw new RangeError(
    `Cannot ${action}: ${what} must be an integer, is ${value}`,
  );
}

function within(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}
