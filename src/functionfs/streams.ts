/**
 * Web streams over endpoints.
 *
 * @module
 */
import type { InEndpoint } from "./in_endpoint.ts";
import type { ReadAhead } from "./read_ahead.ts";

/** Makes a stream whose chunks are transfers to the host. */
export function makeWritable(endpoint: InEndpoint): WritableStream<Uint8Array> {
  return new WritableStream({
    async write(chunk, controller) {
      await endpoint.write(chunk, { signal: controller.signal });
    },
  });
}

/**
 * Makes a byte stream of what the host sends. It ends when the function does.
 *
 * @param source Where the packets come from.
 * @param onCancel The stream is not used any more; the endpoint may have another.
 */
export function makeReadable(
  source: ReadAhead,
  onCancel: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const limit = controller.byobRequest?.view?.byteLength ?? Infinity;
      const bytes = await source.take(limit);
      if (bytes !== undefined) {
        controller.enqueue(bytes);
      } else {
        controller.close();
        controller.byobRequest?.respond(0);
      }
    },
    async cancel() {
      onCancel();
      await source.cancel();
    },
  });
}
