/**
 * Actions that have a place among the requests of an endpoint: halts.
 *
 * @module
 */
import { Errno } from "../../../ffi/errno.ts";

/** Something other than a request that has its place among them. */
export interface QueuedAction {
  /**
   * Whether requests that were queued before must be done before: if not, it
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
  /** Called once, with 0 or a negative error number. */
  onEnd(result: number): void;
}

/** An action, and its place among the requests. */
export interface WaitingAction {
  readonly action: QueuedAction;
  /** Below that of every request, if it is not ordered. */
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

  /** Adds an action with its place among the requests. */
  add(action: QueuedAction, sequence: number): void {
    this.#waiting.push({ action, sequence });
    this.#waiting.sort((a, b) => a.sequence - b.sequence);
  }

  /** Removes an action; returns whether it was in the queue. */
  remove(action: QueuedAction): boolean {
    const index = this.#waiting.findIndex((each) => each.action === action);
    if (index >= 0) this.#waiting.splice(index, 1);
    return index >= 0;
  }

  /** Ends all actions with -ECANCELED. */
  cancelAll(): void {
    for (const { action } of this.#waiting.splice(0)) {
      action.onEnd(-Errno.ECANCELED);
    }
  }
}
