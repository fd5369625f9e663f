/**
 * What a keyboard that counts has typed: numbers, each on a line of its own.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { shell } from "../machine/shell.ts";
import { InputDevice } from "./input_device.ts";
import type { InputMatch } from "./input_nodes.ts";

/** Reads the numbers, and expects each to be one more than the one before. */
export class TypedNumbers implements AsyncDisposable {
  readonly #device: InputDevice;
  #last: number | undefined;

  /**
   * Waits for the keyboard; the line that is being typed does not count. From then
   * on this process goes before others: the kernel keeps ten keys for it, and drops
   * those that it has not read by then.
   */
  static async open(match: Omit<InputMatch, "kind">): Promise<TypedNumbers> {
    await shell(`renice -n -10 -p ${Deno.pid}`);
    const device = await InputDevice.open({ ...match, kind: "keyboard" });
    const numbers = new TypedNumbers(device);
    await numbers.#line();
    return numbers;
  }

  /** Use {@linkcode open}. */
  private constructor(device: InputDevice) {
    this.#device = device;
  }

  /** Waits for so many further numbers. */
  async take(count: number): Promise<void> {
    for (; count > 0; count--) {
      const text = await this.#line();
      const number = Number(text);
      assertEquals(number, this.#last === undefined ? number : this.#last + 1);
      this.#last = number;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#device[Symbol.asyncDispose]();
  }

  /** What is typed up to the next Enter. */
  async #line(): Promise<string> {
    const events = await this.#device.until(({ code, value }) =>
      code === "KEY_ENTER" && value === 1
    );
    return events.filter(({ value }) => value === 1)
      .slice(0, -1).map(({ code }) => code.replace(/^KEY_/, "")).join("");
  }
}
