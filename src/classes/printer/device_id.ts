/**
 * IEEE 1284 device IDs.
 *
 * @module
 */
import { show } from "../../arguments/show.ts";

/** With the two bytes of the length: what a control request carries. */
const MAX_BYTES = 4096;

/** What a printer says of itself; empty fields are left out. */
export interface DeviceIdFields {
  readonly manufacturer: string;
  readonly model: string;
  readonly commandSets: readonly string[];
  readonly serialNumber: string;
  readonly others: Readonly<Record<string, string>>;
}

/**
 * Builds a device ID of keys and values (IEEE 1284, 7.6). MFG, CMD and MDL come
 * first: some hosts read no others.
 *
 * @throws {TypeError} If a key or a value has characters that it cannot have.
 */
export function deviceIdOf(fields: DeviceIdFields): string {
  for (const set of fields.commandSets) {
    checkText("a command set", set, /^[^,;]+$/, '"," or ";"');
  }
  const pairs = [
    ["MFG", fields.manufacturer],
    ["CMD", fields.commandSets.join()],
    ["MDL", fields.model],
    ["CLS", "PRINTER"],
    ["SN", fields.serialNumber],
    ...Object.entries(fields.others),
  ].filter(([, value]) => value !== "");
  for (const [key, value] of pairs) {
    checkText("a key of the device ID", key, /^[^:;,]+$/, '":", ";" or ","');
    checkText(`the value of "${key}"`, value, /^[^;]*$/, '";"');
  }
  return pairs.map(([key, value]) => `${key}:${value};`).join("");
}

function checkText(
  what: string,
  value: unknown,
  allowed: RegExp,
  forbidden: string,
): void {
  if (
    typeof value === "string" && allowed.test(value) &&
    /^[\x20-\x7e]*$/.test(value)
  ) return;
  throw new TypeError(
    `Cannot make printer: ${what} must be printable ASCII without ${forbidden}, is ${
      show(value)
    }`,
  );
}

/**
 * Encodes a device ID: a big-endian length, which counts itself, and ASCII.
 *
 * @throws {RangeError} When it is not ASCII or longer than 4094 characters.
 */
export function encodeDeviceId(text: string): Uint8Array {
  const length = text.length + 2;
  // deno-lint-ignore no-control-regex -- ASCII is all of it
  if (!/^[\x00-\x7f]*$/.test(text) || length > MAX_BYTES) {
    throw new RangeError(
      `Cannot use device ID "${text}": give at most 4094 ASCII characters`,
    );
  }
  return Uint8Array.of(
    length >> 8,
    length,
    ...new TextEncoder().encode(text),
  );
}
