/**
 * The web stream of what a host sends.
 *
 * @module
 */
import type { ReadAhead } from "./read_ahead.ts";

/** How a stream of what the host sends is read. */
export interface ReadableOptions {
  /**
   * How many transfers may be taken from the host ahead of the reader: those
   * that have come and were not read, and those that the kernel waits for. When
   * nobody reads, the host is told to wait (NAK) after `depth` times
   * `transferSize` bytes. From 1 on.
   * @default {64 without a transferSize, otherwise 4}
   */
  readonly depth?: number;
  /**
   * Bytes of one kernel request, rounded up to packets of every speed of the
   * function; up to 1 MiB. Larger ones are several times as fast. But a request ends
   * when it is full or when the host sends a short packet: what a host sends in
   * full packets, without a zero-length packet at the end of its transfer,
   * reaches the reader only when the request has become full.
   *
   * Without it each request is one packet, and every packet reaches the reader
   * when it comes. It is the choice for hosts that one does not know: WebUSB
   * and libusb send no zero-length packets unless they are told to.
   * @default {one packet}
   */
  readonly transferSize?: number;
  /**
   * What becomes of the stream when the host disables the endpoint: by a reset,
   * by SET_CONFIGURATION or SET_INTERFACE, or because the cable is unplugged.
   *
   * - `"resume"`: it goes on when the endpoint is enabled again. What the
   *   kernel had received of an unfinished request is lost.
   * - `"end"`: it is closed, after what has come before was read. The endpoint's
   *   next stream belongs to the next connection.
   *
   * A stream that is read while no host is there waits for one either way.
   * @default {"resume"}
   */
  readonly reconnect?: "resume" | "end";
}

/**
 * Makes a byte stream without a queue of its own: all that is taken from the
 * host ahead of its reader lies in `source`.
 *
 * @param onOver The stream has ended; the endpoint may have another.
 */
export function makeReadable(
  source: ReadAhead,
  onOver: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  /** The pull that is under way. */
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
      const count = await source.fill(memory as Uint8Array<ArrayBuffer>);
      if (count === undefined) return false;
      // Without a request the stream was cancelled meanwhile.
      if (controller.byobRequest) controller.byobRequest.respond(count);
      else source.putBack(memory.slice(0, count) as Uint8Array<ArrayBuffer>);
    } else {
      const bytes = await source.take();
      if (bytes === undefined) return false;
      if (over) source.putBack(bytes);
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
  // A BYOB reader that reads right after another read has ended, and lets go at
  // once, leaves its request to the stream. The platform pulls for that only if
  // a reader is there when it hears of the end of this pull, and later reads
  // queue up behind the request without a pull.
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
      : source.takeNow();
    if (bytes === undefined) {
      serving = serve(controller);
      serving.then(() => serveLeft(controller, STEPS_TO_HEAR));
      return serving;
    }
    controller.enqueue(bytes);
    serveLeft(controller, STEPS_TO_HEAR);
    return undefined;
  };
  return new ReadableStream({
    type: "bytes",
    start(controller) {
      // An end is told at once, also to somebody who waits for that alone.
      source.finished.then(() => {
        finished = true;
        if (!over) pull(controller);
      });
    },
    pull,
    async cancel() {
      end();
      await source.cancel();
    },
  });
}

/** Microtasks until the platform has heard of the end of a pull, and some more. */
const STEPS_TO_HEAR = 4;
