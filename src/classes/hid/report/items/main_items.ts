/**
 * Builders of collections and fields (HID 1.11, 6.2.2.4 to 6.2.2.6).
 *
 * @module
 */
import { nameRemedy } from "../../../../arguments/known_names.ts";
import {
  checkArgument,
  checkInteger,
  checkOptions,
  FLAG,
  LIST,
  oneOf,
  type Rules,
  TEXT,
} from "../../../../arguments/rules.ts";
import { show } from "../../../../arguments/show.ts";
import { Main, type ReportItem, unsignedData } from "./encoding.ts";
import { reportCount, reportSize } from "./global_items.ts";
import { ACTION, checkWithin } from "./raw_item.ts";
import type { ReportItems } from "./usage_items.ts";

/**
 * What a collection holds (HID 1.11, 6.2.2.6): `"application"` is a device as a
 * program sees it, `"physical"` data of one point, `"logical"` related data.
 *
 * @category Report descriptors
 */
export type CollectionType =
  | "physical"
  | "application"
  | "logical"
  | "report"
  | "named array"
  | "usage switch"
  | "usage modifier";

/** Collections by their number. */
const COLLECTIONS: readonly CollectionType[] = [
  "physical",
  "application",
  "logical",
  "report",
  "named array",
  "usage switch",
  "usage modifier",
];

/** The name of a type of collections. */
export function collectionName(type: number): CollectionType | undefined {
  return COLLECTIONS.at(type);
}

/**
 * A collection of items. Its usage comes before it.
 *
 * @param type The type, or the number of one that is a vendor's, 0x80 to 0xff.
 * @throws {TypeError} If there is no such type, or the items are no array.
 * @throws {RangeError} If the number is not from 0 to 255.
 *
 * @category Report descriptors
 */
export function collection(
  type: CollectionType | number,
  items: readonly ReportItems[],
): readonly ReportItems[] {
  checkArgument(ACTION, "the items of a collection", items, LIST);
  const number = typeof type === "number" ? type : COLLECTIONS.indexOf(type);
  if (number < 0 && typeof type === "string") {
    throw new TypeError(
      `Cannot ${ACTION}: there is no collection ${show(type)}: ${
        nameRemedy(type, COLLECTIONS)
      }`,
    );
  }
  if (typeof type !== "number") {
    checkArgument(ACTION, "the type of a collection", type, TEXT);
  }
  checkInteger(ACTION, "the type of a collection", number, 255);
  return [
    main(Main.COLLECTION, [number]),
    items,
    main(Main.END_COLLECTION, []),
  ];
}

/**
 * Options of {@linkcode input} (HID 1.11, 6.2.2.5).
 *
 * @category Report descriptors
 */
export interface InputOptions {
  /**
   * The name of the value in {@linkcode ReportLayout.pack}. All fields of the
   * item are then one value. Without it, each usage is a value of its own name;
   * buttons are the list `buttons`, keys the list `keys`.
   */
  readonly name?: string;
  /** The value never changes. Without a usage and a name, it is padding. Default: false. */
  readonly constant?: boolean;
  /** Each field has the number of a usage that is on, in place of one field for each usage. Default: false. */
  readonly array?: boolean;
  /** The value is the change since the last report. Default: false. */
  readonly relative?: boolean;
  /** The value goes on at the other end of its range, as that of a dial. Default: false. */
  readonly wrap?: boolean;
  /** The value is not proportional to what it measures. Default: false. */
  readonly nonLinear?: boolean;
  /** The control does not return to a state by itself. Default: false. */
  readonly noPreferred?: boolean;
  /** There is a state without a value, `null`, as of a hat switch at rest. Default: false. */
  readonly nullState?: boolean;
  /** The fields are a stream of bytes, for hosts not to interpret. Default: false. */
  readonly bufferedBytes?: boolean;
}

/**
 * Options of {@linkcode output} and {@linkcode feature} (HID 1.11, 6.2.2.5).
 *
 * @category Report descriptors
 */
export interface OutputOptions extends InputOptions {
  /** The value can change without the host. Default: false. */
  readonly volatile?: boolean;
}

/** Bits of the data of a main item. A data variable is 2. */
export const Flag = {
  constant: 1 << 0,
  variable: 1 << 1,
  relative: 1 << 2,
  wrap: 1 << 3,
  nonLinear: 1 << 4,
  noPreferred: 1 << 5,
  nullState: 1 << 6,
  volatile: 1 << 7,
  bufferedBytes: 1 << 8,
} as const;

const INPUT_RULES: Rules<InputOptions> = {
  name: { ...TEXT, expected: "a text that is not empty", accepts: isName },
  constant: FLAG,
  array: FLAG,
  relative: FLAG,
  wrap: FLAG,
  nonLinear: FLAG,
  noPreferred: FLAG,
  nullState: FLAG,
  bufferedBytes: FLAG,
};
const OUTPUT_RULES: Rules<OutputOptions> = { ...INPUT_RULES, volatile: FLAG };

function isName(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

/**
 * Fields of an input report, from the device to the host. Their size, count,
 * range and usages come before.
 *
 * @throws {TypeError} If an option is unknown or of a wrong type.
 *
 * @category Report descriptors
 */
export function input(options: InputOptions = {}): ReportItem {
  checkOptions(ACTION, options, INPUT_RULES);
  return field(Main.INPUT, options);
}

/**
 * Fields of an output report, from the host to the device.
 *
 * @throws {TypeError} If an option is unknown or of a wrong type.
 *
 * @category Report descriptors
 */
export function output(options: OutputOptions = {}): ReportItem {
  checkOptions(ACTION, options, OUTPUT_RULES);
  return field(Main.OUTPUT, options);
}

/**
 * Fields of a feature report, which the host reads and writes by control
 * requests.
 *
 * @throws {TypeError} If an option is unknown or of a wrong type.
 *
 * @category Report descriptors
 */
export function feature(options: OutputOptions = {}): ReportItem {
  checkOptions(ACTION, options, OUTPUT_RULES);
  return field(Main.FEATURE, options);
}

function field(tag: number, options: OutputOptions): ReportItem {
  const { name, array, ...flags } = options;
  let bits: number = array ? 0 : Flag.variable;
  for (const [flag, isSet] of Object.entries(flags)) {
    if (isSet) bits |= Flag[flag as keyof typeof flags];
  }
  const data = unsignedData(bits);
  return { type: "main", tag, data, ...(name === undefined ? {} : { name }) };
}

/** The greatest size of a field in Linux, in bits. */
const MOST_BITS = 256;

/**
 * Bits without a meaning, so that what follows begins at a whole byte. It sets
 * the report size and the report count, also for what follows.
 *
 * @param bits How many, 1 to 256.
 * @param type The type of the report.
 * @throws {TypeError} If an argument is of a wrong type.
 * @throws {RangeError} If the bits are out of range.
 *
 * @category Report descriptors
 */
export function padding(
  bits: number,
  type: "input" | "output" | "feature" = "input",
): readonly ReportItem[] {
  checkWithin("the padding", bits, 1, MOST_BITS);
  checkArgument(
    ACTION,
    "the type of a report",
    type,
    oneOf("input", "output", "feature"),
  );
  const tag = { input: Main.INPUT, output: Main.OUTPUT, feature: Main.FEATURE };
  return [reportCount(1), reportSize(bits), main(tag[type], [Flag.constant])];
}

function main(tag: number, data: number[]): ReportItem {
  return { type: "main", tag, data };
}
