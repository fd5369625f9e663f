/**
 * One operation of the host, from its command until its response is taken.
 *
 * @module
 */
import type { Message } from "../protocol/container.ts";
import type { ResponseError } from "../protocol/response.ts";
import type { DataContainer } from "./incoming.ts";

/** An operation under way. */
export class Transaction {
  readonly command: Message;
  /** Whether the host has taken the response. */
  isDone = false;
  readonly #controller = new AbortController();
  /** The host's data, if the operation has any. */
  readonly #data: PromiseWithResolvers<DataContainer> | undefined;
  #expectsData: boolean;
  /** Ends the wait for the program. */
  #interrupt: (() => void) | undefined;
  readonly #left: Promise<unknown>[] = [];

  /** @param expectsData Whether the host sends data for it. */
  constructor(command: Message, expectsData: boolean) {
    this.command = command;
    this.#expectsData = expectsData;
    if (!expectsData) return;
    this.#data = Promise.withResolvers();
    this.#data.promise.catch(() => {});
  }

  /** Aborted when it is abandoned. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether it waits for data of the host. */
  get expectsData(): boolean {
    return this.#expectsData;
  }

  /** Work that it did not wait for, when it was abandoned. */
  get left(): readonly Promise<unknown>[] {
    return this.#left;
  }

  /** The host's data, when it comes. Rejects if the transaction is abandoned. */
  data(): Promise<DataContainer> {
    return this.#data!.promise;
  }

  /** The data has come. */
  give(data: DataContainer): void {
    this.#expectsData = false;
    this.#data!.resolve(data);
  }

  /** Something else has come in place of the data. */
  refuse(error: ResponseError): void {
    this.#expectsData = false;
    this.#data!.reject(error);
  }

  /** What it has not received of its data is received and dropped. */
  release(): void {
    const hasData = this.#data !== undefined && !this.#expectsData;
    this.#expectsData = false;
    if (hasData) this.#data!.promise.then((data) => data.release(), () => {});
  }

  /** Throws if it is abandoned. */
  check(): void {
    this.signal.throwIfAborted();
  }

  /** Ends it without a response. */
  abandon(reason: unknown): void {
    if (this.signal.aborted) return;
    this.#controller.abort(reason);
    if (this.#expectsData) this.#data!.reject(reason);
    this.#interrupt?.();
  }

  /** Waits for the program, or until the transaction is abandoned: one at a time. */
  async wait<T>(work: T | Promise<T>): Promise<T> {
    if (!(work instanceof Promise)) return work;
    const result = await new Promise<T | undefined>((resolve, reject) => {
      this.#interrupt = () => {
        this.#left.push(work);
        resolve(undefined);
      };
      work.then(resolve, reject);
    }).finally(() => this.#interrupt = undefined);
    this.check();
    return result as T;
  }
}
