/**
 * Reads a block as the kernel does, and says why it is refused.
 *
 * @module
 */

/** The error that a refused write returns. */
export type BlockErrno =
  | "EINVAL"
  | "ENOSYS"
  | "EBADF"
  | "ENOMEM"
  | "EEXIST";

/** A refused write. */
export class Refusal extends Error {
  /** The error that the write returns. */
  readonly errno: BlockErrno;
  /** A short name of the rule. */
  readonly rule: string;
  /** Where in the block it is. */
  readonly path: string;

  /**
   * Makes a refusal.
   *
   * @param rule A short name of the rule.
   * @param path Where in the block it is.
   * @param message What is wrong and what to do.
   * @param errno The error that the write returns.
   */
  constructor(
    rule: string,
    path: string,
    message: string,
    errno: BlockErrno = "EINVAL",
  ) {
    super(message);
    this.name = "Refusal";
    this.errno = errno;
    this.rule = rule;
    this.path = path;
  }
}

/** Every write starts with 16 bytes at least. */
export const MIN_BLOCK_LENGTH = 16;
/** What `memdup_user()` can allocate. */
export const MAX_BLOCK_LENGTH = 4 * 1024 * 1024;

/** Reads a block from front to back. */
export class BlockCursor {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  /** How many bytes were taken. */
  offset = 0;

  /**
   * Starts at the front.
   *
   * @param bytes The block.
   */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.length - this.offset;
  }

  /** The bytes that are left. */
  get rest(): Uint8Array {
    return this.#bytes.subarray(this.offset);
  }

  /**
   * Reads without taking.
   *
   * @param offset Where, from here.
   * @returns Two bytes.
   */
  u16At(offset: number): number {
    return this.#view.getUint16(this.offset + offset, true);
  }

  /**
   * Reads without taking.
   *
   * @param offset Where, from here.
   * @returns Four bytes.
   */
  u32At(offset: number): number {
    return this.#view.getUint32(this.offset + offset, true);
  }

  /**
   * Takes a field of the header.
   *
   * @param path Where it is, for the refusal of a block that ends here.
   * @returns Four bytes.
   */
  u32(path: string): number {
    if (this.left < 4) {
      throw new Refusal(
        "length",
        path,
        "The block ends before this field: make it longer",
      );
    }
    const value = this.u32At(0);
    this.offset += 4;
    return value;
  }

  /**
   * Takes bytes.
   *
   * @param length How many.
   * @returns A view of them.
   */
  take(length: number): Uint8Array {
    const bytes = this.#bytes.subarray(this.offset, this.offset + length);
    this.offset += length;
    return bytes;
  }
}

/**
 * Checks what every block starts with.
 *
 * @param bytes The block.
 * @param path What to call it.
 */
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

/**
 * Checks the length field of a block.
 *
 * @param cursor The block, at its front.
 * @param path What to call it.
 */
export function checkLengthField(cursor: BlockCursor, path: string): void {
  const length = cursor.u32At(4);
  if (length === cursor.left) return;
  throw new Refusal(
    "length",
    `${path}.length`,
    `The length field says ${length}, but the block has ${cursor.left} bytes: make them equal, and write the block at once`,
  );
}
