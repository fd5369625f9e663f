/**
 * Keys going down and up, one action after another.
 *
 * @module
 */
import { type KeyCode, keyUsage } from "./keys.ts";
import { bootReport, nkroReport } from "./reports.ts";
import type { Stroke } from "./typing_table.ts";

/** Where reports go. */
export interface ReportSink {
  /** The protocol that the host has selected. */
  readonly protocol: "boot" | "report";
  /** Sends a report, and resolves when the host has polled it. */
  send(
    report: Uint8Array,
    options?: { readonly signal?: AbortSignal },
  ): Promise<void>;
}

/** How strokes are typed. */
export interface StrokeOptions {
  /** Ends the typing. */
  readonly signal?: AbortSignal;
  /** Milliseconds for which each key stays down, after the host has seen it. */
  readonly holdMs: number;
}

/** One connection of a host. */
interface Connection {
  /** Why it has ended. */
  ended?: { readonly error: unknown };
}

/** The keys that are down, and those who press and release them, in their order. */
export class Typist {
  readonly #sink: ReportSink;
  readonly #held = new Set<KeyCode>();
  /** Settles after the last action; never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  /** What is asked for during a connection is not done in a later one. */
  #connection: Connection = {};
  /** Why the last connection has ended. */
  #lastEnd: unknown;

  constructor(sink: ReportSink) {
    this.#sink = sink;
  }

  /** The keys that are down, in the order in which they went down. */
  get held(): KeyCode[] {
    return [...this.#held];
  }

  /**
   * The host has gone: keys are up, and what has not been done fails. A report
   * that fails may say so first; the same error twice is the same end.
   */
  end(error: unknown): void {
    if (error === this.#lastEnd) return;
    this.#lastEnd = error;
    this.#connection.ended = { error };
    this.#connection = {};
    this.#held.clear();
  }

  /** Presses keys together. */
  press(codes: readonly KeyCode[]): Promise<void> {
    return this.#act(() => this.#change(codes, []));
  }

  /** Releases keys together. */
  release(codes: readonly KeyCode[]): Promise<void> {
    return this.#act(() => this.#change([], codes));
  }

  /** Releases all keys. */
  releaseAll(): Promise<void> {
    return this.#act(() => this.#change([], this.held));
  }

  /** Presses keys one by one, and releases them in reverse. */
  chord(codes: readonly KeyCode[]): Promise<void> {
    return this.#act(async (check) => {
      const pressed = this.#up(codes);
      for (const code of pressed) {
        await this.#change([code], []);
        check();
      }
      for (const code of pressed.reverse()) {
        await this.#change([], [code]);
        check();
      }
    });
  }

  /** Types strokes. Keys that are down already stay down. */
  strokes(
    strokes: readonly Stroke[],
    { signal, holdMs }: StrokeOptions,
  ): Promise<void> {
    return this.#act(async (check) => {
      for (const { keys } of strokes) {
        const pressed = this.#up(keys);
        await this.#change(pressed, [], signal);
        if (holdMs > 0) await pause(holdMs, signal);
        check();
        await this.#change([], pressed, signal);
        check();
      }
    }, signal);
  }

  /** Runs an action after all earlier ones. */
  #act(
    action: (check: () => void) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    const connection = this.#connection;
    const before = this.#last;
    const check = () => {
      if (connection.ended) throw connection.ended.error;
      signal?.throwIfAborted();
    };
    const run = async () => {
      await settled(before, signal);
      check();
      try {
        await action(check);
      } catch (error) {
        if (connection.ended) throw connection.ended.error;
        if (signal?.aborted) this.#drop();
        // A report that cannot be sent: the host has gone.
        else this.end(error);
        throw error;
      }
    };
    const done = run();
    // An action that is aborted early leaves the one before it running.
    this.#last = Promise.allSettled([before, done]);
    return done;
  }

  /** Those of some keys that are not down. */
  #up(codes: readonly KeyCode[]): KeyCode[] {
    return [...new Set(codes)].filter((code) => !this.#held.has(code));
  }

  async #change(
    down: readonly KeyCode[],
    up: readonly KeyCode[],
    signal?: AbortSignal,
  ): Promise<void> {
    for (const code of down) this.#held.add(code);
    for (const code of up) this.#held.delete(code);
    await this.#send(signal);
  }

  /** Releases all keys, without waiting for the host. */
  #drop(): void {
    this.#held.clear();
    // If the host goes before it polls, the keys are up as well.
    this.#send().catch(() => {});
  }

  #send(signal?: AbortSignal): Promise<void> {
    const usages = this.held.map((code) => keyUsage("press keys", code));
    const report = this.#sink.protocol === "boot"
      ? bootReport(usages)
      : nkroReport(usages);
    return this.#sink.send(report, signal === undefined ? {} : { signal });
  }
}

/** Waits for a promise that never rejects, or for a signal. */
async function settled(
  promise: Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** Waits for a time, or for a signal. */
async function pause(
  milliseconds: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  try {
    await settled(promise, signal);
  } finally {
    clearTimeout(timer);
  }
}
