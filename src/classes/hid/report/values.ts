/**
 * Values of fields, into the bits of a report and out of them.
 *
 * @module
 */
import { bytesProblem, viewOf } from "../../../arguments/bytes.ts";
import { isWithin } from "../../../arguments/rules.ts";
import { show } from "../../../arguments/show.ts";
import {
  type ReportField,
  showUsages,
  usageCount,
  usageIndex,
  usageValue,
} from "./field.ts";

/**
 * The value of a field, by its kind: a number or `null`, a list of usages or of
 * numbers, or bytes.
 *
 * @category Report descriptors
 */
export type ReportValue = number | null | readonly number[] | Uint8Array;

/**
 * Values of a report by the names of its fields.
 *
 * @category Report descriptors
 */
export type ReportValues = Readonly<Record<string, ReportValue | undefined>>;

/** The values that bits can have. */
export function rangeOfBits(size: number, signed: boolean): [number, number] {
  return signed
    ? [-(2 ** (size - 1)), 2 ** (size - 1) - 1]
    : [0, 2 ** size - 1];
}

/** Whether a field has an element for each usage, in place of a list of slots. */
function isBitmap({ kind, array }: ReportField): boolean {
  return kind === "usages" && !array;
}

/**
 * Packs the value of a field.
 *
 * @param bytes The report, in which the bits of the field are 0.
 * @param offset Where the field begins, in bits.
 * @param action What fails, after "Cannot".
 * @throws {TypeError} If the value is of a wrong type.
 * @throws {RangeError} If it is out of range.
 */
export function packField(
  field: ReportField,
  bytes: Uint8Array,
  offset: number,
  value: ReportValue | undefined,
  action: string,
): void {
  let at = offset;
  for (const element of elements(field, value, action)) {
    writeBits(bytes, at, field.size, element);
    at += field.size;
  }
}

/** The numbers of the elements. Those that are missing at the end are 0. */
function elements(
  field: ReportField,
  value: ReportValue | undefined,
  action: string,
): Iterable<number> {
  const subject = `Cannot ${action}: ${show(field.name)}`;
  switch (field.kind) {
    case "number":
      return [numberOf(field, value, subject)];
    case "bytes":
      return value === undefined ? [] : bytesOf(field, value, subject);
    case "numbers":
      return listOf(field, value, subject).map((it) =>
        elementOf(field, it, `${subject} must have integers`)
      );
    case "usages": {
      const indices = listOf(field, value, subject).map((it) =>
        indexOf(field, it, subject)
      );
      return field.array ? slots(field, indices) : bits(field, indices);
    }
  }
}

/** Requires a number in the logical range. */
function elementOf(field: ReportField, value: unknown, must: string): number {
  const { logicalMinimum: least, logicalMaximum: greatest } = field;
  if (isWithin(value, least, greatest)) return value;
  const message = `${must} from ${least} to ${greatest}, is ${show(value)}`;
  throw typeof value === "number"
    ? new RangeError(message)
    : new TypeError(message);
}

function numberOf(
  field: ReportField,
  value: ReportValue | undefined,
  subject: string,
): number {
  const none = field.nullState ? nullValue(field) : undefined;
  if (value === undefined) return none ?? 0;
  if (value === null && none !== undefined) return none;
  const must = none === undefined ? "an integer" : "null or an integer";
  return elementOf(field, value, `${subject} must be ${must}`);
}

function bytesOf(
  field: ReportField,
  value: ReportValue,
  subject: string,
): Uint8Array {
  const problem = bytesProblem(value);
  if (problem !== undefined) throw new TypeError(`${subject} ${problem}`);
  const bytes = viewOf(value as Uint8Array);
  if (bytes.length > field.count) {
    throw new RangeError(
      `${subject} has room for ${field.count} bytes, is given ${bytes.length}`,
    );
  }
  return bytes.map((it) => elementOf(field, it, `${subject} must have bytes`));
}

function listOf(
  field: ReportField,
  value: ReportValue | undefined,
  subject: string,
): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    throw new TypeError(
      `${subject} must be an array of numbers, is ${show(value)}`,
    );
  }
  if (value.length > field.count && !isBitmap(field)) {
    throw new RangeError(
      `${subject} has room for ${field.count} ${field.kind}, is given ${value.length}`,
    );
  }
  return value;
}

/** The index of a usage that a list has. */
function indexOf(field: ReportField, usage: unknown, subject: string): number {
  if (typeof usage !== "number") {
    throw new TypeError(
      `${subject} must have numbers of usages, has ${show(usage)}`,
    );
  }
  const index = isWithin(usage, 0, 0xffffffff)
    ? usageIndex(field.usages, usage)
    : -1;
  if (index >= 0 && index < choices(field)) return index;
  throw new RangeError(
    `${subject} can have usages ${showUsages(field.usages)}, is given ${usage}`,
  );
}

/** The elements of an array: those in use, then those that are free. */
function slots(field: ReportField, indices: readonly number[]): number[] {
  const free = Array<number>(field.count - indices.length);
  return [
    ...indices.map((it) => field.logicalMinimum + it),
    ...free.fill(freeElement(field)),
  ];
}

/** One element for each usage. */
function bits(field: ReportField, indices: readonly number[]): number[] {
  const elements = Array<number>(field.count).fill(0);
  for (const index of indices) elements[index] = 1;
  return elements;
}

/** How many usages a list can have at all. */
function choices(field: ReportField): number {
  const { array, count, logicalMinimum, logicalMaximum } = field;
  return array ? logicalMaximum - logicalMinimum + 1 : count;
}

/** The number of an element for no value: the first one outside of the logical range. */
function nullValue(field: ReportField): number | undefined {
  const { size, logicalMinimum, logicalMaximum } = field;
  const [least, greatest] = rangeOfBits(size, logicalMinimum < 0);
  return [0, logicalMaximum + 1, logicalMinimum - 1].find((it) =>
    it >= least && it <= greatest &&
    (it < logicalMinimum || it > logicalMaximum)
  );
}

/** What an element of an array has while no usage is on. Usage 0 means that, too. */
function freeElement(field: ReportField): number {
  const undefinedUsage = usageIndex(field.usages, 0);
  return undefinedUsage >= 0 && undefinedUsage < choices(field)
    ? field.logicalMinimum + undefinedUsage
    : nullValue(field) ?? field.logicalMinimum;
}

/**
 * Unpacks the value of a field.
 *
 * @param offset Where the field begins, in bits.
 */
export function unpackField(
  field: ReportField,
  bytes: Uint8Array,
  offset: number,
): number | null | number[] | Uint8Array<ArrayBuffer> {
  const { kind, size, count, logicalMinimum, logicalMaximum } = field;
  const element = (index: number) =>
    readBits(bytes, offset + index * size, size, logicalMinimum < 0);
  if (kind === "number") {
    const value = element(0);
    return field.nullState && !isWithin(value, logicalMinimum, logicalMaximum)
      ? null
      : value;
  }
  if (kind === "bytes") return Uint8Array.from({ length: count }, each);
  const list = Array.from({ length: count }, each);
  if (kind === "numbers") return list;
  const indices = field.array
    ? list.filter((it) => isWithin(it, logicalMinimum, logicalMaximum))
      .map((it) => it - logicalMinimum)
    : list.flatMap((it, index) =>
      it === 0 ? [] : Math.min(index, usageCount(field.usages) - 1)
    );
  // Usage 0 is that of no control, on every page.
  const on = indices.map((it) => usageValue(field.usages, it) ?? 0)
    .filter((it) => it % 65536 !== 0);
  return field.array ? on : [...new Set(on)];

  function each(_: unknown, index: number) {
    return element(index);
  }
}

/** Writes a number over bits that are 0. The first bit is the lowest of the first byte. */
function writeBits(
  bytes: Uint8Array,
  offset: number,
  size: number,
  value: number,
): void {
  for (let done = 0; done < size;) {
    const shift = (offset + done) % 8;
    const bits = Math.min(8 - shift, size - done);
    const part = (value >>> done) & (2 ** bits - 1);
    bytes[Math.floor((offset + done) / 8)] |= part << shift;
    done += bits;
  }
}

function readBits(
  bytes: Uint8Array,
  offset: number,
  size: number,
  signed: boolean,
): number {
  let value = 0;
  for (let done = 0; done < size;) {
    const shift = (offset + done) % 8;
    const bits = Math.min(8 - shift, size - done);
    const byte = bytes[Math.floor((offset + done) / 8)];
    value += ((byte >> shift) & (2 ** bits - 1)) * 2 ** done;
    done += bits;
  }
  return signed && value >= 2 ** (size - 1) ? value - 2 ** size : value;
}
