/**
 * The names of files, which are bytes on Linux and text here.
 *
 * @module
 */
import { cString } from "../libc.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const REPLACED = "\ufffd";

/**
 * Returns the name of a file as text. Linux has bytes, which may be anything: if
 * they are not UTF-8, those beyond ASCII become unpaired surrogates, U+DC80 to
 * U+DCFF, from which {@linkcode encodePath} makes them again.
 */
export function decodeName(bytes: Uint8Array<ArrayBuffer>): string {
  const name = decoder.decode(bytes);
  if (!name.includes(REPLACED)) return name;
  const encoded = new TextEncoder().encode(name);
  if (
    encoded.byteLength === bytes.byteLength &&
    encoded.every((it, index) => it === bytes[index])
  ) return name;
  const codes = Array.from(bytes, (it) => it < 0x80 ? it : 0xdc00 + it);
  return String.fromCharCode(...codes);
}

/** Encodes a path of names from {@linkcode decodeName} for C. */
export function encodePath(path: string): Uint8Array<ArrayBuffer> {
  if (path.isWellFormed()) return cString(path);
  const parts = path.split("/").map((name) => {
    if (name.isWellFormed()) return cString(name).subarray(0, -1);
    return Uint8Array.from(name, (it) => it.charCodeAt(0) & 0xff);
  });
  const bytes = new Uint8Array(
    parts.reduce((sum, it) => sum + it.byteLength + 1, 0),
  );
  let at = 0;
  parts.forEach((part, index) => {
    if (index > 0) bytes[at++] = "/".charCodeAt(0);
    bytes.set(part, at);
    at += part.byteLength;
  });
  return bytes;
}

/**
 * Whether a text is the name of a file: one that a directory can have, written as
 * {@linkcode decodeName} does. Other texts with unpaired surrogates would become
 * bytes that another name has as well, or a slash.
 */
export function isFileName(name: string): boolean {
  // deno-lint-ignore no-control-regex -- it ends a name in C
  if (/^\.{0,2}$|[/\x00]/.test(name)) return false;
  return name.isWellFormed() ||
    decodeName(encodePath(name).subarray(0, -1)) === name;
}
