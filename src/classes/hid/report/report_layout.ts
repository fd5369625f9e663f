/**
 * Where the values of a report lie.
 *
 * @module
 */
import { checkBytes } from "../../../arguments/bytes.ts";
import { checkArgument, OBJECT } from "../../../arguments/rules.ts";
import { show } from "../../../arguments/show.ts";
import type { ReportField } from "./field.ts";
import { packField, type ReportValues, unpackField } from "./values.ts";

/**
 * The direction of a report: `"input"` goes to the host, `"output"` to the
 * device, and the host reads and writes `"feature"`.
 *
 * @category Report descriptors
 */
export type ReportType = "input" | "output" | "feature";

/**
 * One report of a {@linkcode ReportDescriptor}: packs values by name into bytes,
 * and unpacks them.
 *
 * @example A hat switch beside buttons
 * ```ts
 * import {
 *   collection,
 *   input,
 *   logicalRange,
 *   reportCount,
 *   reportDescriptor,
 *   reportSize,
 *   usage,
 *   usagePage,
 *   usageRange,
 * } from "@usb/gadget/hid";
 * import { assertEquals } from "@std/assert";
 *
 * const pad = reportDescriptor([
 *   usagePage("generic desktop"),
 *   usage("gamepad"),
 *   collection("application", [
 *     ...[logicalRange(0, 7), reportSize(4), reportCount(1)],
 *     ...[usage("hat switch"), input({ nullState: true })],
 *     ...[usagePage("button"), usageRange(1, 12)],
 *     ...[logicalRange(0, 1), reportSize(1), reportCount(12), input()],
 *   ]),
 * ]);
 * const report = pad.report("input");
 * assertEquals(report.pack({ buttons: [1, 12] }), new Uint8Array([0x18, 0x80]));
 * assertEquals(report.unpack(new Uint8Array([0x06, 0x00])), {
 *   "hat switch": 6,
 *   buttons: [],
 * });
 * ```
 *
 * @category Report descriptors
 */
export class ReportLayout {
  /** The type of the report. */
  readonly type: ReportType;
  /** The report ID, or 0 if the descriptor uses none. */
  readonly id: number;
  /** The size of all fields in bits, padding included, the report ID not. */
  readonly bitLength: number;
  /** The size of the report in bytes, with the report ID if the descriptor uses them. */
  readonly byteLength: number;
  /** The values, in order of their place. Padding is none. */
  readonly fields: readonly ReportField[];

  /** Bits before the first field. */
  readonly #start: number;

  /**
   * Creates a layout.
   *
   * @param type The type of the report.
   * @param id The report ID, or 0.
   * @param bitLength The size of all fields in bits.
   * @param fields The values, whose names differ.
   */
  constructor(
    type: ReportType,
    id: number,
    bitLength: number,
    fields: readonly ReportField[],
  ) {
    this.type = type;
    this.id = id;
    this.bitLength = bitLength;
    this.#start = id === 0 ? 0 : 8;
    this.byteLength = Math.ceil((this.#start + bitLength) / 8);
    this.fields = Object.freeze([...fields]);
    Object.freeze(this);
  }

  /**
   * Packs values into a report, its ID first if it has one.
   *
   * A value that is not given is 0, empty, or `null` if the field has a null
   * state. Lists and bytes may be shorter than the field; the rest is 0.
   *
   * @param values The values by the names of the fields; their `kind` says what they are.
   * @throws {TypeError} If there is no field of a name, or a value is of a wrong type.
   * @throws {RangeError} If a value is out of range, or has too many elements.
   */
  pack(values: ReportValues = {}): Uint8Array<ArrayBuffer> {
    const action = `pack ${this.#name}`;
    checkArgument(action, "the values", values, OBJECT);
    const names = this.fields.map(({ name }) => name);
    for (const name of Object.keys(values)) {
      if (names.includes(name)) continue;
      const known = names.map((it) => show(it)).join(", ");
      throw new TypeError(
        `Cannot ${action}: there is no field ${show(name)}${
          known === "" ? "" : `, only ${known}`
        }`,
      );
    }
    const bytes = new Uint8Array(this.byteLength);
    if (this.id !== 0) bytes[0] = this.id;
    for (const field of this.fields) {
      const value = Object.hasOwn(values, field.name)
        ? values[field.name]
        : undefined;
      packField(field, bytes, this.#start + field.bitOffset, value, action);
    }
    return bytes;
  }

  /**
   * Unpacks a report. A value outside of the range of a field with a null state
   * is `null`; other values are not checked.
   *
   * @param bytes The report, its ID first if it has one. What follows after it is ignored.
   * @throws {TypeError} If it is not a `Uint8Array`.
   * @throws {RangeError} If it is too short, or has another ID.
   */
  unpack(
    bytes: Uint8Array,
  ): Record<string, number | null | number[] | Uint8Array<ArrayBuffer>> {
    const action = `unpack ${this.#name}`;
    checkBytes(action, "the report", bytes);
    if (bytes.length < this.byteLength) {
      throw new RangeError(
        `Cannot ${action}: the report must have ${this.byteLength} bytes, has ${bytes.length}`,
      );
    }
    if (this.id !== 0 && bytes[0] !== this.id) {
      throw new RangeError(
        `Cannot ${action}: the report has ID ${bytes[0]}`,
      );
    }
    return Object.fromEntries(
      this.fields.map((field) => [
        field.name,
        unpackField(field, bytes, this.#start + field.bitOffset),
      ]),
    );
  }

  get #name(): string {
    return `${this.type} report${this.id === 0 ? "" : ` ${this.id}`}`;
  }
}
