/**
 * Jobs from a host, one after another.
 *
 * @module
 */
import { checkOptions, type Rules, SIGNAL } from "../../arguments/rules.ts";
import type { EndpointPair } from "../../functionfs/endpoint/pair.ts";
import { SessionEndedError } from "../../functionfs/session.ts";
import type { Session } from "../../functionfs/sessions.ts";
import { AbortedTransferError } from "../../functionfs/transfer/error.ts";
import type { EndpointOptions } from "../../functionfs/transfer/options.ts";
import type { JobEndFinder } from "./end_mark.ts";
import { Inbox } from "./inbox.ts";
import { Job, PrinterResetError, type PrintJob } from "./job.ts";

/** What the receiver needs of a session. */
export type PrinterSession = Pick<Session, "report" | "signal"> & {
  readonly endpoints: { readonly link: EndpointPair };
};

/** What is done with jobs, and how their ends are found. */
export interface ReceiverOptions {
  readonly print: (job: PrintJob) => unknown;
  readonly idleMs: number;
  readonly endOfJob: (() => JobEndFinder) | undefined;
}

/** Receives jobs over a pair of bulk endpoints, and has them printed. */
export class JobReceiver {
  readonly #options: ReceiverOptions;
  #session: PrinterSession | undefined;
  #inbox!: Inbox;
  #job: Job | undefined;
  #jobs = 0;
  /** Settles when the program is done with the last job. */
  #printing: Promise<void> = Promise.resolve();
  /** Settles when nothing is queued that a reset has dropped. */
  #settling: Promise<unknown> = Promise.resolve();

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** Serves a session. Rejects when it ends. */
  async serve(session: PrinterSession): Promise<void> {
    const { signal } = session;
    const { out } = session.endpoints.link;
    this.#session = session;
    this.#settling = Promise.resolve();
    const onEnd = () => this.#drop(signal.reason);
    this.#inbox = new Inbox(out.readable);
    signal.addEventListener("abort", onEnd, { once: true });
    try {
      for (;;) {
        signal.throwIfAborted();
        await this.#receiveUntilFailure(session);
        await this.#settled();
        signal.throwIfAborted();
        this.#inbox = new Inbox(out.readable);
      }
    } finally {
      signal.removeEventListener("abort", onEnd);
      this.#session = undefined;
    }
  }

  /** Drops the job in progress, and all that is queued in both directions. */
  async reset(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    const { link } = session.endpoints;
    const done = Promise.all([
      this.#settling,
      this.#drop(new PrinterResetError()),
      link.out.discard(),
      // What the controller holds would be read before the next answer.
      link.in.discard().then(() => link.in.flush()),
    ]);
    this.#settling = done.catch(() => {});
    try {
      await done;
    } catch (error) {
      if (!session.signal.aborted) throw error;
    }
  }

  /** Sends data to the host. */
  send(data: Uint8Array, options?: EndpointOptions): Promise<void> {
    if (this.#session === undefined) {
      return Promise.reject(
        new TypeError("Cannot send to the host: no host is connected"),
      );
    }
    return sendTo(this.#session, data, options);
  }

  async #receiveUntilFailure(session: PrinterSession): Promise<void> {
    const inbox = this.#inbox;
    try {
      for (;;) await this.#receiveJob(inbox, session);
    } catch (error) {
      if (error instanceof SessionEndedError) throw error;
      if (error instanceof PrinterResetError) return;
      session.report(error);
      await this.#drop(error as Error);
    }
  }

  async #receiveJob(inbox: Inbox, session: PrinterSession): Promise<void> {
    const first = await inbox.take();
    await inbox.wait(this.#printing);
    inbox.giveBack(first);
    const { idleMs, endOfJob } = this.#options;
    const job = new Job(++this.#jobs, {
      inbox,
      idleMs,
      findEnd: endOfJob?.(),
      send: (data, options) => sendTo(session, data, options),
      report: (error) => session.report(error),
    });
    this.#job = job;
    this.#printing = this.#print(job, session);
    await job.received;
    inbox.check();
  }

  /** Never rejects. */
  async #print(job: Job, session: PrinterSession): Promise<void> {
    try {
      await this.#options.print(job);
    } catch (error) {
      const isCut = error === job.signal.reason ||
        error instanceof SessionEndedError ||
        error instanceof PrinterResetError;
      if (!isCut) session.report(error);
    } finally {
      job.finish();
    }
  }

  async #drop(reason: Error): Promise<void> {
    this.#job?.cut(reason);
    await this.#inbox.close(reason);
  }

  /** Another reset may come meanwhile. */
  async #settled(): Promise<void> {
    for (;;) {
      const settling = this.#settling;
      await settling;
      if (settling === this.#settling) return;
    }
  }
}

const OPTIONS: Rules<EndpointOptions> = { signal: SIGNAL };

async function sendTo(
  { endpoints: { link } }: PrinterSession,
  data: Uint8Array,
  options: EndpointOptions = {},
): Promise<void> {
  checkOptions("send to the host", options, OPTIONS);
  const { signal } = options;
  try {
    await link.in.write(data, { signal, zlp: "auto" });
  } catch (error) {
    const isDropped = error instanceof AbortedTransferError &&
      !signal?.aborted;
    throw isDropped ? new PrinterResetError() : error;
  }
}
