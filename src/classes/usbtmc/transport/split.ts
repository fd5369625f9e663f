/**
 * Requests that are begun with one control request, and end with another (USBTMC
 * 1.0, 4.2.1).
 *
 * @module
 */

/** Values of `USBTMC_status`. */
export const Status = {
  SUCCESS: 0x01,
  PENDING: 0x02,
  FAILED: 0x80,
  TRANSFER_NOT_IN_PROGRESS: 0x81,
  SPLIT_NOT_IN_PROGRESS: 0x82,
  SPLIT_IN_PROGRESS: 0x83,
} as const;

/** A value of `USBTMC_status`. */
export type StatusCode = typeof Status[keyof typeof Status];

/** What takes two requests. */
export type Split = "abort in" | "abort out" | "clear";

/** How far a request has come. */
export interface SplitProgress {
  readonly status: StatusCode;
  /** Bytes that were transferred, when it is done. */
  readonly bytes: number;
}

/** The request that is in progress. */
export class SplitRequest {
  #current:
    | { readonly split: Split; isDone: boolean; bytes: number }
    | undefined;

  /**
   * Begins one. A host that does not check how far it has come can begin another
   * when it is done, and a clear at any time.
   *
   * @param work Resolves to the number of bytes that were transferred. Never rejects.
   */
  async begin(split: Split, work: () => Promise<number>): Promise<StatusCode> {
    const isBusy = this.#current?.isDone === false;
    if (isBusy && split !== "clear") return Status.SPLIT_IN_PROGRESS;
    const current = { split, isDone: false, bytes: 0 };
    this.#current = current;
    current.bytes = await work();
    current.isDone = true;
    return Status.SUCCESS;
  }

  /** How far it has come. When it is done, it ends. */
  check(split: Split): SplitProgress {
    const current = this.#current;
    if (current?.split !== split) {
      return { status: Status.SPLIT_NOT_IN_PROGRESS, bytes: 0 };
    }
    const { isDone, bytes } = current;
    if (!isDone) return { status: Status.PENDING, bytes: 0 };
    this.#current = undefined;
    return { status: Status.SUCCESS, bytes };
  }

  /** The host is another one. */
  forget(): void {
    this.#current = undefined;
  }
}
