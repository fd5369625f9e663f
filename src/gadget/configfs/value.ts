/**
 * Values of attributes: how they are written, and whether a file has the same
 * value. Pure.
 *
 * @module
 */
import type { AttributeNode } from "./tree.ts";

/** The name of a network interface without a number. */
const UNNAMED = "(unnamed net_device)";

/** Texts of eight bytes, padded with NUL. */
const FIXED = /(^|\/)(sub_)?compatible_id$/;
/** A text that the kernel pads with blanks. */
const PADDED = /^lun\.\d+\/inquiry_string$/;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What to write. */
export function encodeValue(
  { path, value, hex }: AttributeNode,
): string | Uint8Array<ArrayBuffer> {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "number" && hex) return value.toString(16);
  // A shorter text would leave the rest of the eight bytes unchanged.
  if (FIXED.test(path)) return String(value).padEnd(8, "\0");
  // A write of no bytes does not reach the driver.
  return String(value) || "\n";
}

/** The text of a file. Some end in a NUL, such as host_addr of ecm. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes).replace(/[\n\0]+$/, "");
}

/** Whether the text of a file is none: a report descriptor, for example, is bytes. */
export function isBinary(text: string): boolean {
  // deno-lint-ignore no-control-regex -- those that texts do not have
  return /[\0-\x08\ufffd]/.test(text);
}

/**
 * Whether a file already has a value: `0x1209` and `4617` are the same, and so
 * is a MAC address in capitals.
 */
export function sameValue(actual: Uint8Array, node: AttributeNode): boolean {
  const desired = encodeValue(node);
  if (desired instanceof Uint8Array) {
    return actual.length === desired.length &&
      actual.every((byte, index) => byte === desired[index]);
  }
  const text = decodeText(actual);
  if (text === desired.replace(/[\n\0]+$/, "")) return true;
  if (PADDED.test(node.path)) return text.trimEnd() === desired.trimEnd();
  if (node.path === "os_desc/qw_sign" && desired.length === 7) {
    // Linux 6.12 reads beyond its end.
    return text.startsWith(desired);
  }
  const numbers = [text, desired].map((it) => parseNumber(it, node.hex));
  if (numbers[0] !== undefined && numbers[0] === numbers[1]) return true;
  if (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) {
    return text.toLowerCase() === desired.toLowerCase();
  }
  return node.path === "ifname" && matchesName(text, desired);
}

function parseNumber(text: string, hex = false): number | undefined {
  if (hex) return /^[0-9a-f]+$/i.test(text) ? parseInt(text, 16) : undefined;
  if (/^-?[0-9]+$/.test(text)) return Number(text);
  return /^0x[0-9a-f]+$/i.test(text) ? Number(text) : undefined;
}

/** `usb%d` becomes `usb0` when the interface is registered. */
function matchesName(actual: string, pattern: string): boolean {
  const [before, after] = pattern.split("%d");
  if (after === undefined) return false;
  if (actual === UNNAMED) return true;
  return actual.startsWith(before) && actual.endsWith(after) &&
    /^[0-9]+$/.test(
      actual.slice(before.length, actual.length - after.length),
    );
}
