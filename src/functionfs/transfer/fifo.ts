/**
 * Lists of any length.
 *
 * @module
 */

/** Free places that are removed at once. */
const MAX_FREE = 256;

/**
 * A queue whose first item can be removed without moving the others, as
 * `Array.prototype.shift` does: that takes ten times as long as everything else
 * that happens to a queued request.
 */
export class Fifo<T extends object> {
  readonly #items: (T | undefined)[];
  /** Index of the first item; places before it are free. */
  #head = 0;

  /** Starts with these items. */
  constructor(items: readonly T[] = []) {
    this.#items = [...items];
  }

  /** The number of items. */
  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The item at an index, counted from the first one. */
  at(index: number): T | undefined {
    return this.#items[this.#head + index];
  }

  /** Appends an item. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** Prepends an item. */
  unshift(item: T): void {
    if (this.#head > 0) this.#items[--this.#head] = item;
    else this.#items.unshift(item);
  }

  /** Removes and returns the first item. */
  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#items[this.#head++] = undefined;
    if (this.#head === MAX_FREE) {
      this.#items.splice(0, MAX_FREE);
      this.#head = 0;
    }
    return item;
  }

  /** The index of an item, or -1. */
  indexOf(item: T): number {
    // It is usually the first one.
    if (this.#items[this.#head] === item) return 0;
    const index = this.#items.indexOf(item, this.#head);
    return index < 0 ? -1 : index - this.#head;
  }

  /** Removes the item at an index. */
  removeAt(index: number): void {
    if (index === 0) this.shift();
    else this.#items.splice(this.#head + index, 1);
  }

  /** Removes an item, if it is in the queue. */
  remove(item: T): void {
    const index = this.indexOf(item);
    if (index >= 0) this.removeAt(index);
  }

  /** Copies the items from an index on. */
  slice(from = 0): T[] {
    return this.#items.slice(this.#head + from) as T[];
  }

  /** The items in order. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.slice().values();
  }

  /** Removes and returns the items from an index on. */
  splice(from: number): T[] {
    return this.#items.splice(this.#head + from) as T[];
  }
}

/**
 * Appends items to an array. A spread into `push` would pass each as an
 * argument on the stack, which has room for some 125,000.
 */
export function appendAll<T>(array: T[], items: readonly T[]): void {
  for (const item of items) array.push(item);
}

/** Prepends items to an array. */
export function prependAll<T>(array: T[], items: readonly T[]): void {
  if (items.length === 0) return;
  const rest = array.splice(0);
  appendAll(array, items);
  appendAll(array, rest);
}
