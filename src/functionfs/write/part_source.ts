/**
 * Where the parts of a transfer come from: a list, or an async iterable.
 *
 * @module
 */
import { byteLengthOf, bytesProblem, viewOf } from "../../arguments/bytes.ts";

/** What an iterable has thrown: any value, which its write rejects with. */
export class Thrown {
  readonly reason: unknown;

  constructor(reason: unknown) {
    this.reason = reason;
  }
}

/** The write that parts belong to. */
export interface PartsOwner {
  /** A part has come, or the last one had. */
  onPart(): void;
  /** There are no more parts. */
  onPartsFailure(reason: Error | Thrown): void;
}

/** The parts of a transfer in order, without empty ones. */
export interface PartSource {
  /** Bytes of all parts, `Infinity` if that is not known. */
  readonly total: number;
  /** Whether all parts were returned. */
  readonly over: boolean;
  /** Returns a part, if there is one now. */
  next(owner: PartsOwner): Uint8Array | undefined;
  /** No more are wanted. */
  stop(): void;
}

/** Parts that are all there. */
export class PartList implements PartSource {
  readonly total: number;
  readonly #parts: readonly Uint8Array[];
  #index = 0;

  /**
   * Takes the parts as they are now.
   *
   * @throws {TypeError} If one is not a `Uint8Array`, or detached.
   */
  constructor(parts: readonly Uint8Array[], name: string) {
    const views: Uint8Array[] = [];
    let total = 0;
    for (let index = 0; index < parts.length; index++) {
      const problem = bytesProblem(parts[index]);
      if (problem !== undefined) {
        throw new TypeError(
          `Cannot write to endpoint "${name}": part ${index} of the data ${problem}`,
        );
      }
      const view = viewOf(parts[index]);
      total += view.byteLength;
      if (view.byteLength > 0) views.push(view);
    }
    this.#parts = views;
    this.total = total;
  }

  get over(): boolean {
    return this.#index === this.#parts.length;
  }

  next(): Uint8Array | undefined {
    return this.over ? undefined : this.#parts[this.#index++];
  }

  stop(): void {
    this.#index = this.#parts.length;
  }
}

/** Parts that come one by one. Each is asked for when the one before it is used up. */
export class PartStream implements PartSource {
  readonly total = Infinity;
  readonly #name: string;
  readonly #iterator: AsyncIterator<Uint8Array>;
  #arrived: Uint8Array | undefined;
  #asking = false;
  #over = false;

  /** Begins the iteration. */
  constructor(parts: AsyncIterable<Uint8Array>, name: string) {
    this.#name = name;
    this.#iterator = parts[Symbol.asyncIterator]();
  }

  get over(): boolean {
    return this.#over;
  }

  next(owner: PartsOwner): Uint8Array | undefined {
    const part = this.#arrived;
    this.#arrived = undefined;
    if (part === undefined && !this.#asking && !this.#over) this.#ask(owner);
    return part;
  }

  /**
   * Closes the iterator, and does not wait for that: a generator that is being
   * asked closes only after its answer.
   */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    const close = async () => await this.#iterator.return?.();
    close().catch(() => {});
  }

  async #ask(owner: PartsOwner): Promise<void> {
    this.#asking = true;
    try {
      const { done, value } = await this.#iterator.next();
      if (this.#over) return;
      this.#asking = false;
      if (done) this.#over = true;
      else this.#accept(value, owner);
    } catch (error) {
      if (this.#over) return;
      this.#over = true;
      return owner.onPartsFailure(new Thrown(error));
    }
    owner.onPart();
  }

  #accept(part: Uint8Array, owner: PartsOwner): void {
    const problem = bytesProblem(part);
    if (problem === undefined) {
      if (byteLengthOf(part) > 0) this.#arrived = viewOf(part);
      return;
    }
    owner.onPartsFailure(
      new TypeError(
        `Cannot write to endpoint "${this.#name}": a part of the data ${problem}`,
      ),
    );
  }
}
