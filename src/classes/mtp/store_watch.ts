/**
 * Changes in stores that the host has not made.
 *
 * @module
 */
import { ResponseError } from "./protocol/response.ts";
import type { Device } from "./responder/device.ts";
import type { Storage } from "./responder/storage.ts";

/** Watches one storage: lists folders again that have changed, and reports the differences. */
export class StoreWatch implements Disposable {
  readonly #device: Device;
  readonly #storage: Storage;
  readonly #onError: (error: unknown) => void;
  readonly #watch: Disposable | undefined;
  /** Folders to list; `undefined` for all. */
  readonly #changed = new Set<string | undefined>();
  #isListing = false;
  #isOver = false;

  /** @param onError Called with what the store throws while it is listed. */
  constructor(
    device: Device,
    storage: Storage,
    onError: (error: unknown) => void,
  ) {
    this.#device = device;
    this.#storage = storage;
    this.#onError = onError;
    this.#watch = storage.store.watch?.((folder) => {
      this.#changed.add(folder);
      if (!this.#isListing) this.#list();
    });
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#watch?.[Symbol.dispose]();
  }

  /** Never rejects. */
  async #list(): Promise<void> {
    this.#isListing = true;
    const { objects } = this.#device;
    const { id } = this.#storage;
    // Many changes at once are one listing.
    await new Promise((resolve) => setTimeout(resolve));
    while (this.#changed.size > 0 && !this.#isOver) {
      const all = this.#changed.has(undefined);
      const folders = [...this.#changed] as string[];
      this.#changed.clear();
      const nodes = all
        ? objects.allListed(id)
        : folders.map((path) => objects.listed(id, path));
      for (const node of nodes) {
        if (node === undefined || this.#isOver) continue;
        try {
          await objects.update(node);
        } catch (error) {
          // A folder that is gone is a change of the one that it was in: the store
          // does not have it, or not as a folder, or the table.
          const { code } = error as { code?: unknown };
          const isGone = code === "ENOENT" || code === "ENOTDIR" ||
            error instanceof ResponseError;
          if (!isGone && !this.#isOver) this.#onError(error);
        }
      }
    }
    this.#isListing = false;
  }
}
