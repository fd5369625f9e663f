/**
 * One job of a printer.
 *
 * @module
 */
import { isWithin } from "../../arguments/rules.ts";
import { show } from "../../arguments/show.ts";
import type { EndpointOptions } from "../../functionfs/transfer/options.ts";
import type { JobEndFinder } from "./end_mark.ts";
import type { Inbox } from "./inbox.ts";

/**
 * The host has reset the printer (SOFT_RESET): the error of the job in progress,
 * and of what was to be sent to the host.
 *
 * @category Devices
 */
export class PrinterResetError extends Error {
  /** The name of the class. */
  override name = "PrinterResetError";

  /** Made for each reset. */
  constructor() {
    super("The host has reset the printer");
  }
}

/**
 * A job that a host prints.
 *
 * @category Devices
 */
export interface PrintJob {
  /** Its number, counted from 1 over all hosts. */
  readonly id: number;
  /**
   * The data, as it comes. What is not read stays with the host, which waits.
   *
   * It closes at the end of the job; {@linkcode PrinterOptions} say how that is
   * found. It fails with {@linkcode PrinterResetError} when the host resets the
   * printer, and with `SessionEndedError` when the host is gone before the end.
   */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * Aborted, with the same error, when {@linkcode readable} fails; and when the
   * host resets the printer while `print` still works on data that is complete.
   */
  readonly signal: AbortSignal;
  /**
   * Sends data to the host of this job; see {@linkcode Printer.send}.
   *
   * @throws {PrinterResetError} If the host resets the printer.
   * @throws {SessionEndedError} If the host is gone.
   */
  send(data: Uint8Array, options?: EndpointOptions): Promise<void>;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** What a job needs of its printer. */
export interface JobContext {
  readonly inbox: Inbox;
  readonly findEnd: JobEndFinder | undefined;
  readonly idleMs: number;
  readonly send: PrintJob["send"];
  readonly report: (error: unknown) => void;
}

/** A job, and the end of it. */
export class Job implements PrintJob {
  readonly id: number;
  readonly readable: ReadableStream<Bytes>;
  readonly #context: JobContext;
  readonly #life = new AbortController();
  readonly #received = Promise.withResolvers<void>();
  #stream!: ReadableStreamDefaultController<Bytes>;
  /** A pull in progress. */
  #pulling: Promise<void> | undefined;
  /** Whether the program gets no more of it. */
  #isDropped = false;
  /** Whether all of it has come, or the rest never will. */
  #isReceived = false;
  #isDone = false;
  #hasBegun = false;

  constructor(id: number, context: JobContext) {
    this.id = id;
    this.#context = context;
    this.readable = new ReadableStream({
      start: (controller) => {
        this.#stream = controller;
      },
      pull: () => this.#pulling = this.#pull(),
      cancel: () => {
        this.#drop();
      },
    }, { highWaterMark: 0 });
  }

  get signal(): AbortSignal {
    return this.#life.signal;
  }

  /** Resolves when all of it has come, or the rest never will. */
  get received(): Promise<void> {
    return this.#received.promise;
  }

  async send(data: Uint8Array, options?: EndpointOptions): Promise<void> {
    this.signal.throwIfAborted();
    await this.#context.send(data, options);
  }

  /** The rest of the job will not come, or the host does not want it printed. */
  cut(reason: Error): void {
    if (this.#isReceived) {
      const isReset = reason instanceof PrinterResetError;
      if (isReset && !this.#isDone) this.#life.abort(reason);
      return;
    }
    if (!this.#isDropped) this.#stream.error(reason);
    this.#isDropped = true;
    this.#end();
    this.#life.abort(reason);
  }

  /** The program is done with it: what it has not read is received and dropped. */
  finish(): void {
    this.#isDone = true;
    if (this.#isReceived || this.#isDropped) return;
    this.#stream.error(
      new TypeError(`Cannot read job ${this.id}: "print" has returned`),
    );
    this.#drop();
  }

  /** Never rejects: its failures are those of {@linkcode cut}. */
  async #pull(): Promise<void> {
    const bytes = await this.#next();
    if (this.#isDropped) return;
    if (bytes !== undefined) this.#stream.enqueue(bytes);
    if (this.#isReceived) this.#stream.close();
  }

  /** The next part, if there is one. */
  async #next(): Promise<Bytes | undefined> {
    const { inbox, idleMs } = this.#context;
    let bytes: Bytes | undefined;
    try {
      bytes = await inbox.takeWithin(idleMs);
    } catch (error) {
      this.cut(error as Error);
      return undefined;
    }
    if (bytes === undefined) {
      this.#end();
      return undefined;
    }
    const end = this.#findEnd(bytes);
    this.#hasBegun = true;
    if (end === undefined) return bytes;
    inbox.giveBack(bytes.subarray(end));
    this.#end();
    return end === 0 ? undefined : bytes.subarray(0, end);
  }

  #findEnd(bytes: Bytes): number | undefined {
    const { findEnd, report } = this.#context;
    try {
      const end = findEnd?.(bytes);
      const least = this.#hasBegun ? 0 : 1;
      if (end === undefined || isWithin(end, least, bytes.byteLength)) {
        return end;
      }
      throw new RangeError(
        `Cannot end job ${this.id}: what "endOfJob" finds must be an integer from ${least} to ${bytes.byteLength}, is ${
          show(end)
        }`,
      );
    } catch (error) {
      report(error);
      this.cut(error as Error);
      return bytes.byteLength;
    }
  }

  async #drop(): Promise<void> {
    this.#isDropped = true;
    await this.#pulling;
    while (!this.#isReceived) await this.#next();
  }

  #end(): void {
    this.#isReceived = true;
    this.#received.resolve();
  }
}
