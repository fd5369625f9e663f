/**
 * Signals that are about to end the process.
 *
 * The default action of these signals ends the process; a listener of
 * `Deno.addSignalListener` (or Node's `process.on`) takes the place of that
 * action. So does a listener of this package, which must therefore find out
 * whether there is another one:
 *
 * - If there is one in this isolate, the signal is the program's business, and
 *   nothing happens here. Deno has no function that reports listeners, but for
 *   each signal an isolate with listeners has one resource. If it is still
 *   there after our listener was removed, there is another.
 * - Otherwise the work of this package is done, its listeners are removed, and
 *   the signal is raised again. Deno then does the default action, unless
 *   another isolate (a Worker) listens: that one gets the signal a second time,
 *   and what becomes of the process is its decision.
 *
 * This package never resets a signal to its default action.
 *
 * @module
 */
import { endBySignal, isIgnored, whileIgnored } from "../../ffi/signal.ts";

/**
 * Signals whose default action ends the process, with their numbers.
 *
 * Not among them: signals that report a fault of the program itself (SIGABRT,
 * SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP), which must not be delayed;
 * SIGPIPE, which Deno ignores; SIGUSR1, which starts Deno's inspector from half
 * a second after the start of the program; SIGPROF, which profilers use; and
 * SIGIO, SIGPWR and SIGSTKFLT, whose default action Deno cannot do any more
 * once it has listened to them.
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

/** How long the end of the process is waited for, if nothing prevents it. */
const END_MS = 1000;

/**
 * Signals that Deno handles from its first turn on, with or without a listener. It ends
 * the process also where they were ignored before, as by `nohup`.
 */
const HANDLED: readonly EndingSignal[] = ["SIGHUP", "SIGINT", "SIGTERM"];

const listeners = new Map<EndingSignal, () => void>();

/**
 * Calls `work` when a signal ends the process: right before, in the same turn
 * of the event loop. Until {@linkcode unlistenToSignals}, which `work` has to call.
 */
export function listenToSignals(work: () => void): void {
  for (const signal of Object.keys(SIGNALS) as EndingSignal[]) {
    // A shell makes jobs in the background ignore SIGQUIT.
    if (!HANDLED.includes(signal) && isIgnored(SIGNALS[signal])) continue;
    // After all listeners of this signal, and not between two of them.
    const listener = () => queueMicrotask(() => onSignal(signal, work));
    listeners.set(signal, listener);
    Deno.addSignalListener(signal, listener);
  }
}

/** Ends {@linkcode listenToSignals}. */
export function unlistenToSignals(): void {
  for (const [signal, listener] of listeners) {
    Deno.removeSignalListener(signal, listener);
  }
  listeners.clear();
}

function onSignal(signal: EndingSignal, work: () => void): void {
  const listener = listeners.get(signal);
  if (listener === undefined || othersListen(signal, listener)) return;
  work();
  // Nothing of the program runs in between.
  endBySignal(SIGNALS[signal], END_MS);
}

/** Whether this isolate has listeners of a signal beside ours. */
function othersListen(signal: EndingSignal, listener: () => void): boolean {
  const all = countBoundSignals();
  if (all === undefined) return false;
  // Without a listener the signal would end the process at once.
  return whileIgnored(SIGNALS[signal], () => {
    Deno.removeSignalListener(signal, listener);
    const others = countBoundSignals();
    Deno.addSignalListener(signal, listener);
    return others === all;
  });
}

/** What is used of Deno's internals. */
interface Internals {
  readonly core?: { resources?(): Readonly<Record<number, string>> };
}

/**
 * How many signals this isolate listens to; `undefined` with a version of Deno
 * that does not say. Then listeners of this isolate are treated as those of
 * another one.
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
