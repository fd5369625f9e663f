/**
 * How a write to ep0 is refused, and what else goes wrong.
 *
 * @module
 */

import { BlockCursor } from "./block_cursor.ts";
import { MAX_BLOCK_LENGTH, MIN_BLOCK_LENGTH } from "./kernel.ts";

/** The error that a refused write returns. */
export type BlockErrno =
  | "EINVAL"
  | "ENOSYS"
  | "EBADF"
  | "ENOMEM"
  | "EEXIST";

/** A refused write. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(
    readonly rule: string,
    /** Where in the block it is. */
    readonly path: string,
    message: string,
    readonly errno: BlockErrno = "EINVAL",
  ) {
    super(message);
  }
}

/** Something that is wrong with accepted or refused blocks. */
export interface BlockProblem {
  readonly stage: "write" | "bind" | "configure" | "hazard";
  readonly rule: string;
  readonly path: string;
  readonly message: string;
}

/** Collects what goes wrong with accepted blocks. */
export class BlockProblems {
  readonly problems: BlockProblem[] = [];

  bindFails(rule: string, path: string, message: string): void {
    this.problems.push({ stage: "bind", rule, path, message });
  }

  configureFails(rule: string, path: string, message: string): void {
    this.problems.push({ stage: "configure", rule, path, message });
  }

  hazard(rule: string, path: string, message: string): void {
    this.problems.push({ stage: "hazard", rule, path, message });
  }
}

/** Refuses a field that lies beyond the end of the block. */
export class KernelCursor extends BlockCursor {
  override need(length: number, path: string, what: string): void {
    if (this.left >= length) return;
    throw new Refusal(
      "length",
      path,
      `The block ends before this ${what}: make it longer`,
    );
  }
}

/** Checks the length that every block must have. */
export function checkBlockLength(bytes: Uint8Array, path: string): void {
  if (bytes.length < MIN_BLOCK_LENGTH) {
    throw new Refusal(
      "length",
      path,
      `The block has ${bytes.length} bytes: it must have ${MIN_BLOCK_LENGTH} at least`,
    );
  }
  if (bytes.length > MAX_BLOCK_LENGTH) {
    throw new Refusal(
      "length",
      path,
      `The block has ${bytes.length} bytes, but the kernel can copy ${MAX_BLOCK_LENGTH}: make it shorter`,
      "ENOMEM",
    );
  }
}

/** Checks the length field of a block. */
export function checkLengthField(cursor: BlockCursor, path: string): void {
  const length = cursor.u32At(4);
  if (length === cursor.left) return;
  throw new Refusal(
    "length",
    `${path}.length`,
    `The length field says ${length}, but the block has ${cursor.left} bytes: make them equal, and write the block at once`,
  );
}
