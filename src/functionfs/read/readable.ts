/**
 * The web stream of data from a host.
 *
 * @module
 */
import type { ReadAhead } from "./ahead.ts";

/**
 * How to read a stream from the host.
 * @category Endpoints
 */
export interface ReadableOptions {
  /**
   * How many transfers may be received ahead of the reader: unread ones, and
   * those that the kernel waits for. If the stream is not read, the host has to
   * wait (NAK) after `depth` times `transferSize` bytes. At least 1; by default
   * 64 without a `transferSize`, otherwise 4.
   */
  readonly depth?: number;
  /**
   * Bytes of one kernel request, rounded up to whole packets at every speed of
   * the function; up to 1 MiB. Larger requests are several times as fast. But a
   * request ends only when it is full or when the host sends a short packet:
   * full packets without a zero-length packet at the end of their transfer
   * reach the reader only when the request is full.
   *
   * By default each request is one packet, and every packet reaches the reader
   * as it arrives. That is right for unknown hosts: WebUSB and libusb send no
   * zero-length packets by default.
   */
  readonly transferSize?: number;
  /**
   * What happens to the stream when the host disables the endpoint: by a reset,
   * by SET_CONFIGURATION or SET_INTERFACE, or because the cable is unplugged.
   *
   * - `"resume"`: the stream continues when the endpoint is enabled again. Data
   *   that the kernel had received for an unfinished request is lost.
   * - `"end"`: the stream closes after earlier data has been read. The
   *   endpoint's next stream belongs to the next connection.
   *
   * Either way, a stream that is read while no host is connected waits for one.
   * @default {"resume"}
   */
  readonly reconnect?: "resume" | "end";
}

/**
 * Makes a byte stream without its own buffer: `ahead` holds all data received
 * ahead of the reader.
 *
 * @param onOver The stream has ended; the endpoint may open another.
 */
export function makeReadable(
  ahead: ReadAhead,
  onOver: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  /** The pull in progress. */
  let serving: Promise<void> | undefined;
  let finished = false;
  let over = false;
  const end = () => {
    over = true;
    onOver();
  };
  const read = async (controller: ReadableByteStreamController) => {
    const view = controller.byobRequest?.view;
    if (view) {
      const { buffer, byteOffset, byteLength } = view;
      const memory = new Uint8Array(buffer, byteOffset, byteLength);
      const count = await ahead.fill(memory as Uint8Array<ArrayBuffer>);
      if (count === undefined) return false;
      // Without a request, the stream has been cancelled meanwhile.
      if (controller.byobRequest) controller.byobRequest.respond(count);
      else ahead.putBack(memory.slice(0, count) as Uint8Array<ArrayBuffer>);
    } else {
      const bytes = await ahead.take();
      if (bytes === undefined) return false;
      if (over) ahead.putBack(bytes);
      else controller.enqueue(bytes);
    }
    return true;
  };
  const serve = async (controller: ReadableByteStreamController) => {
    try {
      while (await read(controller)) {
        if (!finished || over) return;
      }
      if (over) return;
      end();
      controller.close();
      controller.byobRequest?.respond(0);
    } catch (error) {
      if (over) return;
      end();
      controller.error(error);
    } finally {
      serving = undefined;
    }
  };
  // Suppose a BYOB reader reads right after another read has ended, and
  // releases its lock at once: its request stays with the stream. The platform
  // pulls for it only if the stream has a reader when the platform learns that
  // this pull has ended; later reads queue up behind it without a pull.
  const serveLeft = (controller: ReadableByteStreamController, steps: number) =>
    queueMicrotask(() => {
      if (steps > 1) serveLeft(controller, steps - 1);
      else if (!over && controller.byobRequest) pull(controller);
    });
  const pull = (
    controller: ReadableByteStreamController,
  ): Promise<void> | undefined => {
    if (serving !== undefined) return serving;
    const bytes = finished || controller.byobRequest
      ? undefined
      : ahead.takeNow();
    if (bytes === undefined) {
      serving = serve(controller);
      serving.then(() => serveLeft(controller, STEPS_TO_LEARN));
      return serving;
    }
    controller.enqueue(bytes);
    serveLeft(controller, STEPS_TO_LEARN);
    return undefined;
  };
  return new ReadableStream({
    type: "bytes",
    start(controller) {
      // Closes the stream at once, even if no read is waiting.
      ahead.finished.then(() => {
        finished = true;
        if (!over) pull(controller);
      });
    },
    pull,
    async cancel() {
      end();
      await ahead.cancel();
    },
  });
}

/** Microtasks until the platform learns of the end of a pull, and some more. */
const STEPS_TO_LEARN = 4;
