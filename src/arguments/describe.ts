/**
 * Values that are not what they should be, in the words of messages.
 *
 * @module
 */

const LONGEST_TEXT = 40;

/** Says what a value is: `null`, `"hello"`, `a Float64Array`. Never throws. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.length <= LONGEST_TEXT
        ? JSON.stringify(value)
        : `a string of ${value.length} characters`;
    case "bigint":
      return `${value}n`;
    case "function":
      return "a function";
    case "object":
      return value === null ? "null" : describeObject(value);
    default:
      return String(value);
  }
}

function describeObject(value: object): string {
  try {
    // Of the built-in classes each has a tag, also where it is subclassed.
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    const article = /^[AEIO]/.test(tag) ? "an" : "a";
    return `${article} ${
      tag === "Object" || tag === "Array" ? tag.toLowerCase() : tag
    }`;
  } catch {
    return "an object";
  }
}
