/**
 * Commands as a handler receives them.
 *
 * @module
 */
import { ScpiError } from "./error.ts";
import type { Parameter } from "./parser.ts";
import { isForm } from "./pattern.ts";

/**
 * The limits of a number.
 *
 * @category Devices
 */
export interface ScpiRange {
  /** The least; what the host means by `MINimum`. */
  readonly min?: number;
  /** The greatest; what the host means by `MAXimum`. */
  readonly max?: number;
  /** What the host means by `DEFault`, or by sending nothing. */
  readonly default?: number;
}

/**
 * A command that the host has sent. Each method takes the next parameter, and fails
 * with a {@linkcode ScpiError} if it is missing or of another kind; the host finds
 * that error if the handler does not catch it. Parameters that a handler has not
 * taken when it returns are an error for the host, too.
 *
 * @category Devices
 */
export interface ScpiCall {
  /** The header in capitals, such as `":MEAS:VOLT?"`. */
  readonly header: string;
  /** The numeric suffixes: one for each `#` of the pattern, 1 where there is none. */
  readonly suffixes: readonly number[];
  /** The number of parameters that were not taken. */
  readonly remaining: number;
  /** Aborted when the host gives the message up. */
  readonly signal: AbortSignal;
  /**
   * A number, in decimal or as `#H1F`, `#Q17`, `#B101`; without a unit.
   *
   * @throws {ScpiError} -222 if it is out of range.
   */
  number(range?: ScpiRange): number;
  /** `ON`, `OFF` or a number, of which 0 is false. */
  boolean(): boolean;
  /** A string in quotes, or a word; an expression such as `(@1,3)` in full. */
  text(): string;
  /**
   * One of several words, such as `"DC"` or `"EXTernal"`; returns it as given here.
   *
   * @throws {ScpiError} -224 if it is none of them.
   */
  choice<const T extends string>(...names: readonly T[]): T;
  /** A block of bytes. */
  block(): Uint8Array<ArrayBuffer>;
}

/** A command with its parameters. */
export class Call implements ScpiCall {
  readonly header: string;
  readonly suffixes: readonly number[];
  readonly signal: AbortSignal;
  readonly #parameters: readonly Parameter[];
  #next = 0;

  constructor(
    header: string,
    suffixes: readonly number[],
    parameters: readonly Parameter[],
    signal: AbortSignal,
  ) {
    this.header = header;
    this.suffixes = suffixes;
    this.signal = signal;
    this.#parameters = parameters;
  }

  get remaining(): number {
    return this.#parameters.length - this.#next;
  }

  number(range: ScpiRange = {}): number {
    const { min = -Infinity, max = Infinity } = range;
    if (this.remaining === 0 && range.default !== undefined) {
      return range.default;
    }
    const parameter = this.#take();
    if (parameter.kind === "word") {
      const { text } = parameter;
      const named = isForm(text, "MINimum")
        ? range.min
        : isForm(text, "MAXimum")
        ? range.max
        : isForm(text, "DEFault")
        ? range.default
        : undefined;
      if (named !== undefined) return named;
    }
    if (parameter.kind !== "number") throw new ScpiError(-104);
    const { value, suffix } = parameter;
    if (suffix !== "") throw new ScpiError(-138, suffix);
    if (!(value >= min && value <= max)) throw new ScpiError(-222);
    return value;
  }

  boolean(): boolean {
    const parameter = this.#take();
    if (parameter.kind === "number" && parameter.suffix === "") {
      return Math.round(parameter.value) !== 0;
    }
    if (parameter.kind !== "word") throw new ScpiError(-104);
    if (isForm(parameter.text, "ON")) return true;
    if (isForm(parameter.text, "OFF")) return false;
    throw new ScpiError(-224);
  }

  text(): string {
    const parameter = this.#take();
    if (parameter.kind === "string" || parameter.kind === "word") {
      return parameter.text;
    }
    throw new ScpiError(-104);
  }

  choice<const T extends string>(...names: readonly T[]): T {
    const parameter = this.#take();
    if (parameter.kind !== "word") throw new ScpiError(-104);
    const found = names.find((name) => isForm(parameter.text, name));
    if (found === undefined) throw new ScpiError(-224);
    return found;
  }

  block(): Uint8Array<ArrayBuffer> {
    const parameter = this.#take();
    if (parameter.kind !== "block") throw new ScpiError(-104);
    return parameter.bytes;
  }

  #take(): Parameter {
    const parameter = this.#parameters.at(this.#next);
    if (parameter === undefined) throw new ScpiError(-109);
    this.#next++;
    return parameter;
  }
}
