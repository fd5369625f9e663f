/**
 * Keys that are no letters: media keys, and the power keys of a system.
 *
 * @module
 */
import {
  checkArgument,
  checkOptions,
  isWithin,
  oneOf,
  type Rule,
} from "../../arguments/rules.ts";
import { DEVICE_OPTIONS, type HidDeviceOptions, SETTLE_MS } from "./options.ts";
import { HidFunction } from "./function.ts";
import { reportDescriptor } from "./report/descriptor.ts";
import {
  collection,
  input,
  logicalRange,
  padding,
  reportCount,
  reportSize,
  usage,
  usagePage,
  usageRange,
} from "./report/mod.ts";

/**
 * A key of a {@linkcode ConsumerControl}: by its `KeyboardEvent.code` (W3C UI
 * Events), or any usage of the consumer page of the HID usage tables.
 *
 * @category Devices
 */
export type ConsumerKey = ConsumerKeyName | number;

/**
 * Keys of a {@linkcode ConsumerControl} that have a name.
 *
 * @category Devices
 */
export type ConsumerKeyName =
  | "BrightnessUp"
  | "BrightnessDown"
  | "MediaPlay"
  | "MediaPause"
  | "MediaRecord"
  | "MediaFastForward"
  | "MediaRewind"
  | "MediaTrackNext"
  | "MediaTrackPrevious"
  | "MediaStop"
  | "Eject"
  | "MediaPlayPause"
  | "AudioVolumeMute"
  | "AudioVolumeUp"
  | "AudioVolumeDown"
  | "MediaSelect"
  | "LaunchMail"
  | "LaunchApp2"
  | "LaunchApp1"
  | "BrowserSearch"
  | "BrowserHome"
  | "BrowserBack"
  | "BrowserForward"
  | "BrowserStop"
  | "BrowserRefresh"
  | "BrowserFavorites";

/** Usages of the consumer page. */
const CONSUMER_KEYS: Readonly<Record<ConsumerKeyName, number>> = {
  BrightnessUp: 0x6f,
  BrightnessDown: 0x70,
  MediaPlay: 0xb0,
  MediaPause: 0xb1,
  MediaRecord: 0xb2,
  MediaFastForward: 0xb3,
  MediaRewind: 0xb4,
  MediaTrackNext: 0xb5,
  MediaTrackPrevious: 0xb6,
  MediaStop: 0xb7,
  Eject: 0xb8,
  MediaPlayPause: 0xcd,
  AudioVolumeMute: 0xe2,
  AudioVolumeUp: 0xe9,
  AudioVolumeDown: 0xea,
  MediaSelect: 0x183,
  LaunchMail: 0x18a,
  LaunchApp2: 0x192,
  LaunchApp1: 0x194,
  BrowserSearch: 0x221,
  BrowserHome: 0x223,
  BrowserBack: 0x224,
  BrowserForward: 0x225,
  BrowserStop: 0x226,
  BrowserRefresh: 0x227,
  BrowserFavorites: 0x22a,
};
/** The highest usage of the report: the page has few beyond it. */
const MAX_USAGE = 0x3ff;
/** How many can be held at once. */
const HELD_AT_ONCE = 2;

const CONSUMER = reportDescriptor([
  usagePage("consumer"),
  usage("consumer control"),
  collection("application", [
    usageRange(0, MAX_USAGE),
    logicalRange(0, MAX_USAGE),
    reportSize(16),
    reportCount(HELD_AT_ONCE),
    input({ name: "keys", array: true }),
  ]),
]);

const CONSUMER_KEY: Rule = {
  expected: `a key such as "AudioVolumeUp", or a usage from 1 to ${MAX_USAGE}`,
  accepts: (value) =>
    typeof value === "string"
      ? Object.hasOwn(CONSUMER_KEYS, value)
      : isWithin(value, 1, MAX_USAGE),
};

/**
 * Media keys, such as volume, play and pause. Two can be held at once.
 *
 * @example
 * ```ts
 * import { ConsumerControl } from "@usb/gadget/hid";
 *
 * const media = new ConsumerControl();
 * // await using gadget = await Gadget.start({ ...ids, functions: [media] });
 * // await media.tap("AudioVolumeUp");
 * ```
 *
 * @category Devices
 */
export class ConsumerControl<N extends string = "consumer-control">
  extends HidFunction<N> {
  readonly #held = new Set<number>();

  /**
   * Makes the function.
   *
   * @throws {TypeError} For an unknown option, or one of the wrong type.
   */
  constructor(options: HidDeviceOptions<N> = {}) {
    checkOptions("make consumer control", options, DEVICE_OPTIONS);
    super({
      settleMs: SETTLE_MS,
      ...options,
      name: options.name ?? "consumer-control" as N,
      reportDescriptor: CONSUMER,
      onSessionEnd: () => this.#held.clear(),
    });
  }

  /**
   * Presses a key, and resolves when the host has polled that.
   *
   * @throws {RangeError} If two others are held.
   */
  async press(key: ConsumerKey): Promise<void> {
    const usage = consumerUsage(key);
    if (!this.#held.has(usage) && this.#held.size === HELD_AT_ONCE) {
      throw new RangeError(
        `Cannot press consumer key: ${HELD_AT_ONCE} others are held, release one first`,
      );
    }
    this.#held.add(usage);
    await this.send({ keys: [...this.#held] });
  }

  /** Releases a key, and resolves when the host has polled that. */
  async release(key: ConsumerKey): Promise<void> {
    this.#held.delete(consumerUsage(key));
    await this.send({ keys: [...this.#held] });
  }

  /** Presses a key and releases it. */
  async tap(key: ConsumerKey): Promise<void> {
    await Promise.all([this.press(key), this.release(key)]);
  }
}

function consumerUsage(key: ConsumerKey): number {
  checkArgument("press consumer key", "the key", key, CONSUMER_KEY);
  return typeof key === "string" ? CONSUMER_KEYS[key] : key;
}

/**
 * A key of a {@linkcode SystemControl}.
 *
 * @category Devices
 */
export type SystemKey = "power down" | "sleep" | "wake up";

/** In the order of their usages, from 0x81 on. */
const SYSTEM_KEYS: readonly SystemKey[] = ["power down", "sleep", "wake up"];
const FIRST_SYSTEM_USAGE = 0x81;
const SYSTEM_KEY = oneOf(...SYSTEM_KEYS);

const SYSTEM = reportDescriptor([
  usagePage("generic desktop"),
  usage("system control"),
  collection("application", [
    usageRange(
      FIRST_SYSTEM_USAGE,
      FIRST_SYSTEM_USAGE + SYSTEM_KEYS.length - 1,
    ),
    logicalRange(1, SYSTEM_KEYS.length),
    reportSize(2),
    reportCount(1),
    input({ name: "key", array: true, nullState: true }),
    padding(6),
  ]),
]);

/**
 * The power keys of a system: power down, sleep, wake up.
 *
 * @example
 * ```ts
 * import { SystemControl } from "@usb/gadget/hid";
 *
 * const power = new SystemControl();
 * // await using gadget = await Gadget.start({ ...ids, functions: [power] });
 * // await power.tap("sleep");
 * ```
 *
 * @category Devices
 */
export class SystemControl<N extends string = "system-control">
  extends HidFunction<N> {
  /**
   * Makes the function.
   *
   * @throws {TypeError} For an unknown option, or one of the wrong type.
   */
  constructor(options: HidDeviceOptions<N> = {}) {
    checkOptions("make system control", options, DEVICE_OPTIONS);
    super({
      settleMs: SETTLE_MS,
      ...options,
      name: options.name ?? "system-control" as N,
      reportDescriptor: SYSTEM,
    });
  }

  /** Presses a key and releases it. */
  async tap(key: SystemKey): Promise<void> {
    checkArgument("press system key", "the key", key, SYSTEM_KEY);
    const usage = FIRST_SYSTEM_USAGE + SYSTEM_KEYS.indexOf(key);
    await Promise.all([this.send({ key: [usage] }), this.send({})]);
  }
}
