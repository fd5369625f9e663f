/**
 * Reads and writes blocks, and finds the ones that fail.
 *
 * @module
 */
import type { BlockDevice } from "../block_device/block_device.ts";
import { PartialError } from "./command.ts";
import { SenseError, type SenseName } from "./sense.ts";

/** Whether a call has returned a promise. */
export function isPromise(value: void | Promise<void>): value is Promise<void> {
  return typeof value === "object" && value !== null;
}

/**
 * Reads blocks.
 *
 * @throws {PartialError} If a block cannot be read. Those before it have been.
 */
export function readBlocks(
  medium: BlockDevice,
  lba: number,
  into: Uint8Array<ArrayBuffer>,
): void | Promise<void> {
  return attempt(
    (first, bytes) => medium.read(first, bytes),
    "unrecovered read error",
    medium.blockSize,
    lba,
    into,
  );
}

/**
 * Writes blocks.
 *
 * @throws {PartialError} If a block cannot be written. Those before it have been.
 */
export function writeBlocks(
  medium: BlockDevice,
  lba: number,
  from: Uint8Array<ArrayBuffer>,
): void | Promise<void> {
  return attempt(
    (first, bytes) => medium.write!(first, bytes),
    "write error",
    medium.blockSize,
    lba,
    from,
  );
}

/** Makes durable what was written, if that takes anything. */
export async function flushBlocks(medium: BlockDevice): Promise<void> {
  try {
    await medium.flush?.();
  } catch (error) {
    throw writeError(error);
  }
}

/** Discards blocks of a medium that can do so. */
export async function discardBlocks(
  medium: BlockDevice,
  lba: number,
  count: number,
): Promise<void> {
  try {
    await medium.discard!(lba, count);
  } catch (error) {
    throw writeError(error);
  }
}

/** An error that does not belong to a certain block. */
function writeError(error: unknown): SenseError {
  return error instanceof SenseError
    ? error
    : new SenseError("write error", { cause: error });
}

/** The error of a block as the host is to see it. */
function blockError(
  error: unknown,
  otherwise: SenseName,
  lba: number,
): SenseError {
  const sense = error instanceof SenseError ? error.sense : otherwise;
  return new SenseError(sense, { lba, cause: error });
}

type Operation = (
  lba: number,
  bytes: Uint8Array<ArrayBuffer>,
) => void | Promise<void>;

function attempt(
  operation: Operation,
  otherwise: SenseName,
  blockSize: number,
  lba: number,
  bytes: Uint8Array<ArrayBuffer>,
): void | Promise<void> {
  const retry = (error: unknown) =>
    tryParts(operation, otherwise, blockSize, lba, bytes, error);
  try {
    const done = operation(lba, bytes);
    return isPromise(done) ? done.catch(retry) : undefined;
  } catch (error) {
    return retry(error);
  }
}

/**
 * Repeats what comes before the failed block, whether or not it was done; block by
 * block if the error does not say which one failed.
 */
async function tryParts(
  operation: Operation,
  otherwise: SenseName,
  blockSize: number,
  lba: number,
  bytes: Uint8Array<ArrayBuffer>,
  error: unknown,
): Promise<void> {
  const count = bytes.byteLength / blockSize;
  const bad = error instanceof SenseError && error.lba !== undefined
    ? error.lba - lba
    : undefined;
  if (bad !== undefined && Number.isInteger(bad) && bad >= 0 && bad < count) {
    if (bad > 0) {
      await attempt(
        operation,
        otherwise,
        blockSize,
        lba,
        bytes.subarray(0, bad * blockSize),
      );
    }
    throw new PartialError(bad * blockSize, error);
  }
  if (count === 1) throw new PartialError(0, blockError(error, otherwise, lba));
  for (let index = 0; index < count; index++) {
    const at = index * blockSize;
    try {
      await operation(lba + index, bytes.subarray(at, at + blockSize));
    } catch (error) {
      throw new PartialError(at, blockError(error, otherwise, lba + index));
    }
  }
}
