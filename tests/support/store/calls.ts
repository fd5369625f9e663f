/**
 * Calls of stores in tests.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import type { ObjectStore } from "@usb/gadget/mtp";
import { namesIn } from "./entries.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Text of a file, with all of its characters. */
export function decode(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Fails unless the store has refused the call for a reason. */
export async function refuses(
  code: string,
  call: () => unknown,
): Promise<Error> {
  const error = await assertRejects(async () => await call(), Error);
  assertEquals((error as Error & { code?: string }).code, code, error.message);
  return error;
}

/** Every call with one path. */
export function callsWith(store: ObjectStore, path: string): (() => unknown)[] {
  return [
    async () => await namesIn(store, path),
    () => store.open(path),
    () => store.create!(path, {}),
    () => store.makeFolder!(path),
    () => store.remove!(path),
    () => store.edit!(path),
    () => store.rename!(path, "other"),
  ];
}
