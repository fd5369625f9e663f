/**
 * Helpers for tests of DMABUFs.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { DmaBuffer } from "@usb/gadget/dmabuf";
import { firstDifference } from "../data/pattern.ts";

/** The sources of DMABUFs, with their names in tests. */
export const SOURCES = [
  { name: "udmabuf", options: {} },
  { name: "the system heap", options: { heap: "system" } },
] as const;

/** Allocates a buffer that begins with the given bytes. */
export async function bufferWith(
  bytes: Uint8Array,
  size = bytes.byteLength,
  options: { heap?: string } = {},
): Promise<DmaBuffer> {
  const buffer = DmaBuffer.allocate(size, options);
  await fill(buffer, bytes);
  return buffer;
}

/** Writes to the start of a buffer. */
export function fill(buffer: DmaBuffer, bytes: Uint8Array): Promise<void> {
  return buffer.access("write", (memory) => memory.set(bytes));
}

/** Copies the start of a buffer. */
export function content(
  buffer: DmaBuffer,
  length = buffer.size,
): Promise<Uint8Array<ArrayBuffer>> {
  return buffer.access("read", (memory) => memory.slice(0, length));
}

/** Asserts that two arrays are equal, without printing megabytes. */
export function assertSame(
  actual: Uint8Array,
  expected: Uint8Array,
  what = "",
): void {
  assertEquals(actual.byteLength, expected.byteLength, what);
  assertEquals(firstDifference(actual, expected), -1, what);
}

/** The code of the error that a promise rejects with, or `"done"`. */
export function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "done",
    (error) => error.code ?? error.name,
  );
}
