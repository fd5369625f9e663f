/**
 * Signals that end the process.
 *
 * The default action of these signals ends the process; a listener of
 * `Deno.addSignalListener` (or Node's `process.on`) takes the place of that
 * action. So does a listener of this package, which must therefore find out
 * whether there is another one:
 *
 * - If this isolate has one, the program handles the signal, and this package
 *   does nothing. Deno has no function that reports listeners, but an isolate has
 *   one resource for each signal that it listens to. If the resource remains
 *   after our listener was removed, there is another listener.
 * - Otherwise this package does its work, removes its listeners, and raises the
 *   signal again. Deno then does the default action, unless another isolate (a
 *   Worker) listens: that one gets the signal a second time and decides what
 *   happens to the process.
 *
 * A listener may remove itself when it is called, as one of `process.once` does.
 * If it was added after ours, it is found before that. If it was added before
 * ours, it is gone when ours is called. So if the program listened when this
 * package last looked (when it began to listen, and after each signal), the
 * program is taken to have handled the signal.
 *
 * This package never resets a signal to its default action, and delays another one
 * of its kind during the check.
 *
 * @module
 */
import { endBySignal, isIgnored, whileDelayed } from "../../ffi/signal.ts";

/**
 * Signals whose default action ends the process, with their numbers.
 *
 * This excludes signals that report a fault of the program itself (SIGABRT,
 * SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP), which must not be delayed;
 * SIGPIPE, which Deno ignores; SIGUSR1, which starts Deno's inspector from half
 * a second after the start of the program; SIGPROF, which profilers use; and
 * SIGIO, SIGPWR and SIGSTKFLT, whose default action Deno cannot restore after it has
 * listened to them.
 */
const SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGUSR2: 12,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
} as const;
type EndingSignal = keyof typeof SIGNALS;

/** How long to wait for the end of the process. */
const END_MS = 1000;

/**
 * Signals that Deno handles from its first turn on, with or without a listener:
 * they end the process even where they were ignored, as by `nohup`.
 */
const HANDLED: readonly EndingSignal[] = ["SIGHUP", "SIGINT", "SIGTERM"];

const listeners = new Map<EndingSignal, () => void>();
/** Signals that the program listened to when we last looked. */
const expected = new Set<EndingSignal>();
/** Signals whose listeners are being called. */
const current = new Set<EndingSignal>();

/**
 * Calls `work` right before a signal ends the process, in the same turn of the
 * event loop. `work` must call {@linkcode unlistenToSignals}.
 */
export function listenToSignals(work: () => void): void {
  for (const signal of Object.keys(SIGNALS) as EndingSignal[]) {
    // Shells make background jobs ignore SIGQUIT.
    if (!HANDLED.includes(signal) && isIgnored(SIGNALS[signal])) continue;
    const listener = () => onSignal(signal, work);
    listeners.set(signal, listener);
    const before = countBoundSignals();
    Deno.addSignalListener(signal, listener);
    if (before !== undefined) expect(signal, countBoundSignals() === before);
  }
}

/** Ends {@linkcode listenToSignals}. */
export function unlistenToSignals(): void {
  for (const [signal, listener] of listeners) {
    Deno.removeSignalListener(signal, listener);
  }
  listeners.clear();
  expected.clear();
}

function onSignal(signal: EndingSignal, work: () => void): void {
  // The check moves our listener behind the others: Deno calls it again.
  if (current.has(signal)) return;
  if (!expected.has(signal) && !othersListen(signal)) {
    work();
    // Nothing of the program runs in between.
    endBySignal(SIGNALS[signal], END_MS);
    return;
  }
  current.add(signal);
  queueMicrotask(() => {
    current.delete(signal);
    expect(signal, othersListen(signal));
  });
}

function expect(signal: EndingSignal, othersListen: boolean): void {
  if (othersListen) expected.add(signal);
  else expected.delete(signal);
}

/** Whether this isolate has other listeners of a signal. */
function othersListen(signal: EndingSignal): boolean {
  const listener = listeners.get(signal);
  const all = countBoundSignals();
  if (listener === undefined || all === undefined) return false;
  // Without a listener the signal would end the process at once.
  return whileDelayed(SIGNALS[signal], () => {
    Deno.removeSignalListener(signal, listener);
    const others = countBoundSignals();
    Deno.addSignalListener(signal, listener);
    return others === all;
  });
}

/** The part of Deno's internals that is used. */
interface Internals {
  readonly core?: { resources?(): Readonly<Record<number, string>> };
}

/**
 * How many signals this isolate listens to; `undefined` with a version of Deno
 * that does not report it. Then listeners of this isolate are treated as those
 * of another one.
 */
function countBoundSignals(): number | undefined {
  const { internal } = Deno as unknown as { readonly internal?: symbol };
  if (internal === undefined) return undefined;
  const internals = (Deno as unknown as Record<symbol, Internals | undefined>)[
    internal
  ];
  const resources = internals?.core?.resources?.();
  if (resources === undefined) return undefined;
  return Object.values(resources).filter((name) => name === "signal").length;
}
