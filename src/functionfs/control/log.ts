/**
 * Output about control requests that nothing else reports.
 *
 * The host decides how many requests fail. So output is limited like the
 * kernel's (`printk_ratelimit()`), and each kind of unknown request is
 * printed once.
 *
 * @module
 */
import { describeRequest } from "../../usb/request.ts";
import type { SetupPacket } from "../../usb/setup_packet.ts";

/** The most lines printed in a window of time. */
const BURST = 10;
const WINDOW_MS = 5_000;
/** The most kinds of unknown requests printed per function. */
const MAX_KINDS = 32;

/** Prints errors in the control requests of one function. */
export class ControlLog {
  readonly #name: string;
  readonly #print: (...line: unknown[]) => void;
  readonly #now: () => number;
  readonly #kinds = new Set<number>();
  /** When the first line of this window was printed. */
  #begin = -Infinity;
  #printed = 0;
  #suppressed = 0;

  constructor(
    name: string,
    print = (...line: unknown[]) => console.error(...line),
    now = () => performance.now(),
  ) {
    this.#name = name;
    this.#print = print;
    this.#now = now;
  }

  /** Prints an error of a handler, or of the function itself. */
  error(error: unknown, setup?: SetupPacket): void {
    if (!this.#mayPrint()) return;
    const about = setup === undefined
      ? `Function "${this.#name}" failed:`
      : `The control handler of function "${this.#name}" failed on ${
        describeRequest(setup)
      }:`;
    this.#print(about, error);
  }

  /** Prints a request that was stalled because no handler answered it. */
  unanswered(setup: SetupPacket, why: string): void {
    const { requestType, request } = setup;
    const kind = requestType << 8 | request;
    if (this.#kinds.has(kind) || this.#kinds.size >= MAX_KINDS) return;
    if (!this.#mayPrint()) return;
    this.#kinds.add(kind);
    this.#print(
      `Function "${this.#name}" stalled ${describeRequest(setup)}: ${why}`,
    );
    if (this.#kinds.size < MAX_KINDS) return;
    this.#print(
      `Function "${this.#name}" prints no more kinds of unanswered requests; "onControl" gets all of them`,
    );
  }

  #mayPrint(): boolean {
    const now = this.#now();
    if (now - this.#begin >= WINDOW_MS) {
      this.#begin = now;
      this.#printed = 0;
    }
    if (this.#printed >= BURST) {
      this.#suppressed++;
      return false;
    }
    this.#printed++;
    if (this.#suppressed > 0) {
      this.#print(
        `Function "${this.#name}" suppressed ${this.#suppressed} messages about control requests`,
      );
      this.#suppressed = 0;
    }
    return true;
  }
}
