/**
 * The blocks of a command.
 *
 * @module
 */
import type { BlockDevice } from "../block_device/block_device.ts";
import type { Cdb } from "./cdb.ts";
import type { Run } from "./command.ts";
import type { Drive } from "./drive.ts";
import { SenseError } from "./sense.ts";

/** Commands without data work in pieces of this many bytes, with turns of the event loop in between. */
export const PIECE = 256 * 1024;

/** Blocks of a medium. */
export interface Range {
  readonly medium: BlockDevice;
  readonly lba: number;
  readonly count: number;
  /** Fails if the medium was taken out meanwhile: the program may use it. */
  readonly checkPresent: () => void;
}

/** The blocks of a command, which have to exist. */
export function rangeOf(drive: Drive, cdb: Cdb): Range {
  const medium = drive.requireMedium();
  const { lba, count } = cdb.blocks();
  checkRange(medium, lba, count);
  return { medium, lba, count, checkPresent: presence(drive) };
}

/** Makes a function that fails after a removal of the medium. */
export function presence(drive: Drive): () => void {
  const { removals } = drive;
  return () => {
    if (drive.removals !== removals) throw new SenseError("medium not present");
  };
}

/** Fails unless blocks exist. */
export function checkRange(
  medium: BlockDevice,
  lba: number,
  count: number,
): void {
  if (lba + count > medium.blockCount) {
    throw new SenseError("logical block address out of range");
  }
}

/** Does something with all blocks of a range, in pieces. */
export async function forEachPiece(
  { medium: { blockSize }, lba, count, checkPresent }: Range,
  run: Run,
  work: (lba: number, count: number) => void | Promise<void>,
): Promise<void> {
  const most = PIECE / blockSize;
  for (let done = 0; done < count && !run.abandoned; done += most) {
    if (done > 0) await new Promise((resolve) => setImmediate(resolve));
    checkPresent();
    await work(lba + done, Math.min(most, count - done));
  }
}
