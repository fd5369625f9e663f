/**
 * The reports of a keyboard.
 *
 * It has one interface, and one report for each protocol. In the boot protocol
 * that is the 8 bytes of HID 1.11, appendix B.1: six keys at most. In the
 * report protocol, the same 8 bytes come first, followed by one bit for each
 * key: any number of them may be down. The report descriptor declares the first
 * 8 bytes as padding, so that hosts that read it count no key twice. A BIOS that
 * reads no report descriptors, and asks for no protocol either, takes the first
 * 8 bytes, and finds the report that it expects. For that, the report has no ID.
 *
 * @module
 */
import { reportDescriptor } from "../report/descriptor.ts";
import type { ReportDescriptor } from "../report/descriptor.ts";
import {
  collection,
  input,
  logicalRange,
  output,
  padding,
  reportCount,
  reportSize,
  usage,
  usagePage,
  usageRange,
} from "../report/mod.ts";
import { isModifier } from "./keys.ts";

/**
 * The LEDs of a keyboard, as the host has switched them.
 *
 * @category Devices
 */
export interface KeyboardLeds {
  /** Whether Num Lock is on: the numeric keypad types digits. */
  readonly numLock: boolean;
  /** Whether Caps Lock is on: letters come out as with Shift. */
  readonly capsLock: boolean;
  /** Whether Scroll Lock is on. */
  readonly scrollLock: boolean;
  /** Whether the host composes a character. */
  readonly compose: boolean;
  /** Whether a Japanese keyboard types kana. */
  readonly kana: boolean;
}

/** Bytes of the boot report. */
const BOOT_BYTES = 8;
/** Keys that the boot report has room for, after modifiers and a reserved byte. */
const BOOT_KEYS = 6;
/** Too many keys: in place of each of them. */
const ERROR_ROLL_OVER = 0x01;
/** The first modifier: Left Control. */
const FIRST_MODIFIER = 0xe0;
/** Usages with a bit of their own: all of HID Usage Tables 1.5, 10, but errors and modifiers. */
const FIRST_KEY = 0x04;
const LAST_KEY = 0xdd;
/** Where the bits of modifiers and keys are in the report of the report protocol. */
const MODIFIERS_AT = BOOT_BYTES;
const KEYS_AT = MODIFIERS_AT + 1;
const KEYS_BYTES = Math.ceil((LAST_KEY - FIRST_KEY + 1) / 8);

/** The report descriptor: an input report of 37 bytes, an output report of 1. */
export const REPORT_DESCRIPTOR: ReportDescriptor = reportDescriptor([
  usagePage("generic desktop"),
  usage("keyboard"),
  collection("application", [
    // The boot report, for hosts that do not read this.
    reportSize(8),
    reportCount(BOOT_BYTES),
    input({ constant: true }),
    usagePage("keyboard/keypad"),
    usageRange(FIRST_MODIFIER, FIRST_MODIFIER + 7),
    logicalRange(0, 1),
    reportSize(1),
    reportCount(8),
    input({ name: "modifiers" }),
    usageRange(FIRST_KEY, LAST_KEY),
    reportCount(LAST_KEY - FIRST_KEY + 1),
    input({ name: "keys" }),
    padding(8 * KEYS_BYTES - (LAST_KEY - FIRST_KEY + 1)),
    usagePage("led"),
    usageRange(1, 5),
    reportSize(1),
    reportCount(5),
    output({ name: "leds" }),
    padding(3, "output"),
  ]),
]);

/**
 * Packs the report of the boot protocol (HID 1.11, B.1). If more than six keys
 * are down besides modifiers, it reports a roll-over error in place of all.
 *
 * @param held Usages of the keys that are down.
 */
export function bootReport(held: Iterable<number>): Uint8Array<ArrayBuffer> {
  const usages = [...new Set(held)];
  const keys = usages.filter((usage) => !isModifier(usage));
  const report = new Uint8Array(BOOT_BYTES);
  report[0] = modifierBits(usages);
  if (keys.length > BOOT_KEYS) report.fill(ERROR_ROLL_OVER, 2);
  else report.set(keys, 2);
  return report;
}

/**
 * Packs the report of the report protocol: the boot report, and a bit for each
 * modifier and key.
 *
 * @param held Usages of the keys that are down.
 */
export function nkroReport(held: Iterable<number>): Uint8Array<ArrayBuffer> {
  const usages = [...held];
  const report = new Uint8Array(KEYS_AT + KEYS_BYTES);
  report.set(bootReport(usages));
  report[MODIFIERS_AT] = modifierBits(usages);
  for (const usage of usages) {
    if (usage < FIRST_KEY || usage > LAST_KEY) continue;
    const bit = usage - FIRST_KEY;
    report[KEYS_AT + (bit >> 3)] |= 1 << (bit & 7);
  }
  return report;
}

/** Reads the LEDs from an output report (HID 1.11, B.1). */
export function ledsOf(report: Uint8Array): KeyboardLeds {
  const bits = report[0] ?? 0;
  return {
    numLock: (bits & 0x01) !== 0,
    capsLock: (bits & 0x02) !== 0,
    scrollLock: (bits & 0x04) !== 0,
    compose: (bits & 0x08) !== 0,
    kana: (bits & 0x10) !== 0,
  };
}

function modifierBits(usages: readonly number[]): number {
  return usages.filter(isModifier)
    .reduce((bits, usage) => bits | 1 << (usage - FIRST_MODIFIER), 0);
}
