/**
 * What a program changes in a store, for those that watch it.
 *
 * @module
 */

/** Reports changes of folders: those of one turn of the event loop together. */
export class MemoryChanges {
  readonly #listeners = new Set<(folder: string) => void>();
  readonly #folders = new Set<string>();

  /** Calls back with each folder, until that is ended. */
  subscribe(changed: (folder: string) => void): Disposable {
    const listener = (folder: string) => changed(folder);
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Something in a folder has changed. */
  in(folder: string): void {
    if (this.#listeners.size === 0) return;
    if (this.#folders.size === 0) queueMicrotask(() => this.#report());
    this.#folders.add(folder);
  }

  #report(): void {
    const folders = [...this.#folders];
    this.#folders.clear();
    for (const folder of folders) {
      for (const listener of this.#listeners) listener(folder);
    }
  }
}
