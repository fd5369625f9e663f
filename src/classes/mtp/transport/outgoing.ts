/**
 * Data on its way to the host: a container of any size, in one transfer.
 *
 * @module
 */
import type { InEndpoint } from "../../../functionfs/endpoint/in_endpoint.ts";
import type { PieceMemory } from "../../piece_memory.ts";
import {
  ContainerType,
  encodeHeader,
  HEADER_SIZE,
  type Message,
  UNKNOWN_LENGTH,
} from "../protocol/container.ts";
import type { OutgoingData } from "../responder/operation.ts";
import type { Transaction } from "./transaction.ts";

/** Bytes that are read and sent at once; a multiple of all packet sizes. */
export const PIECE = 1 << 20;

/** The data ended too early, and so did the data phase. */
export class CutError extends Error {}

/** Sends data that the device has in memory. Resolves when the host has taken it. */
export function sendBytes(
  endpoint: InEndpoint,
  command: Message,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<unknown> {
  const header = new Uint8Array(HEADER_SIZE);
  writeHeader(header, command, bytes.byteLength);
  return endpoint.write([header, bytes], { zlp: "auto" });
}

/**
 * Sends data while it is read. Resolves when the last of it is queued.
 *
 * @param background Takes the writes, whose failure fails the next one as well.
 * @throws {CutError} If it could not be read to its end; the host has a shorter
 * transfer then. What reading throws before anything is sent is thrown.
 */
export async function sendWhileReading(
  endpoint: InEndpoint,
  transaction: Transaction,
  data: OutgoingData,
  memory: PieceMemory,
): Promise<void> {
  const { byteLength } = data;
  let at = 0;
  let isFirst = true;
  do {
    const piece = await memory.take();
    transaction.check();
    let filled = 0;
    if (isFirst) {
      writeHeader(piece.bytes, transaction.command, byteLength);
      filled = HEADER_SIZE;
    }
    let failure: { readonly cause: unknown } | undefined;
    while (filled < PIECE && at < byteLength) {
      const room = Math.min(PIECE - filled, byteLength - at);
      const into = piece.bytes.subarray(filled, filled + room);
      try {
        const count = await transaction.wait(data.read(at, into));
        if (count === 0) failure = { cause: undefined };
        filled += count;
        at += count;
      } catch (cause) {
        transaction.check();
        if (isFirst && at === 0) throw cause;
        failure = { cause };
      }
      if (failure !== undefined) break;
    }
    // Reading has given other code a turn, in which the host can have cancelled.
    transaction.check();
    const isLast = failure !== undefined || at >= byteLength;
    const sent = piece.bytes.subarray(0, filled);
    piece.inUse = endpoint.write(sent, { zlp: isLast ? "auto" : "never" });
    piece.inUse.catch(() => {});
    if (failure !== undefined) throw new CutError("Cut", failure);
    isFirst = false;
  } while (at < byteLength);
}

function writeHeader(into: Uint8Array, command: Message, size: number): void {
  const { code, transactionId } = command;
  const length = Math.min(size + HEADER_SIZE, UNKNOWN_LENGTH);
  encodeHeader(into, { length, type: ContainerType.DATA, code, transactionId });
}
