/**
 * Bulk-Only Transport: commands, their data, and their status.
 *
 * The order of what is queued makes the speed: the status of a command and the
 * read of the next one go to the kernel with the last data of the command, in one
 * turn of the event loop.
 *
 * @module
 */
import type { EndpointPair } from "../../../functionfs/endpoint/pair.ts";
import { SessionEndedError } from "../../../functionfs/session.ts";
import type { Session } from "../../../functionfs/sessions.ts";
import { AbortedTransferError } from "../../../functionfs/transfer/error.ts";
import { PieceMemory } from "../../piece_memory.ts";
import { isPromise } from "../scsi/blocks.ts";
import { type Command, DONE, PartialError, type Run } from "../scsi/command.ts";
import type { Drive } from "../scsi/drive.ts";
import { type Sense, SenseError } from "../scsi/sense.ts";
import { beginCommand } from "../scsi/target.ts";
import { Inbox } from "./inbox.ts";
import {
  type CommandBlockWrapper,
  decodeCbw,
  encodeCsw,
  Status,
  type StatusCode,
} from "./wrappers.ts";

/** Bytes that are moved at once; a multiple of all block and packet sizes. */
const PIECE = 256 * 1024;

/** What ends a command when the host sends a bulk-only reset. */
class ResetError extends Error {}

/** The time between two abandonments, of which each ends a command. */
class Era implements Run {
  #end: { readonly error: unknown } | undefined;

  get abandoned(): boolean {
    return this.#end !== undefined;
  }

  end(error: unknown): void {
    this.#end ??= { error };
  }

  /** Throws if it is over. */
  check(): void {
    if (this.#end !== undefined) throw this.#end.error;
  }
}

/** A session as the transport uses it. */
type TransportSession = Pick<Session, "signal" | "report"> & {
  readonly endpoints: { readonly link: EndpointPair };
};

/** How far the data of a command has come. */
interface Outcome {
  /** Bytes that were sent, or received and used. */
  readonly done: number;
  readonly failure?: Sense;
}

/** Serves logical units over a pair of bulk endpoints. */
export class BulkOnlyTransport {
  readonly #drives: readonly Drive[];
  readonly #stalls: boolean;
  #session: TransportSession | undefined;
  #inbox!: Inbox;
  #era = new Era();
  /** Ends the wait for a block device. */
  #interrupt: (() => void) | undefined;
  /** The call of a block device that the command did not wait for. */
  #left: Promise<void> | undefined;
  /** Ends halts that wait for the host. */
  #halts = new AbortController();
  /** Whether only a reset helps the host (6.6.1). */
  #mustReset = false;
  #resetting: Promise<unknown> | undefined;
  readonly #memory = new PieceMemory(PIECE);

  /** @param stalls Whether the controller can halt endpoints. */
  constructor(drives: readonly Drive[], stalls: boolean) {
    this.#drives = drives;
    this.#stalls = stalls;
  }

  /** Serves a session. Rejects when it ends. */
  async serve(session: TransportSession): Promise<void> {
    this.#session = session;
    this.#mustReset = false;
    const { signal } = session;
    const onEnd = () => this.#abandon(signal.reason);
    signal.addEventListener("abort", onEnd, { once: true });
    try {
      for (;;) await this.#serveUntilFailure(session);
    } finally {
      signal.removeEventListener("abort", onEnd);
      this.#session = undefined;
      for (const drive of this.#drives) drive.endSession();
    }
  }

  /**
   * Ends the command under way. What it has asked of a block device goes on, but
   * has no effect any more, and the unit's next command waits for it. Resolves
   * when no transfer is pending.
   */
  async reset(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    const { link } = session.endpoints;
    this.#abandon(new ResetError());
    this.#mustReset = false;
    const done = link.discard().then(() =>
      // What the controller holds would come before the next status.
      Promise.all([link.in.flush(), link.out.flush()])
    );
    this.#resetting = done.catch(() => {});
    await done;
  }

  #abandon(error: unknown): void {
    this.#era.end(error);
    this.#halts.abort(error);
    this.#interrupt?.();
  }

  async #serveUntilFailure(session: TransportSession): Promise<void> {
    this.#era = new Era();
    this.#halts = new AbortController();
    try {
      session.signal.throwIfAborted();
      if (this.#mustReset) this.#demandReset();
      const { out } = session.endpoints.link;
      this.#inbox = new Inbox(
        (size) => this.#background(this.#link.read(size)),
        out.maxPacketSize,
        PIECE,
      );
      this.#inbox.expectWrapper();
      for (;;) await this.#serveCommand(await this.#inbox.wrapper());
    } catch (error) {
      this.#memory.forget();
      if (error instanceof SessionEndedError) throw error;
      if (
        error instanceof AbortedTransferError || error instanceof ResetError
      ) {
        await this.#resetting;
      } else {
        session.report(error);
        await session.endpoints.link.discard();
        this.#mustReset = true;
      }
    }
  }

  /** The endpoints. Throws if the host has abandoned the command: nothing of it may be queued. */
  get #link(): EndpointPair {
    this.#era.check();
    return this.#session!.endpoints.link;
  }

  /** Marks a promise as handled: the next command fails for the same reason. */
  #background<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => {});
    return promise;
  }

  async #serveCommand(bytes: Uint8Array): Promise<void> {
    this.#era.check();
    const cbw = this.#mustReset ? undefined : decodeCbw(bytes);
    if (cbw === undefined) {
      this.#demandReset();
      return this.#inbox.expectWrapper();
    }
    const drive = this.#drives[cbw.lun] as Drive | undefined;
    if (drive?.busy) {
      await this.#wait(drive.idle()).finally(() => this.#left = undefined);
    }
    if (drive !== undefined) drive.busy = true;
    try {
      await this.#execute(cbw, drive);
    } finally {
      const release = () => {
        if (drive !== undefined) drive.busy = false;
      };
      const left = this.#left;
      this.#left = undefined;
      if (left === undefined) release();
      else left.then(release, release);
    }
  }

  /** Halts both endpoints until the host resets the device. */
  #demandReset(): void {
    this.#mustReset = true;
    this.#halt("in");
    this.#halt("out");
  }

  #halt(direction: "in" | "out"): void {
    const { signal } = this.#halts;
    const session = this.#session!;
    this.#link[direction].halt({ signal }).catch((error) => {
      if (signal.aborted || error instanceof SessionEndedError) return;
      session.report(error);
    });
  }

  async #execute(
    cbw: CommandBlockWrapper,
    drive: Drive | undefined,
  ): Promise<void> {
    let command: Command;
    try {
      command = beginCommand(this.#drives, cbw.lun, cbw.cdb);
    } catch (error) {
      const failure = this.#senseOf(error);
      await this.#endData(cbw, 0);
      return this.#finish(cbw, drive, { done: 0, failure });
    }
    const { byteLength, direction } = command;
    const fits = byteLength === 0 ||
      byteLength <= cbw.length && direction === cbw.direction;
    if (!fits) {
      // Cases 2, 3, 7, 8, 10 and 13 (6.7): nothing is done.
      await this.#endData(cbw, 0);
      return this.#sendStatus(cbw, 0, Status.PHASE_ERROR);
    }
    const isReceived = direction === "out" && byteLength > 0;
    let outcome =
      await (isReceived ? this.#receive(command, cbw) : this.#send(command));
    if (outcome.failure === undefined && command.finish !== undefined) {
      const failure = await this.#step(() => command.finish!(this.#era));
      if (failure !== undefined) outcome = { ...outcome, ...failure };
    }
    if (!isReceived) await this.#endData(cbw, outcome.done);
    this.#finish(cbw, drive, outcome);
  }

  /** Sends the data of a command. */
  async #send(command: Command): Promise<Outcome> {
    const { byteLength } = command;
    let done = 0;
    while (done < byteLength) {
      const memory = await this.#memory.take();
      this.#era.check();
      const piece = memory.bytes.subarray(
        0,
        Math.min(PIECE, byteLength - done),
      );
      const failed = await this.#step(() => command.transfer!(done, piece));
      const good = failed?.good ?? piece.byteLength;
      if (good > 0) {
        memory.inUse = this.#background(
          this.#link.write(piece.subarray(0, good)),
        );
      }
      done += good;
      if (failed !== undefined) return { done, failure: failed.failure };
    }
    return { done };
  }

  /** Receives all data that the host has announced, and uses the command's. */
  async #receive(
    command: Command,
    cbw: CommandBlockWrapper,
  ): Promise<Outcome> {
    const { byteLength } = command;
    const inbox = this.#inbox;
    let used = 0;
    let failure: Sense | undefined;
    inbox.expectData(cbw.length);
    for (let received = 0; received < cbw.length;) {
      const { bytes, endsEarly } = await inbox.data(cbw.length - received);
      this.#era.check();
      const at = received;
      received += bytes.byteLength;
      const part = bytes.subarray(0, Math.max(0, byteLength - at));
      const isCut = endsEarly && received < byteLength;
      if (failure === undefined && part.byteLength > 0 && !isCut) {
        const failed = await this.#step(() => command.transfer!(at, part));
        used += failed?.good ?? part.byteLength;
        failure = failed?.failure;
      }
      if (endsEarly) {
        // Reads for the rest would take the next wrapper.
        await this.#link.out.discard();
        this.#era.check();
        inbox.forget();
        break;
      }
    }
    if (used < byteLength) failure ??= { name: "data phase error" };
    return { done: used, failure };
  }

  /**
   * Ends a data phase in which less was sent, or nothing is wanted. The host's
   * data is received and dropped: to halt its endpoint would be too late for what
   * the standing reads have taken.
   */
  async #endData(cbw: CommandBlockWrapper, sent: number): Promise<void> {
    if (sent === cbw.length) return;
    if (cbw.direction === "out") {
      await this.#receive(DONE, cbw);
      return;
    }
    // A short packet has ended it otherwise.
    if (sent % this.#link.in.maxPacketSize !== 0) return;
    if (this.#stalls) this.#halt("in");
    else this.#background(this.#link.write(new Uint8Array(0)));
  }

  #finish(
    cbw: CommandBlockWrapper,
    drive: Drive | undefined,
    { done, failure }: Outcome,
  ): void {
    this.#era.check();
    if (failure !== undefined && drive !== undefined) drive.sense = failure;
    this.#sendStatus(
      cbw,
      done,
      failure === undefined ? Status.PASSED : Status.FAILED,
    );
  }

  #sendStatus(
    cbw: CommandBlockWrapper,
    done: number,
    status: StatusCode,
  ): void {
    const csw = encodeCsw(cbw.tag, cbw.length - done, status);
    this.#background(this.#link.write(csw));
    this.#inbox.expectWrapper();
  }

  /** Does a step of a command; returns how much of it is good if it fails. */
  async #step(
    work: () => void | Promise<void>,
  ): Promise<{ good: number; failure: Sense } | undefined> {
    try {
      const done = work();
      if (isPromise(done)) await this.#wait(done);
      return undefined;
    } catch (error) {
      this.#era.check();
      return error instanceof PartialError
        ? { good: error.good, failure: this.#senseOf(error.cause) }
        : { good: 0, failure: this.#senseOf(error) };
    }
  }

  #senseOf(error: unknown): Sense {
    if (error instanceof SenseError) {
      return { name: error.sense, lba: error.lba };
    }
    this.#session!.report(error);
    return { name: "internal target failure" };
  }

  /** Waits for a block device, or until the command is abandoned. */
  async #wait(operation: Promise<void>): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#interrupt = () => {
        this.#left = operation;
        resolve();
      };
      operation.then(resolve, reject);
    }).finally(() => this.#interrupt = undefined);
    this.#era.check();
  }
}
