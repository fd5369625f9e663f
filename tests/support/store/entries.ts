/**
 * What an object store has.
 *
 * @module
 */
import type { ObjectEntry, ObjectFile, ObjectStore } from "@usb/gadget/mtp";

/** The entries of a folder, sorted by name. */
export async function entriesIn(
  store: ObjectStore,
  folder = "",
): Promise<ObjectEntry[]> {
  const entries = [];
  for await (const entry of await store.list(folder)) entries.push(entry);
  return entries.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** The names in a folder, sorted. */
export async function namesIn(
  store: ObjectStore,
  folder = "",
): Promise<string[]> {
  return (await entriesIn(store, folder)).map(({ name }) => name);
}

/** All bytes of a file that is open. */
export async function contentsOf(
  file: ObjectFile,
): Promise<Uint8Array<ArrayBuffer>> {
  const into = new Uint8Array(file.byteLength);
  const count = await file.read(0, into);
  return into.subarray(0, count);
}

/** All bytes of a file. */
export async function read(
  store: ObjectStore,
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const file = await store.open(path);
  try {
    return await contentsOf(file);
  } finally {
    file.close();
  }
}

/** Makes a file, as a host does. */
export async function send(
  store: ObjectStore,
  path: string,
  content: string | Uint8Array<ArrayBuffer>,
  modified?: number,
): Promise<void> {
  const bytes = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  const file = await store.create!(path, { size: bytes.byteLength, modified });
  try {
    await file.write(0, bytes);
    await file.commit();
  } finally {
    file.close();
  }
}
