/**
 * A DMABUF has one user at a time: a transfer, or an access of the processor.
 *
 * Two simultaneous IN transfers of one attachment crash Linux 7.3 and older:
 * their fences share a context, and the second fence replaces and frees the
 * first, which its completion then uses. So each DMABUF has one gate,
 * regardless of how many descriptors and objects refer to it.
 *
 * @module
 */

/** A lock on one DMABUF, granted in the order of the requests. */
export class DmabufGate {
  readonly #inode: string;
  #taken = false;
  readonly #waiting: (() => void)[] = [];
  #users = 0;
  /** Accesses in progress. */
  accesses = 0;

  private constructor(inode: string) {
    this.#inode = inode;
  }

  /** The gate of a DMABUF, to be released with {@linkcode close}. */
  static open(inode: string): DmabufGate {
    const gate = gates.get(inode) ?? new DmabufGate(inode);
    gates.set(inode, gate);
    gate.#users++;
    return gate;
  }

  /** Releases the gate from {@linkcode open}. */
  close(): void {
    if (--this.#users === 0) gates.delete(this.#inode);
  }

  /** Requests the gate; calls `admit` at once if it is free. */
  enter(admit: () => void): void {
    if (this.#taken) return void this.#waiting.push(admit);
    this.#taken = true;
    admit();
  }

  /** Withdraws a request for the gate. */
  forget(admit: () => void): void {
    const index = this.#waiting.indexOf(admit);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  /** Passes the gate on to the next in line. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken = false;
    else next();
  }
}

const gates = new Map<string, DmabufGate>();
