/**
 * The slots of a stream in a row: asked for in order, and read in the same.
 *
 * @module
 */
import { appendAll } from "../transfer/append.ts";
import type { ReadSlot } from "./read_slot.ts";

/** Slots that are with the kernel, or have come and were not read. */
export class ReadSlots {
  readonly #make: () => ReadSlot;
  readonly #row: ReadSlot[] = [];
  readonly #spare: ReadSlot[] = [];
  /** Not for this stream, nor are those behind it. */
  #end: ReadSlot | undefined;

  /** Makes slots by `make` when they are needed. */
  constructor(make: () => ReadSlot) {
    this.#make = make;
  }

  /** How many there are, those that were read up to now not always left out. */
  get length(): number {
    return this.#row.length;
  }

  /** Whether the kernel has any, or any waits for the host. */
  get areUnderWay(): boolean {
    return this.#row.some((slot) => slot.isUnderWay);
  }

  /** Asks with those that are not in use, so that there are `count`. */
  ask(count: number): void {
    this.#dropRead();
    while (this.#row.length < count) {
      const slot = this.#spare.pop() ?? this.#make();
      this.#row.push(slot);
      slot.ask();
    }
  }

  /** Leaves a slot and those behind it, or all, to whoever reads next. */
  endAt(slot: ReadSlot | undefined): void {
    this.#end = slot ?? this.#row[0];
  }

  /** Ends all early. */
  cancel(): void {
    // The last one first: otherwise it could get what is meant for another.
    for (const slot of this.#row.toReversed()) slot.cancel();
  }

  /** Takes out what is left to whoever reads next. */
  takeRest(): Uint8Array<ArrayBuffer>[] {
    const end = this.#end === undefined ? -1 : this.#row.indexOf(this.#end);
    const rest = end < 0 ? [] : this.#row.splice(end);
    this.#dropRead();
    return rest.filter((slot) => !slot.isRead).map((slot) => slot.copy());
  }

  /**
   * Takes what has come: the memory of the first one, if that is well filled,
   * or a copy of what lies in those before the next well filled one.
   */
  collect(): Uint8Array<ArrayBuffer> | undefined {
    let total = 0;
    for (const slot of this.#readable()) {
      if (slot.isWorthLending) {
        if (total === 0) return slot.lend();
        break;
      }
      total += slot.left;
    }
    if (total === 0) return undefined;
    const bytes = new Uint8Array(total);
    this.copyInto(bytes);
    return bytes;
  }

  /** Takes what has come, up to what there is room for; returns how much. */
  copyInto(room: Uint8Array): number {
    let filled = 0;
    for (const slot of this.#readable()) {
      if (filled === room.byteLength) break;
      filled += slot.copyInto(room.subarray(filled));
    }
    this.#dropRead();
    return filled;
  }

  /** Those that have come, from the oldest on. */
  *#readable(): Generator<ReadSlot, void> {
    for (const slot of this.#row) {
      if (slot.isUnderWay || slot === this.#end) return;
      yield slot;
    }
  }

  /** Puts those at the head aside that were read. */
  #dropRead(): void {
    let read = 0;
    while (this.#row[read]?.isRead && this.#row[read] !== this.#end) read++;
    if (read > 0) appendAll(this.#spare, this.#row.splice(0, read));
  }
}
