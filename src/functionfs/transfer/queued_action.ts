/**
 * What has its place among the transfers of an endpoint without being one: a
 * halt.
 *
 * @module
 */
import { Errno } from "../../../ffi/errno.ts";

/** Something other than a transfer that has its place among them. */
export interface QueuedAction {
  /**
   * Whether transfers that were queued before must be done before: if not, it
   * is tried as soon as the endpoint is enabled.
   */
  readonly ordered: boolean;
  /**
   * Tries it.
   *
   * @returns 0 when it is done, or a negative error number. After -EAGAIN it
   * is tried again later, and after -ESHUTDOWN in the next connection.
   */
  attempt(): number;
  /** Told once: 0, or a negative error number. */
  onEnd(result: number): void;
}

/** An action, and its place among the transfers. */
export interface WaitingAction {
  readonly action: QueuedAction;
  /** Below that of every transfer, for one that is not ordered. */
  readonly sequence: number;
}

/** Actions that wait for their turn. */
export class ActionQueue {
  #waiting: WaitingAction[] = [];

  /** How many there are. */
  get size(): number {
    return this.#waiting.length;
  }

  /** The one whose turn comes next. */
  get first(): WaitingAction | undefined {
    return this.#waiting[0];
  }

  /** Adds one, with its place among the transfers. */
  add(action: QueuedAction, sequence: number): void {
    this.#waiting.push({ action, sequence });
    this.#waiting.sort((a, b) => a.sequence - b.sequence);
  }

  /** Takes one away; tells whether it was there. */
  remove(action: QueuedAction): boolean {
    const index = this.#waiting.findIndex((each) => each.action === action);
    if (index >= 0) this.#waiting.splice(index, 1);
    return index >= 0;
  }

  /** Ends all of them with -ECANCELED. */
  cancelAll(): void {
    for (const { action } of this.#waiting.splice(0)) {
      action.onEnd(-Errno.ECANCELED);
    }
  }
}
