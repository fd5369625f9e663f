/**
 * Numbered records on a block device, to see which of them outlive a failure.
 *
 * @module
 */
import { Random } from "../data/random.ts";

/** The least that a disk writes at once. */
const UNIT = 512;
const RECORD = 4096;
/** Records between two calls of fsync, at most. */
const BATCH = 8;

/** Writes records in a ring, each with its number in all of its blocks. */
export class RecordWriter {
  readonly #slots: number;
  readonly #random = new Random(1);
  #begun = 0;
  #acknowledged = 0;
  #onAcknowledged = () => {};

  /** @param size The bytes of the device. */
  constructor(size: number) {
    this.#slots = size / RECORD;
  }

  /** The number of the last record that fsync has acknowledged. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Resolves when fsync acknowledges records the next time. */
  nextAcknowledgement(): Promise<void> {
    return new Promise((resolve) => this.#onAcknowledged = resolve);
  }

  /**
   * Writes and syncs, from the last record on that is safe, until the device fails;
   * returns with what.
   */
  async writeUntilFailure(node: string): Promise<unknown> {
    let next = this.#acknowledged + 1;
    try {
      // Closing it would wait for the device, if that were not gone by then.
      using file = await Deno.open(node, { write: true });
      for (;;) {
        for (let left = this.#random.int(1, BATCH); left > 0; left--) {
          const slot = next % this.#slots;
          await file.seek(slot * RECORD, Deno.SeekMode.Start);
          const record = recordOf(next++);
          this.#begun = Math.max(this.#begun, next - 1);
          for (let at = 0; at < RECORD;) {
            at += await file.write(record.subarray(at));
          }
        }
        await file.syncData();
        this.#acknowledged = next - 1;
        this.#onAcknowledged();
      }
    } catch (error) {
      return error; // The device is gone.
    }
  }

  /**
   * Fails unless each slot has the last record that was acknowledged there, or,
   * in some of its blocks, one that was written later.
   */
  check(contents: Uint8Array, when: string): void {
    const view = new DataView(contents.buffer, contents.byteOffset);
    for (let slot = 0; slot < this.#slots; slot++) {
      const least = this.#lastIn(slot, this.#acknowledged);
      const most = this.#lastIn(slot, this.#begun);
      for (let at = slot * RECORD; at < (slot + 1) * RECORD; at += UNIT) {
        const number = view.getUint32(at);
        const isRight = number === view.getUint32(at + UNIT - 4) &&
          least <= number && number <= most &&
          (number === 0 || number % this.#slots === slot);
        if (isRight) continue;
        throw new Error(
          `${when}: slot ${slot} has record ${number} at byte ${
            at % RECORD
          }, not one from ${least} to ${most}`,
        );
      }
    }
  }

  /** The last record up to a number that belongs into a slot; 0 for none. */
  #lastIn(slot: number, last: number): number {
    const distance = (last - slot) % this.#slots;
    const number = last - (distance + this.#slots) % this.#slots;
    return Math.max(number, 0);
  }
}

function recordOf(number: number): Uint8Array {
  const record = new Uint8Array(RECORD);
  const view = new DataView(record.buffer);
  for (let at = 0; at < RECORD; at += 4) view.setUint32(at, number);
  return record;
}
