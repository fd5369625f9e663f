/**
 * What other programs change in directories.
 *
 * @module
 */
import {
  architectureNumbers,
  IN_ATTRIB,
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_DELETE_SELF,
  IN_IGNORED,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_Q_OVERFLOW,
  IN_UNMOUNT,
  O_PATH,
  POLLIN,
} from "../../ffi/abi.ts";
import { close } from "../../ffi/file.ts";
import { type DirectoryEvent, Inotify } from "../../ffi/files/inotify.ts";
import { type Watch, watch } from "../../ffi/reactor.ts";
import { openBelow } from "./descend.ts";
import { isUnfinished } from "./new_file.ts";

/** Called with a folder in which something may have changed; without one, in any. */
export type ChangeListener = (folder?: string) => void;

/** What a change of our own does to a name. */
export interface OwnChange {
  readonly path: string;
  readonly change: "added" | "removed" | "written";
}

/** Milliseconds in which several changes of a folder are one. */
const BURST = 100;

const MASKS: Readonly<Record<OwnChange["change"], number>> = {
  added: IN_CREATE | IN_MOVED_TO,
  removed: IN_DELETE | IN_MOVED_FROM,
  written: IN_CLOSE_WRITE,
};

/**
 * Watches directories of a tree, one by one, as long as there are listeners. Paths
 * are names with slashes between them; `""` is the root.
 */
export class DirectoryWatch {
  readonly #root: string;
  readonly #listeners = new Set<ChangeListener>();
  #inotify: Inotify | undefined;
  #ready: Watch | undefined;
  /** The paths of watches, and the reverse. */
  readonly #paths = new Map<number, string>();
  readonly #watches = new Map<string, number>();
  /** Folders that have changed and were not reported. */
  readonly #changed = new Set<string>();
  /** Whether anything may have changed. */
  #lost = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param root An absolute path without links. */
  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Calls back some 100 ms after changes, once for each folder. The directories are
   * those that {@linkcode add} is called for from now on.
   *
   * @returns Ends it.
   * @throws {Error} EMFILE if the user has too many inotify instances.
   */
  subscribe(changed: ChangeListener): Disposable {
    if (this.#inotify === undefined) {
      const inotify = this.#inotify = new Inotify();
      this.#ready = watch(inotify.fd, POLLIN, () => this.#soon());
    }
    const listener: ChangeListener = (folder) => changed(folder);
    this.#listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        if (!this.#listeners.delete(listener)) return;
        if (this.#listeners.size === 0) this.#end();
      },
    };
  }

  /**
   * Watches a folder, which is not reported on if the user watches too many.
   * Called before it is listed, each time: it may be another one of the same name.
   *
   * @throws {Error} If it cannot be opened.
   */
  add(folder: string): void {
    if (this.#inotify === undefined) return;
    const path = folder === "" ? this.#root : `${this.#root}/${folder}`;
    const call = { action: "watch directory", path };
    const flags = O_PATH | architectureNumbers().O_DIRECTORY;
    const fd = openBelow(this.#root, folder, flags, call);
    try {
      const number = this.#inotify.add(fd, call);
      if (number === this.#watches.get(folder)) return;
      this.forget(folder);
      if (number === undefined) return;
      // It had another path, of which an event is going to tell.
      const other = this.#paths.get(number);
      if (other !== undefined) this.#watches.delete(other);
      this.#paths.set(number, folder);
      this.#watches.set(folder, number);
    } finally {
      close(fd);
    }
  }

  /** Makes changes that are not reported. */
  own<T>(changes: readonly OwnChange[], work: () => T): T {
    if (this.#inotify === undefined) return work();
    this.#take();
    try {
      return work();
    } finally {
      this.#take(changes);
    }
  }

  /** A folder was moved, with all that is in it. Called within {@linkcode own}. */
  follow(from: string, to: string): void {
    for (const [path, number] of this.#within(from)) {
      const now = to + path.slice(from.length);
      this.#watches.delete(path);
      this.#watches.set(now, number);
      this.#paths.set(number, now);
      if (this.#changed.delete(path)) this.#changed.add(now);
    }
  }

  /** A folder was removed. */
  forget(folder: string): void {
    const number = this.#watches.get(folder);
    if (number === undefined) return;
    this.#watches.delete(folder);
    this.#paths.delete(number);
    this.#inotify?.remove(number);
  }

  #within(folder: string): [string, number][] {
    return [...this.#watches].filter(([path]) =>
      path === folder || path.startsWith(`${folder}/`)
    );
  }

  /** There are events, and perhaps more in a moment. */
  #soon(): void {
    this.#ready!.pause();
    this.#timer ??= setTimeout(() => this.#report(), BURST);
  }

  #report(): void {
    this.#take();
    this.#timer = undefined;
    // Folders before those that are in them
    const folders = this.#lost ? [undefined] : [...this.#changed].sort();
    this.#lost = false;
    this.#changed.clear();
    this.#ready!.resume();
    for (const folder of folders) {
      for (const listener of this.#listeners) {
        try {
          listener(folder);
        } catch (error) {
          reportError(error);
        }
      }
    }
  }

  /** @param own Changes since the last call that are not reported. */
  #take(own: readonly OwnChange[] = []): void {
    for (const event of this.#inotify!.take()) this.#note(event, own);
    if (this.#changed.size > 0 || this.#lost) this.#soon();
  }

  #note(event: DirectoryEvent, own: readonly OwnChange[]): void {
    const { mask, name } = event;
    if (mask & IN_Q_OVERFLOW) return this.#startAgain();
    const folder = this.#paths.get(event.watch);
    if (folder === undefined) return;
    const isOwn = (path: string, bits: number) =>
      own.some((it) => it.path === path && (MASKS[it.change] & bits) !== 0);
    if (mask & (IN_DELETE_SELF | IN_IGNORED)) {
      this.#lose(folder);
    } else if (mask & (IN_MOVE_SELF | IN_UNMOUNT)) {
      if (isOwn(folder, IN_MOVED_TO)) return;
      for (const [path] of this.#within(folder)) this.#lose(path);
    } else if (name !== "" && !isUnfinished(name)) {
      const path = folder === "" ? name : `${folder}/${name}`;
      if (isOwn(path, mask)) return;
      // A file without a name, whose time we have set
      const isTime = own.length > 0 && (mask & IN_ATTRIB) !== 0;
      if (isTime && /^#\d+$/.test(name)) return;
      this.#changed.add(folder);
    }
  }

  /** Another folder may have this path now, or none. Who lists it finds out. */
  #lose(folder: string): void {
    this.forget(folder);
    this.#changed.add(folder);
  }

  /** Events were lost, perhaps of moves: no path is certain. */
  #startAgain(): void {
    this.#lost = true;
    let count = 0;
    for (const folder of [...this.#watches.keys()]) {
      this.forget(folder);
      // Each makes an event, and there is not room for many.
      if (++count % 1000 === 0) this.#inotify!.take();
    }
  }

  #end(): void {
    const inotify = this.#inotify!;
    this.#ready!.stop().then(() => inotify.close());
    clearTimeout(this.#timer);
    this.#inotify = this.#ready = this.#timer = undefined;
    this.#lost = false;
    for (const it of [this.#paths, this.#watches, this.#changed]) it.clear();
  }
}
