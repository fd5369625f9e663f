/**
 * `toBytes()` of `@std/streams`, for machines without JSR.
 *
 * @module
 */

/** Reads a stream to its end and returns all of its bytes. */
export function toBytes(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Response(stream).bytes();
}
