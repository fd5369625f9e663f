/**
 * A logical unit: its medium, and what it has to report to the host.
 *
 * @module
 */
import type { BlockDevice } from "../block_device/block_device.ts";
import { NO_SENSE, type Sense, SenseError, type SenseName } from "./sense.ts";

/** What INQUIRY returns. */
export interface Identity {
  readonly type: "disk" | "cdrom";
  readonly removable: boolean;
  readonly vendor: string;
  readonly product: string;
  readonly revision: string;
  readonly serialNumber: string;
}

/** The state of a logical unit. */
export class Drive {
  readonly identity: Identity;
  /** What the last command has left for REQUEST SENSE. */
  sense: Sense = NO_SENSE;
  /** What GET EVENT STATUS NOTIFICATION reports next. */
  mediaEvent: "none" | "new" | "removed" = "none";
  #medium: BlockDevice | undefined;
  #removals = 0;
  #attention: SenseName | undefined;
  #locked = false;
  #busy = false;
  /** Programs that wait for the medium. */
  #waiting = 0;
  readonly #onRelease = new Set<() => void>();
  readonly #onEject: ((medium: BlockDevice) => void) | undefined;

  constructor(
    identity: Identity,
    medium?: BlockDevice,
    onEject?: (medium: BlockDevice) => void,
  ) {
    this.identity = identity;
    this.#medium = medium;
    this.#onEject = onEject;
  }

  /** The medium in the drive. */
  get medium(): BlockDevice | undefined {
    return this.#medium;
  }

  /** The medium that a command needs. */
  requireMedium(): BlockDevice {
    if (this.#medium === undefined) throw new SenseError("medium not present");
    return this.#medium;
  }

  /** How often a medium was taken out: a command that sees it change has lost its own. */
  get removals(): number {
    return this.#removals;
  }

  /** Whether the host keeps the medium in the drive. */
  get locked(): boolean {
    return this.#locked;
  }

  set locked(locked: boolean) {
    this.#locked = locked;
    if (!locked) this.#release();
  }

  /**
   * Resolves when the host unlocks the drive, or a command ends. Until then, the
   * host can see that the program wants the medium.
   */
  async released(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#waiting++;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => reject(signal?.reason);
    signal?.addEventListener("abort", abort);
    this.#onRelease.add(resolve);
    try {
      await promise;
    } finally {
      this.#waiting--;
      this.#onRelease.delete(resolve);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Whether the program waits for the medium. */
  get ejectRequested(): boolean {
    return this.#waiting > 0;
  }

  /** Puts a medium in; the host is notified by its next command. */
  insert(medium: BlockDevice): void {
    this.#medium = medium;
    this.#attention = "not ready to ready change, medium may have changed";
    this.mediaEvent = "new";
  }

  /** Takes the medium out. */
  remove(): void {
    this.#medium = undefined;
    this.#removals++;
    this.#attention = undefined;
    this.mediaEvent = "removed";
    this.locked = false;
  }

  /** The host ejects the medium. */
  eject(): void {
    const medium = this.#medium;
    if (medium === undefined) return;
    if (this.#locked) throw new SenseError("medium removal prevented");
    this.remove();
    this.#onEject?.(medium);
  }

  /** A condition that the host has to see first, once. */
  takeAttention(): SenseName | undefined {
    const attention = this.#attention;
    this.#attention = undefined;
    return attention;
  }

  /** Whether a command uses the medium, perhaps one that the host has given up. */
  get busy(): boolean {
    return this.#busy;
  }

  set busy(busy: boolean) {
    this.#busy = busy;
    if (!busy) this.#release();
  }

  /** Resolves when no command uses the medium. */
  async idle(): Promise<void> {
    while (this.#busy) {
      await new Promise<void>((resolve) => this.#onRelease.add(resolve));
    }
  }

  /** The host has gone: what it asked for is no longer in force. */
  endSession(): void {
    this.locked = false;
    this.sense = NO_SENSE;
  }

  #release(): void {
    const all = [...this.#onRelease];
    this.#onRelease.clear();
    for (const resolve of all) resolve();
  }
}
