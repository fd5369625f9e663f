/**
 * Values in the words of messages.
 *
 * @module
 */

const LONGEST_TEXT = 40;

/** Describes any value: `null`, `"hello"`, `a Float64Array`, `an instance of Device`. Never throws. */
export function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(
        value.length <= LONGEST_TEXT
          ? value
          : `${value.slice(0, LONGEST_TEXT - 3)}...`,
      );
    case "bigint":
      return `${value}n`;
    case "function":
      return "a function";
    case "object":
      return value === null ? "null" : showObject(value);
    default:
      return String(value);
  }
}

function showObject(value: object): string {
  try {
    // Every built-in class has a tag, which its subclasses share.
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    if (tag === "Array") return "an array";
    if (tag !== "Object") return `${/^[AEIO]/.test(tag) ? "an" : "a"} ${tag}`;
    const name = value.constructor?.name ?? "";
    return /^(Object)?$/.test(name) ? "an object" : `an instance of ${name}`;
  } catch {
    return "an object";
  }
}

/** Writes a number in hexadecimal, as addresses, types and versions appear in messages. */
export function hex(value: number, digits = 2): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

/** Lists two or more values, with commas and an "or" before the last. */
export function choice(values: readonly (string | number)[]): string {
  const shown = values.map(show);
  return `${shown.slice(0, -1).join(", ")} or ${shown.at(-1)}`;
}
