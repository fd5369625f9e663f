/**
 * A DMABUF has one user at a time: a transfer, or an access of the processor.
 *
 * Two IN transfers of one attachment at once crash Linux 7.3 and older: their
 * fences share a context, the second one replaces and frees the first, whose
 * completion then uses freed memory. So there is one gate for each DMABUF,
 * however many descriptors and objects stand for it.
 *
 * @module
 */

/** A lock on one DMABUF, granted in the order of the requests. */
export class DmabufGate {
  readonly #inode: string;
  #taken = false;
  readonly #waiting: (() => void)[] = [];
  #users = 0;
  /** Accesses that run at this moment. */
  accesses = 0;

  private constructor(inode: string) {
    this.#inode = inode;
  }

  /** The gate of a DMABUF, to be given back by {@linkcode close}. */
  static open(inode: string): DmabufGate {
    const gate = gates.get(inode) ?? new DmabufGate(inode);
    gates.set(inode, gate);
    gate.#users++;
    return gate;
  }

  /** Gives back what {@linkcode open} has returned. */
  close(): void {
    if (--this.#users === 0) gates.delete(this.#inode);
  }

  /** Asks for the gate; `admit` is called at once if it is free. */
  enter(admit: () => void): void {
    if (this.#taken) return void this.#waiting.push(admit);
    this.#taken = true;
    admit();
  }

  /** Takes a request for the gate back. */
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
