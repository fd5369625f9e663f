/**
 * Game controllers.
 *
 * @module
 */
import {
  CALLBACK,
  checkArgument,
  checkOptions,
  oneOf,
  type Rules,
} from "../../arguments/rules.ts";
import {
  DEVICE_OPTIONS,
  type HidDeviceOptions,
  type ReceivedReport,
  SETTLE_MS,
} from "./options.ts";
import { HidFunction } from "./function.ts";
import { reportDescriptor } from "./report/descriptor.ts";
import {
  collection,
  input,
  logicalRange,
  output,
  physicalRange,
  reportCount,
  reportSize,
  unit,
  usage,
  usagePage,
  usageRange,
  usages,
} from "./report/mod.ts";

/**
 * A button of a {@linkcode Gamepad}, by what Linux makes of it
 * (`Documentation/input/gamepad.rst`): `"south"` is A or the cross.
 *
 * @category Devices
 */
export type GamepadButton =
  | "south"
  | "east"
  | "c"
  | "north"
  | "west"
  | "z"
  | "leftShoulder"
  | "rightShoulder"
  | "leftTrigger"
  | "rightTrigger"
  | "select"
  | "start"
  | "mode"
  | "leftStick"
  | "rightStick"
  | "extra";

/**
 * A direction of the hat of a {@linkcode Gamepad}.
 *
 * @category Devices
 */
export type HatDirection =
  | "up"
  | "up right"
  | "right"
  | "down right"
  | "down"
  | "down left"
  | "left"
  | "up left";

/**
 * What is pressed and moved on a {@linkcode Gamepad}.
 *
 * @category Devices
 */
export interface GamepadState {
  /** The left stick, from -1 (left) to 1. */
  readonly leftX: number;
  /** The left stick, from -1 (up) to 1. */
  readonly leftY: number;
  /** The right stick, from -1 (left) to 1. */
  readonly rightX: number;
  /** The right stick, from -1 (up) to 1. */
  readonly rightY: number;
  /** From 0 (released) to 1. */
  readonly leftTrigger: number;
  /** From 0 (released) to 1. */
  readonly rightTrigger: number;
  /** The directional pad; `null` in the middle. */
  readonly hat: HatDirection | null;
  /** The buttons that are held. */
  readonly buttons: readonly GamepadButton[];
}

/**
 * How strongly the motors of a {@linkcode Gamepad} shall turn, from 0 to 1.
 *
 * @category Devices
 */
export interface Rumble {
  /** The motor with the heavy weight. */
  readonly strong: number;
  /** The motor with the light weight. */
  readonly weak: number;
}

/**
 * Options of {@linkcode Gamepad}.
 *
 * @category Devices
 */
export interface GamepadOptions<N extends string = string>
  extends HidDeviceOptions<N> {
  /**
   * Gives the pad two motors, and receives how they shall turn, at each change.
   *
   * HID has no general report for that. The pad understands the one of
   * DragonRise, which Linux sends to devices with the vendor ID 0x0079 and the
   * product ID 0x0006 (`drivers/hid/hid-dr.c`).
   */
  readonly onRumble?: (rumble: Rumble) => void;
}

/** In the order of Linux's numbers, from BTN_SOUTH on. */
const BUTTONS: readonly GamepadButton[] = [
  "south",
  "east",
  "c",
  "north",
  "west",
  "z",
  "leftShoulder",
  "rightShoulder",
  "leftTrigger",
  "rightTrigger",
  "select",
  "start",
  "mode",
  "leftStick",
  "rightStick",
  "extra",
];
/** Clockwise, in steps of 45 degrees. */
const HAT: readonly HatDirection[] = [
  "up",
  "up right",
  "right",
  "down right",
  "down",
  "down left",
  "left",
  "up left",
];
const STICK_RANGE = 0x7fff;
const TRIGGER_RANGE = 0xff;

const NEUTRAL: GamepadState = {
  leftX: 0,
  leftY: 0,
  rightX: 0,
  rightY: 0,
  leftTrigger: 0,
  rightTrigger: 0,
  hat: null,
  buttons: [],
};

const OPTIONS: Rules<GamepadOptions> = {
  ...DEVICE_OPTIONS,
  onRumble: CALLBACK,
};
const STICK = between(-1, 1);
const TRIGGER = between(0, 1);
const STATE: Rules<GamepadState> = {
  leftX: STICK,
  leftY: STICK,
  rightX: STICK,
  rightY: STICK,
  leftTrigger: TRIGGER,
  rightTrigger: TRIGGER,
  hat: oneOf(...HAT, null),
  buttons: {
    expected: "an array of button names",
    accepts: (value) => Array.isArray(value),
  },
};
const BUTTON = oneOf(...BUTTONS);

const STILL: Rumble = { strong: 0, weak: 0 };
/** Commands of DragonRise pads, with the strengths in bytes 2 and 4. */
const SET_RUMBLE = 0x51;
const STOP_RUMBLE = 0xf3;
const RUMBLE_BYTES = 7;

const describe = (hasMotors: boolean) =>
  reportDescriptor([
    usagePage("generic desktop"),
    usage("gamepad"),
    collection("application", [
      usages("x", "y", "rx", "ry"),
      logicalRange(-STICK_RANGE, STICK_RANGE),
      reportSize(16),
      reportCount(4),
      input(),
      usages("z", "rz"),
      logicalRange(0, TRIGGER_RANGE),
      reportSize(8),
      reportCount(2),
      input(),
      usagePage("button"),
      usageRange(1, BUTTONS.length),
      logicalRange(0, 1),
      reportSize(1),
      reportCount(BUTTONS.length),
      input({ name: "buttons" }),
      usagePage("generic desktop"),
      usage("hat switch"),
      logicalRange(0, HAT.length - 1),
      physicalRange(0, 315),
      unit("degree"),
      reportSize(8),
      reportCount(1),
      input({ name: "hat", nullState: true }),
      ...(hasMotors
        ? [
          unit("none"),
          physicalRange(0, 0),
          usagePage(0xff00),
          usage(1),
          logicalRange(0, 0xff),
          reportCount(RUMBLE_BYTES),
          output({ name: "rumble" }),
        ]
        : []),
    ]),
  ]);

/**
 * A game controller: two sticks, two triggers, a hat and 16 buttons, as Linux,
 * SDL and browsers expect them. Its newest state wins.
 *
 * @example
 * ```ts
 * import { Gamepad } from "@usb/gadget/hid";
 * import { assertEquals } from "@std/assert";
 *
 * const pad = new Gamepad();
 * // await using gadget = await Gadget.start({ ...ids, functions: [pad] });
 * pad.set({ leftX: -1, buttons: ["south"] });
 * pad.set({ hat: "up right" }); // the rest stays
 * assertEquals(pad.state.buttons, ["south"]);
 * ```
 *
 * @category Devices
 */
export class Gamepad<N extends string = "gamepad"> extends HidFunction<N> {
  #state = NEUTRAL;
  readonly #onRumble: ((rumble: Rumble) => void) | undefined;
  #rumbles = STILL;

  /**
   * Makes the function.
   *
   * @throws {TypeError} For an unknown option, or one of the wrong type.
   */
  constructor(options: GamepadOptions<N> = {}) {
    checkOptions("make gamepad", options, OPTIONS);
    const { onRumble, ...others } = options;
    super({
      settleMs: SETTLE_MS,
      ...others,
      name: options.name ?? "gamepad" as N,
      reportDescriptor: describe(onRumble !== undefined),
      onOutput: (report) => this.#receive(report),
      // The motors do not go on without a host.
      onSessionEnd: () => this.#rumble(STILL),
    });
    this.#onRumble = onRumble;
    this.set({});
  }

  /** What is pressed and moved. */
  get state(): GamepadState {
    return this.#state;
  }

  /**
   * Changes the state. What is not given stays as it is.
   *
   * @throws {TypeError} For an unknown field, button or direction, and for a
   * number that is out of range.
   */
  set(changes: Partial<GamepadState>): void {
    checkOptions("set gamepad", changes, STATE);
    for (const each of changes.buttons ?? []) {
      checkArgument("set gamepad", "a button", each, BUTTON);
    }
    const given = Object.entries(changes)
      .filter(([, value]) => value !== undefined);
    this.#state = { ...this.#state, ...Object.fromEntries(given) };
    const { hat, buttons, ...axes } = this.#state;
    this.update({
      x: Math.round(axes.leftX * STICK_RANGE),
      y: Math.round(axes.leftY * STICK_RANGE),
      rx: Math.round(axes.rightX * STICK_RANGE),
      ry: Math.round(axes.rightY * STICK_RANGE),
      z: Math.round(axes.leftTrigger * TRIGGER_RANGE),
      rz: Math.round(axes.rightTrigger * TRIGGER_RANGE),
      buttons: buttons.map((each) => BUTTONS.indexOf(each) + 1),
      hat: hat && HAT.indexOf(hat),
    });
  }

  /** Changes the state back: everything is released. */
  reset(): void {
    this.set(NEUTRAL);
  }

  #receive({ bytes: [command, , weak, , strong] }: ReceivedReport): void {
    if (command === SET_RUMBLE) {
      this.#rumble({ strong: strong / 0xff, weak: weak / 0xff });
    } else if (command === STOP_RUMBLE) {
      this.#rumble(STILL);
    }
  }

  #rumble(rumble: Rumble): void {
    const { strong, weak } = this.#rumbles;
    if (rumble.strong === strong && rumble.weak === weak) return;
    this.#rumbles = rumble;
    this.#onRumble?.(rumble);
  }
}

function between(least: number, most: number) {
  return {
    expected: `a number from ${least} to ${most}`,
    accepts: (value: unknown) =>
      typeof value === "number" && value >= least && value <= most,
  };
}
