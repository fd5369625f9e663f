/**
 * The buttons of mice and tablets.
 *
 * @module
 */
import { checkArgument, oneOf } from "../../arguments/rules.ts";
import {
  input,
  logicalRange,
  padding,
  reportCount,
  reportSize,
  usagePage,
  usageRange,
} from "./report/mod.ts";

/**
 * A button of a {@linkcode Mouse}.
 *
 * @category Devices
 */
export type MouseButton = "left" | "right" | "middle" | "back" | "forward";

/** In the order of their numbers. */
const BUTTONS: readonly MouseButton[] = [
  "left",
  "right",
  "middle",
  "back",
  "forward",
];
/** The items of a byte with the buttons. */
export const mouseButtons = [
  usagePage("button"),
  usageRange(1, BUTTONS.length),
  logicalRange(0, 1),
  reportSize(1),
  reportCount(BUTTONS.length),
  input({ name: "buttons" }),
  padding(8 - BUTTONS.length),
];

const BUTTON = oneOf(...BUTTONS);

/** The buttons that are held, as the numbers of the report. */
export class HeldButtons {
  readonly #held = new Set<MouseButton>();

  get numbers(): number[] {
    return BUTTONS.flatMap((each, index) =>
      this.#held.has(each) ? [index + 1] : []
    );
  }

  press(action: string, buttons: readonly MouseButton[]): void {
    checkButtons(action, buttons);
    for (const each of buttons) this.#held.add(each);
  }

  release(action: string, buttons: readonly MouseButton[]): void {
    checkButtons(action, buttons);
    for (const each of buttons) this.#held.delete(each);
  }

  clear(): void {
    this.#held.clear();
  }
}

function checkButtons(action: string, buttons: readonly MouseButton[]): void {
  for (const each of buttons) checkArgument(action, "the button", each, BUTTON);
}
