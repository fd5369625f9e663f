/**
 * Shows a person what is going on, on standard error, so that standard output
 * belongs to the command in the VM.
 *
 * @module
 */

/**
 * Receives what a run is doing, in words.
 *
 * @category Virtual machine
 */
export interface Progress {
  /** A new step begins: "booting Linux 7.3". A long one is worth a line at once. */
  step(text: string, duration?: "long"): void;
  /** How far the step is: "40 %". */
  detail(text: string): void;
  /** The step is over; a line about it stays. */
  done(text: string): void;
  /** Clears the line. */
  clear(): void;
}

/** What a longer piece of work gets: where to show progress, and when to stop. */
export interface Job {
  progress: Progress;
  signal?: AbortSignal;
}

/** Shows nothing. */
export const silent: Progress = {
  step() {},
  detail() {},
  done() {},
  clear() {},
};

/** Shows progress on standard error: one line that changes, or few plain lines. */
export function terminalProgress(): Progress & Disposable {
  return Deno.stderr.isTerminal() ? new LiveProgress() : new PlainProgress();
}

function write(text: string): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
}

/** For a log file: a line when a step begins, if it is a long one, or ends. */
class PlainProgress implements Progress, Disposable {
  /** Seconds after which a step is worth a line. */
  static readonly #PATIENCE = 10;
  #timer?: ReturnType<typeof setTimeout>;

  step(text: string, duration?: "long"): void {
    this.clear();
    if (duration === "long") return write(`vm: ${text}\n`);
    this.#timer = setTimeout(
      () => write(`vm: still ${text}\n`),
      PlainProgress.#PATIENCE * 1000,
    );
  }

  detail(): void {}

  done(text: string): void {
    this.clear();
    write(`vm: ${text}\n`);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}

/** For a terminal: one line with the step and its time. */
class LiveProgress implements Progress, Disposable {
  #text = "";
  #detail = "";
  #start = 0;
  #timer?: ReturnType<typeof setTimeout>;

  step(text: string): void {
    this.clear();
    this.#text = text;
    this.#detail = "";
    this.#start = performance.now();
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), 200);
  }

  detail(text: string): void {
    this.#detail = text;
  }

  done(text: string): void {
    this.clear();
    write(`vm: ${text}\n`);
  }

  clear(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    write("\r\x1b[K");
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  #draw(): void {
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(1);
    const detail = this.#detail === "" ? "" : `, ${this.#detail}`;
    const columns = Deno.consoleSize().columns || 80;
    write(
      `\r\x1b[K${
        `vm: ${this.#text}${detail} (${seconds} s)`.slice(0, columns - 1)
      }`,
    );
  }
}
