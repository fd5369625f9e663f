/**
 * Gadgets do not outlive their process.
 *
 * What is still there when the process ends is removed: on SIGINT and SIGTERM,
 * on `Deno.exit`, and on an uncaught error.
 *
 * @module
 */
import { libc } from "../../ffi/libc.ts";

/** Something that must be removed before the process ends. */
export interface Removable {
  /** Removes it in an orderly way. */
  stop(): Promise<void>;
  /** Removes it at once: nothing runs after this turn. */
  stopNow(): void;
}

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;
type Signal = keyof typeof SIGNALS;

const present = new Set<Removable>();
let ending = false;

/** Removes `thing` when the process ends, until the returned function is called. */
export function removeAtExit(thing: Removable): () => void {
  if (present.size === 0) listen();
  present.add(thing);
  return () => {
    if (present.delete(thing) && present.size === 0 && !ending) unlisten();
  };
}

const onSignal: Record<Signal, () => void> = {
  SIGINT: () => end("SIGINT"),
  SIGTERM: () => end("SIGTERM"),
};

function listen(): void {
  for (const signal of Object.keys(SIGNALS) as Signal[]) {
    Deno.addSignalListener(signal, onSignal[signal]);
  }
  globalThis.addEventListener("unload", onUnload);
  globalThis.addEventListener("error", onUncaught);
  globalThis.addEventListener("unhandledrejection", onUncaught);
}

function unlisten(): void {
  for (const signal of Object.keys(SIGNALS) as Signal[]) {
    Deno.removeSignalListener(signal, onSignal[signal]);
  }
  globalThis.removeEventListener("unload", onUnload);
  globalThis.removeEventListener("error", onUncaught);
  globalThis.removeEventListener("unhandledrejection", onUncaught);
}

/** Ends the process by the signal that it got, so that its parent sees that. */
async function end(signal: Signal): Promise<void> {
  const again = ending;
  ending = true;
  if (again) onUnload();
  else await Promise.allSettled([...present].map((thing) => thing.stop()));
  unlisten();
  libc().signal(SIGNALS[signal], null); // SIG_DFL
  libc().raise(SIGNALS[signal]);
}

function onUnload(): void {
  for (const thing of present) {
    try {
      thing.stopNow();
    } catch {
      // The process ends anyhow; the others must be removed too.
    }
  }
  present.clear();
}

let asking = false;

/**
 * An error that nobody handles ends the process right after its event. Only
 * after the last listener is it clear whether somebody does; so those that
 * listen after this one are asked first, by an event of the same content.
 */
function onUncaught(event: ErrorEvent | PromiseRejectionEvent): void {
  if (asking || event.defaultPrevented) return;
  event.stopImmediatePropagation();
  asking = true;
  const handled = !globalThis.dispatchEvent(copyOf(event));
  asking = false;
  if (handled) event.preventDefault();
  else onUnload();
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
