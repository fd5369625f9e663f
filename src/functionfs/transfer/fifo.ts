/**
 * A queue whose first item can be taken without moving the others.
 *
 * `Array.prototype.shift` moves all of them, or makes V8 trim the array: ten
 * times as slow as all else that happens to a transfer in a queue.
 *
 * @module
 */

/** Items in order. */
export class Fifo<T extends object> {
  readonly #items: (T | undefined)[];
  /** Where the first item is; what is before it is free. */
  #head = 0;

  /** Begins with these. */
  constructor(items: readonly T[] = []) {
    this.#items = [...items];
  }

  /** How many items there are. */
  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The item at a place, counted from the first one; if there is any. */
  at(index: number): T | undefined {
    return this.#items[this.#head + index];
  }

  /** Adds an item at the end. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** Adds an item before all others. */
  unshift(item: T): void {
    if (this.#head > 0) this.#items[--this.#head] = item;
    else this.#items.unshift(item);
  }

  /** Takes the first item away. */
  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#items[this.#head++] = undefined;
    if (this.#head === MOST_FREE) {
      this.#items.splice(0, MOST_FREE);
      this.#head = 0;
    }
    return item;
  }

  /** The place of an item, or -1. */
  indexOf(item: T): number {
    // Mostly the first one is asked for.
    if (this.#items[this.#head] === item) return 0;
    const index = this.#items.indexOf(item, this.#head);
    return index < 0 ? -1 : index - this.#head;
  }

  /** Takes the item at a place away. */
  removeAt(index: number): void {
    if (index === 0) this.shift();
    else this.#items.splice(this.#head + index, 1);
  }

  /** Takes an item away, if it is there. */
  remove(item: T): void {
    const index = this.indexOf(item);
    if (index >= 0) this.removeAt(index);
  }

  /** The items from a place on, as an array of their own. */
  slice(from = 0): T[] {
    return this.#items.slice(this.#head + from) as T[];
  }

  /** The items in order. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.slice().values();
  }

  /** Takes the items from a place on away, and returns them. */
  splice(from: number): T[] {
    return this.#items.splice(this.#head + from) as T[];
  }
}

/** Places that are moved away at once. */
const MOST_FREE = 256;
