/**
 * What an area does, one thing after another.
 *
 * @module
 */
import type { DfuErrorStatus } from "./codes.ts";
import { DfuError, statusOf } from "./dfu_error.ts";

/** A write or a manifestation, pending or done. */
export interface Work {
  readonly done: boolean;
  /** Why it has failed. */
  readonly failure: DfuErrorStatus | undefined;
}

/** Calls the methods of an area in turn. */
export class AreaWork {
  readonly #onError: (error: unknown) => void;
  /** Settles when nothing is pending. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param onError Gets what the area throws, unless it is a {@linkcode DfuError}. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Begins something that nothing waits for, unless the host has given up by then. */
  begin(
    action: () => unknown,
    signal: AbortSignal,
    fallback: DfuErrorStatus,
  ): Work {
    const work = {
      done: false,
      failure: undefined as DfuErrorStatus | undefined,
    };
    this.run(async () => {
      if (!signal.aborted) await action();
    }, signal).catch((error) => {
      work.failure = statusOf(error, fallback);
    }).finally(() => {
      work.done = true;
    });
    return work;
  }

  /** Does something; rejects with what the area throws. */
  run<T>(action: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const result = this.#last.then(action);
    this.#last = result.catch((error) => {
      const isMeant = error instanceof DfuError ||
        signal.aborted && error === signal.reason;
      if (!isMeant) this.#onError(error);
    });
    return result;
  }
}
