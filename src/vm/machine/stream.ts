/**
 * Reads the output of the guest from ports that have no end of file.
 *
 * @module
 */

/** Receives output as it comes. A promise holds the guest back until it settles. */
export type OutputHandler = (chunk: Uint8Array) => void | Promise<void>;

/**
 * Passes on what a port delivers until the marker comes, and returns whether it
 * came. What could be the beginning of the marker is held back until it is clear.
 */
export async function readUntilMarker(
  readable: ReadableStream<Uint8Array>,
  marker: Uint8Array,
  handler: OutputHandler,
): Promise<boolean> {
  let held: Uint8Array = new Uint8Array();
  for await (const chunk of chunks(readable)) {
    const data = held.length === 0 ? chunk : concat(held, chunk);
    const split = findMarker(data, marker);
    if (split > 0) await handler(data.subarray(0, split));
    held = data.slice(split);
    if (held.length >= marker.length) return true;
  }
  if (held.length > 0) await handler(held);
  return false;
}

/** Where the marker, or what may become it, begins; else the length of the data. */
function findMarker(data: Uint8Array, marker: Uint8Array): number {
  for (
    let at = data.indexOf(marker[0]);
    at >= 0;
    at = data.indexOf(marker[0], at + 1)
  ) {
    const length = Math.min(marker.length, data.length - at);
    let same = 1;
    while (same < length && data[at + same] === marker[same]) same++;
    if (same === length) return at;
  }
  return data.length;
}

/** A stream whose connection is cut, because the VM is gone, has ended. */
export async function* chunks(
  readable: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* readable;
  } catch (error) {
    const gone = error instanceof Deno.errors.ConnectionReset ||
      error instanceof Deno.errors.Interrupted ||
      error instanceof Deno.errors.BadResource;
    if (!gone) throw error;
  }
}

/** Joins pieces of bytes. */
export function concat(
  ...parts: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}
