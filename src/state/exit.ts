/**
 * Removes gadgets when the process ends: by a signal, by `Deno.exit`, or by an
 * uncaught error.
 *
 * A program may load several copies of this package. They share one set of
 * gadgets, so that no copy takes the listeners of another for the program's.
 *
 * @module
 */
import { lastsAsLongAsProcess } from "../../ffi/isolate.ts";
import { listClaims } from "./claim.ts";
import { listenToSignals, unlistenToSignals } from "./ending_signals.ts";
import { removeGadget } from "./recovery.ts";

/** Something to remove before the process ends. */
export interface Removable {
  /** Removes it in this turn: no other follows. */
  stopNow(): void;
}

/** What the copies of this package in one isolate share. */
interface Presence {
  add(thing: Removable): void;
  delete(thing: Removable): Promise<void>;
}

/**
 * Removes `thing` when the process ends, until the returned function is called.
 * That acts at once; its promise resolves when nothing of it is under way.
 */
export function removeAtExit(thing: Removable): () => Promise<void> {
  const shared = presence();
  shared.add(thing);
  return () => shared.delete(thing);
}

/** The number changes with {@linkcode Presence}. */
const KEY = Symbol.for("@usb/gadget presence 1");

function presence(): Presence {
  const shared = globalThis as { [KEY]?: Presence };
  return shared[KEY] ??= { add, delete: forget };
}

const present = new Set<Removable>();

function add(thing: Removable): void {
  if (present.size === 0) listen();
  present.add(thing);
}

async function forget(thing: Removable): Promise<void> {
  if (!present.delete(thing) || present.size > 0) return;
  unlisten();
  // Each listener has an operation of Deno, which ends in a later turn of the
  // event loop, up to 128 in one. Without this turn, gadgets that come and go
  // leave ever more of them behind, and `deno test` reports a leak.
  await new Promise((resolve) => setTimeout(resolve, 0));
}

function listen(): void {
  listenToSignals(() => {
    removeAll();
    removeOfWorkers(false);
    unlisten();
  });
  globalThis.addEventListener("error", onUncaught);
  globalThis.addEventListener("unhandledrejection", onUncaught);
}

function unlisten(): void {
  unlistenToSignals();
  globalThis.removeEventListener("error", onUncaught);
  globalThis.removeEventListener("unhandledrejection", onUncaught);
}

function removeAll(): void {
  for (const thing of present) {
    try {
      thing.stopNow();
    } catch {
      // The process ends anyway; the others must be removed too.
    }
  }
  present.clear();
}

/** The isolate ends; that of the main thread ends the process. */
function onEnd(): void {
  removeAll();
  removeOfWorkers(true);
}

// Always: the gadgets of the process may be those of Workers.
globalThis.addEventListener("unload", onEnd);

/**
 * Removes what Workers of this process have left behind.
 *
 * @param ends Whether this isolate ends. If it is the main thread's, the Workers
 * end with it.
 */
function removeOfWorkers(ends: boolean): void {
  try {
    if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return;
    for (const { name, pid, owner } of listClaims()) {
      if (pid !== Deno.pid) continue;
      if (owner === "dead" || ends && lastsAsLongAsProcess()) {
        removeGadget(name);
      }
    }
  } catch {
    // Not root, or another process removes it at the same time.
  }
}

let asking = false;

/**
 * An unhandled error ends the process right after its event. Any listener can
 * still handle it, so those after this one run first, on a copy of the event.
 */
function onUncaught(event: ErrorEvent | PromiseRejectionEvent): void {
  if (asking || event.defaultPrevented) return;
  event.stopImmediatePropagation();
  asking = true;
  const handled = !globalThis.dispatchEvent(copyOf(event));
  asking = false;
  if (handled) event.preventDefault();
  else onEnd();
}

function copyOf(
  event: ErrorEvent | PromiseRejectionEvent,
): ErrorEvent | PromiseRejectionEvent {
  if (event instanceof PromiseRejectionEvent) {
    const { type, promise, reason } = event;
    return new PromiseRejectionEvent(type, {
      promise,
      reason,
      cancelable: true,
    });
  }
  const { type, message, filename, lineno, colno, error } = event;
  return new ErrorEvent(type, {
    message,
    filename,
    lineno,
    colno,
    error,
    cancelable: true,
  });
}
