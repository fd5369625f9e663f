/**
 * Actions that are queued among the requests of an endpoint: halts.
 *
 * @module
 */
import { Errno } from "../../../ffi/errno.ts";

/** Something other than a request that is queued among requests. */
export interface QueuedAction {
  /**
   * Whether earlier requests must be done first. If not, it is tried as soon as
   * the endpoint is enabled.
   */
  readonly ordered: boolean;
  /**
   * Tries it.
   *
   * @returns 0 when it is done, or a negative error number. It is tried again
   * later after -EAGAIN, and in the next connection after -ESHUTDOWN.
   */
  attempt(): number;
  /** Called once, with 0 or a negative error number. */
  onEnd(result: number): void;
}

/** An action, and its place among the requests. */
export interface WaitingAction {
  readonly action: QueuedAction;
  /** Below that of every request, if the action is not ordered. */
  readonly sequence: number;
}

/** Actions that wait for their turn. */
export class ActionQueue {
  #waiting: WaitingAction[] = [];

  /** The number of actions. */
  get size(): number {
    return this.#waiting.length;
  }

  /** The next action. */
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
