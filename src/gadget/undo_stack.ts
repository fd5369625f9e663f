/**
 * Steps that are taken back in reverse order.
 *
 * @module
 */

/** Takes back what was done, newest first. */
export class UndoStack {
  readonly #steps: (() => void)[] = [];

  /** Remembers how to take back what was just done. */
  push(undo: () => void): void {
    this.#steps.push(undo);
  }

  /**
   * Takes everything back. A step that fails does not stop the others.
   *
   * @returns What the failing steps threw.
   */
  run(): unknown[] {
    const errors: unknown[] = [];
    for (;;) {
      const undo = this.#steps.pop();
      if (undo === undefined) return errors;
      try {
        undo();
      } catch (error) {
        errors.push(error);
      }
    }
  }
}
