/**
 * What a write sends: an array, or parts.
 *
 * @module
 */
import { bufferOf, bytesProblem } from "../../arguments/bytes.ts";
import { PartList, PartStream } from "./part_source.ts";
import { Parts, type PiecePort } from "./parts.ts";

/** What data is made for. */
export interface DataPort extends PiecePort {
  /** The most bytes of a transfer: those of one isochronous interval. */
  readonly largestTransfer: number;
}

/**
 * Tells an array, a list and an async iterable apart. Begins the iteration.
 *
 * @throws {TypeError} If it is something else, or what it contains is.
 * @throws {RangeError} If it is more than the endpoint can send.
 */
export function transferData(
  data: unknown,
  port: DataPort,
): Uint8Array<ArrayBuffer> | Parts {
  const problem = bytesProblem(data, EXPECTED);
  if (problem === undefined) return stableBytes(data as Uint8Array);
  if (Array.isArray(data)) {
    return new Parts(new PartList(data, port.name), port);
  }
  if (!isAsyncIterable(data)) {
    throw new TypeError(
      `Cannot write to endpoint "${port.name}": the data ${problem}`,
    );
  }
  if (port.largestTransfer !== Infinity) {
    throw new TypeError(
      `Cannot write to endpoint "${port.name}": an isochronous transfer is what goes in one interval: give a Uint8Array, or an array of them`,
    );
  }
  return new Parts(new PartStream(data, port.name), port);
}

const EXPECTED = "a Uint8Array, an array of them or an async iterable";

function isAsyncIterable(value: unknown): value is AsyncIterable<Uint8Array> {
  const { [Symbol.asyncIterator]: iterate } = Object(value);
  return typeof iterate === "function";
}

/** Bytes at a stable address: a copy where the memory may move. */
export function stableBytes(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const buffer = bufferOf(data);
  if (buffer instanceof ArrayBuffer && !buffer.resizable) {
    return data as Uint8Array<ArrayBuffer>;
  }
  return new Uint8Array(data);
}
