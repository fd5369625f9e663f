/**
 * What a gadget types on its host, by libxkbcommon, which desktops use: an
 * independent reading of the layouts, dead keys included.
 *
 * `xkbcli interactive-evdev` reads all keyboards of the machine.
 *
 * @module
 */
import { isSystemError } from "../../../ffi/errno.ts";
import { list, readlinkIfThere } from "../../../ffi/file.ts";
import { Arrivals } from "../waiting/arrivals.ts";
import { until } from "../waiting/until.ts";
import { stopRepeating } from "./input_device.ts";
import { type InputMatch, waitForInputNode } from "./input_nodes.ts";

/** Which keyboard to read, and the names of its layout in XKB. */
export interface XkbOptions extends Omit<InputMatch, "kind"> {
  /** Such as `"de"`. */
  readonly layout: string;
  /** Such as `"nodeadkeys"`. */
  readonly variant?: string;
  /** Such as `"jp106"`. */
  readonly model?: string;
}

/** Reads text from a keyboard. Keys do not repeat. */
export class XkbReader implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #arrivals = new Arrivals();
  readonly #errors: Promise<string>;
  readonly #output: Promise<void>;
  /** Characters that were not taken yet. */
  #text: string[] = [];

  /** Waits until the host has the keyboard, and xkbcli reads it. */
  static async start(options: XkbOptions): Promise<XkbReader> {
    const node = await waitForInputNode({ ...options, kind: "keyboard" });
    stopRepeating(node);
    const reader = new XkbReader(options);
    try {
      await reader.#opens(node.path);
    } catch (error) {
      await reader[Symbol.asyncDispose]();
      throw error;
    }
    return reader;
  }

  /** Use {@linkcode start}. */
  private constructor({ layout, variant, model }: XkbOptions) {
    this.#child = new Deno.Command("stdbuf", {
      args: [
        // Else the output would come in blocks.
        "--output=L",
        "xkbcli",
        "interactive-evdev",
        "--enable-compose",
        `--layout=${layout}`,
        ...(variant === undefined ? [] : [`--variant=${variant}`]),
        ...(model === undefined ? [] : [`--model=${model}`]),
      ],
      // It finds the table of dead keys, and prints UTF-8.
      env: { LC_ALL: "C.UTF-8" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#errors = new Response(this.#child.stderr).text();
    this.#output = this.#pump();
  }

  /** Takes the next characters, as many as asked for: code points of Unicode. */
  async take(count: number): Promise<string> {
    await this.#arrivals.until(
      () => this.#text.length >= count,
      () => `${count} characters are typed: ${this.#quoted()}`,
    );
    return this.#text.splice(0, count).join("");
  }

  /** Takes the text up to a character, which is its last one. */
  async until(end: string): Promise<string> {
    await this.#arrivals.until(
      () => this.#text.includes(end),
      () => `${JSON.stringify(end)} is typed: ${this.#quoted()}`,
    );
    return this.#text.splice(0, this.#text.indexOf(end) + 1).join("");
  }

  /** Takes what has come by now. */
  drain(): string {
    return this.#text.splice(0).join("");
  }

  /** Ends xkbcli. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#arrivals.end(new Error("The reader of the keyboard is closed"));
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      // It has ended.
      if (!(error instanceof TypeError)) throw error;
    }
    await Promise.all([this.#child.status, this.#output, this.#errors]);
  }

  /** Waits until it has opened a file: what comes from then on is not lost. */
  async #opens(path: string): Promise<void> {
    const folder = `/proc/${this.#child.pid}/fd`;
    await until(() => {
      if (this.#arrivals.ended) return true;
      try {
        return list(folder).some(({ name }) =>
          readlinkIfThere(`${folder}/${name}`) === path
        );
      } catch (error) {
        if (isSystemError(error, "ENOENT", "ESRCH", "EACCES")) return false;
        throw error;
      }
    }, `xkbcli reads ${path}`);
    // Throws if it has ended.
    await this.#arrivals.until(
      () => !this.#arrivals.ended,
      () => "xkbcli runs",
    );
  }

  async #pump(): Promise<void> {
    const parser = new XkbcliParser();
    try {
      const chunks = this.#child.stdout.pipeThrough(new TextDecoderStream());
      for await (const chunk of chunks) {
        this.#text.push(...parser.push(chunk));
        this.#arrivals.notify();
      }
      this.#arrivals.end(new Error(`xkbcli has ended: ${await this.#errors}`));
    } catch (error) {
      this.#arrivals.end(error);
    }
  }

  #quoted(): string {
    return JSON.stringify(this.#text.join(""));
  }
}

/**
 * A line for a key that went down. Version 1.5 writes control characters as they
 * are, line feeds included.
 */
const LINE =
  /keysyms \[ (.*?) *\] unicode \[ (.*?) \] layout \[ .*? \] level \[ \d+ \] mods \[ .*?\] leds \[ .*?\] \n/gs;

/** Reads the output of `xkbcli interactive-evdev`, which comes in pieces. */
export class XkbcliParser {
  #rest = "";

  /**
   * Takes a further piece of the output.
   *
   * @returns The characters that were typed: a line feed for Return, nothing for
   * Shift, dead keys, and others without text.
   */
  push(output: string): string[] {
    this.#rest += output;
    const text: string[] = [];
    let end = 0;
    for (const match of this.#rest.matchAll(LINE)) {
      const between = this.#rest.slice(end, match.index);
      if (between !== "") {
        throw new Error(
          `Cannot read the output of xkbcli: ${JSON.stringify(between)}`,
        );
      }
      end = match.index + match[0].length;
      text.push(...textOf(match[1], match[2]));
    }
    this.#rest = this.#rest.slice(end);
    return text;
  }
}

function textOf(keysym: string, unicode: string): string {
  // Since 1.6 a key without text has a blank there, too.
  if (unicode === " ") return /space$/i.test(keysym) ? " " : "";
  // Since 1.6 control characters have a number.
  const control = /^U\+([0-9A-F]{4})$/.exec(unicode)?.[1];
  const text = control === undefined
    ? unicode
    : String.fromCharCode(parseInt(control, 16));
  return text.replaceAll("\r", "\n");
}
