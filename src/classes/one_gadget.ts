/**
 * A function that keeps its state for one gadget at a time.
 *
 * @module
 */
import type { Session } from "../functionfs/sessions.ts";

/** The session that a function serves; see {@linkcode OneGadget.serve}. */
export class OneGadget<S extends Pick<Session, "report">> {
  #session: S | undefined;

  /** The session that is served, if any. */
  get session(): S | undefined {
    return this.#session;
  }

  /**
   * Serves a session.
   *
   * @param name Of the function.
   * @throws {Error} If it serves one of another gadget.
   */
  async serve(
    name: string,
    session: S,
    work: () => Promise<void>,
  ): Promise<void> {
    if (this.#session !== undefined) {
      throw new Error(
        `Function "${name}" serves another gadget: make one for each`,
      );
    }
    this.#session = session;
    try {
      await work();
    } finally {
      this.#session = undefined;
    }
  }
}
