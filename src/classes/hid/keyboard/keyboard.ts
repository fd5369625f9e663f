/**
 * A keyboard that types text.
 *
 * @module
 */
import {
  CALLBACK,
  checkArgument,
  checkOptions,
  FLAG,
  NUMBER,
  type Rule,
  type Rules,
  SIGNAL,
  TEXT,
} from "../../../arguments/rules.ts";
import { HidFunction } from "../function.ts";
import {
  DEVICE_OPTIONS,
  type HidDeviceOptions,
  SETTLE_MS,
} from "../options.ts";
import { type KeyCode, keyUsage } from "./keys.ts";
import type { KeyboardLayout } from "./layout.ts";
import type { KeyboardLayoutName } from "./layouts.ts";
import { type KeyboardLeds, ledsOf, REPORT_DESCRIPTOR } from "./reports.ts";
import { planText } from "./typing.ts";
import { readLayout, type TypingTable } from "./typing_table.ts";
import { Typist } from "./typist.ts";

/**
 * Options of {@linkcode Keyboard}.
 *
 * @category Devices
 */
export interface KeyboardOptions<N extends string = string>
  extends HidDeviceOptions<N> {
  /**
   * The layout that the host has: the name of a ready-made one, or one of your
   * own. A host finds characters in its own settings, not in the device.
   * @default {"en-US"}
   */
  readonly layout?: KeyboardLayoutName | KeyboardLayout;
  /**
   * Whether LEDs also arrive by an endpoint of their own.
   * @default {false}
   */
  readonly outputEndpoint?: boolean;
  /** Called when the host has switched an LED, or has gone with one on. What it throws is reported. */
  readonly onLeds?: (leds: KeyboardLeds) => void;
}

/**
 * Options of {@linkcode Keyboard.type}.
 *
 * @category Devices
 */
export interface TypeOptions {
  /** Ends the typing, and releases all keys. */
  readonly signal?: AbortSignal;
  /**
   * For how many milliseconds each key stays down, after the host has seen it.
   * Linux takes a key as repeated after 250.
   * @default {0}
   */
  readonly holdMs?: number;
}

/** The longest delay of a timer: 2^31 - 1 milliseconds. */
const LONGEST_HOLD_MS = 2 ** 31 - 1;

const LAYOUT: Rule = {
  expected: "a name or a KeyboardLayout",
  accepts: (value) => typeof value === "string" || typeof value === "object",
};

const OPTIONS: Rules<KeyboardOptions> = {
  ...DEVICE_OPTIONS,
  layout: LAYOUT,
  outputEndpoint: FLAG,
  onLeds: CALLBACK,
};

const TYPE_OPTIONS: Rules<TypeOptions> = { signal: SIGNAL, holdMs: NUMBER };

/** The LEDs, and who wants to know of changes. */
class LedState {
  readonly #onChange: ((leds: KeyboardLeds) => void) | undefined;
  current = ledsOf(Uint8Array.of(0));

  constructor(onChange: ((leds: KeyboardLeds) => void) | undefined) {
    this.#onChange = onChange;
  }

  /** Takes an output report. */
  set(report: Uint8Array): void {
    const before = this.current;
    const now = this.current = ledsOf(report);
    const names = Object.keys(now) as (keyof KeyboardLeds)[];
    if (names.some((name) => now[name] !== before[name])) this.#onChange?.(now);
  }
}

/**
 * A keyboard: it types text in the layout of the host, presses keys, and reports
 * the LEDs. Any number of keys may be down. It is also a boot keyboard (HID
 * 1.11, appendix B), for a BIOS: there, six keys besides modifiers.
 *
 * Calls are carried out one after another, and resolve when the host has polled
 * the last report. They wait for a host; when it goes, those that are pending
 * reject, and keys that were down are up for the next host. Linux polls
 * while a program has the device open, as its console and desktops do.
 *
 * Text assumes that Caps Lock is off: otherwise the host swaps the case of
 * letters. `leds.capsLock` reports it.
 *
 * @example Types a greeting on a host with a German layout
 * ```ts
 * import { Keyboard } from "@usb/gadget/hid";
 *
 * const keyboard = new Keyboard({
 *   layout: "de-DE",
 *   onLeds: ({ capsLock }) => console.log("Caps Lock:", capsLock),
 * });
 * // await using gadget = await Gadget.start({ ...ids, functions: [keyboard] });
 * // await keyboard.type("Grüße\n");
 * // await keyboard.chord("ControlLeft", "AltLeft", "Delete");
 * ```
 *
 * @category Devices
 */
export class Keyboard<N extends string = "keyboard"> extends HidFunction<N> {
  readonly #layout: TypingTable;
  readonly #leds: LedState;
  readonly #typist: Typist;

  /**
   * Makes the keyboard.
   *
   * @throws {TypeError} For an unknown option, one of the wrong type, or a
   * layout that does not exist.
   * @throws {RangeError} If a row of the layout has more characters than keys.
   */
  constructor(options: KeyboardOptions<N> = {}) {
    checkOptions("make keyboard", options, OPTIONS);
    const { name = "keyboard" as N, layout = "en-US", onLeds, ...rest } =
      options;
    const table = readLayout(layout);
    const leds = new LedState(onLeds);
    const typists: Typist[] = [];
    super({
      settleMs: SETTLE_MS,
      ...rest,
      name,
      reportDescriptor: REPORT_DESCRIPTOR,
      boot: "keyboard",
      onOutput: ({ bytes }) => leds.set(bytes),
      onSessionEnd: (error) => {
        for (const typist of typists) typist.end(error);
        // A host switches LEDs on as it needs them.
        leds.set(Uint8Array.of(0));
      },
    });
    this.#layout = table;
    this.#leds = leds;
    this.#typist = new Typist(this);
    typists.push(this.#typist);
  }

  /** The keys that are down, in the order in which they went down. */
  get held(): readonly KeyCode[] {
    return this.#typist.held;
  }

  /** The LEDs, as the host has switched them. All are off while there is no host. */
  get leds(): KeyboardLeds {
    return this.#leds.current;
  }

  /**
   * Types a text. `"\n"`, `"\r"` and `"\r\n"` are Enter, `"\t"` is Tab, and
   * `"\b"` is Backspace. Characters that have no key are typed with a dead key
   * where the layout has one. Letters and accents that Unicode composes (NFC)
   * are one character.
   *
   * Each key is pressed and released before the next. Keys that are down already
   * stay down.
   *
   * @throws {RangeError} If the layout lacks a character; nothing is typed then.
   * @throws {SessionEndedError} If the host goes before it has seen all of it.
   * @throws The reason of the signal, if it is aborted.
   */
  async type(text: string, options: TypeOptions = {}): Promise<void> {
    const action = "type text";
    checkArgument(action, "the text", text, TEXT);
    checkOptions(action, options, TYPE_OPTIONS);
    const { signal, holdMs = 0 } = options;
    if (!(holdMs >= 0 && holdMs <= LONGEST_HOLD_MS)) {
      throw new RangeError(
        `Cannot ${action}: "holdMs" must be from 0 to ${LONGEST_HOLD_MS}, is ${holdMs}`,
      );
    }
    const strokes = planText(text, this.#layout);
    await this.#typist.strokes(strokes, {
      holdMs,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /**
   * Presses keys, in one report, and leaves them down.
   *
   * @throws {TypeError} If there is no such key.
   * @throws {SessionEndedError} If the host goes before it has seen it.
   */
  async press(...codes: KeyCode[]): Promise<void> {
    checkKeys("press keys", codes);
    await this.#typist.press(codes);
  }

  /**
   * Releases keys, in one report. Those that are not down are ignored.
   *
   * @throws {TypeError} If there is no such key.
   * @throws {SessionEndedError} If the host goes before it has seen it.
   */
  async release(...codes: KeyCode[]): Promise<void> {
    checkKeys("release keys", codes);
    await this.#typist.release(codes);
  }

  /**
   * Releases all keys, in one report.
   *
   * @throws {SessionEndedError} If the host goes before it has seen it.
   */
  async releaseAll(): Promise<void> {
    await this.#typist.releaseAll();
  }

  /**
   * Presses keys one by one, and releases them in reverse: `chord("ControlLeft",
   * "KeyC")`. Keys that are down already stay down.
   *
   * @throws {TypeError} If there is no such key.
   * @throws {SessionEndedError} If the host goes before it has seen it.
   */
  async chord(...codes: KeyCode[]): Promise<void> {
    checkKeys("press keys", codes);
    await this.#typist.chord(codes);
  }
}

function checkKeys(action: string, codes: readonly KeyCode[]): void {
  for (const code of codes) keyUsage(action, code);
}
