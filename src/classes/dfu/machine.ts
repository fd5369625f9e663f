/**
 * The state machine of a memory area in DFU mode (DFU 1.1, A.2).
 *
 * Requests come one at a time. What the area does meanwhile is a piece of work
 * that GETSTATUS asks about: nothing here waits for it, except an upload, for
 * which DFU has no busy state.
 *
 * @module
 */
import { checkBytes } from "../../arguments/bytes.ts";
import {
  type ControlAnswer,
  type SetupRequest,
  Stall,
  unhandled,
} from "../../usb/control.ts";
import type { BlockAction, Blocks } from "./blocks.ts";
import {
  type DfuErrorStatus,
  DfuRequest,
  DfuState,
  encodeStatus,
  nameOf,
} from "./codes.ts";
import { statusOf } from "./dfu_error.ts";
import { AreaWork, type Work } from "./work.ts";

/** What a machine is made from. */
export interface MachineOptions {
  readonly blocks: Blocks;
  /** The most bytes of a block. */
  readonly transferSize: number;
  readonly manifestationTolerant: boolean;
  /** Whether the device leaves by itself when it is not tolerant. */
  readonly willDetach: boolean;
  /** How long the host waits before it asks again. */
  readonly pollTimeoutMs: number;
  /** Gets what the area throws, unless it is a `DfuError`. */
  readonly onError: (error: unknown) => void;
  /** The device waits for nothing but to leave DFU mode. */
  readonly onLeave: () => void;
}

/** Timers of the host and of this process may differ by this much. */
const EARLY_MS = 1;

/** One area, as the host sees it. */
export class DfuMachine {
  readonly #options: MachineOptions;
  #state: DfuState = DfuState.IDLE;
  #status: "OK" | DfuErrorStatus = "OK";
  /** Aborted when the host gives up the current transfer. */
  #transfer = new AbortController();
  readonly #area: AreaWork;
  /** What GETSTATUS asks about. */
  #work: Work | undefined;
  /** Whether the host has to wait once, even if the work is done. */
  #waits = false;
  /** When the host may ask again. */
  #pollAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether the end of the session is awaited. */
  #watching = false;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.#area = new AreaWork(options.onError);
  }

  /** Answers a class request. */
  answer(setup: SetupRequest): ControlAnswer | Promise<ControlAnswer> {
    this.#watch(setup);
    this.#pollTimeout();
    switch (setup.request) {
      case DfuRequest.DNLOAD:
        return this.#download(setup);
      case DfuRequest.UPLOAD:
        return this.#upload(setup);
      case DfuRequest.GETSTATUS:
        return this.#getStatus(setup);
      case DfuRequest.GETSTATE:
        if (this.#isBusy) this.#refuse(setup);
        return Uint8Array.of(this.#state);
      case DfuRequest.CLRSTATUS:
        if (this.#state !== DfuState.ERROR) this.#refuse(setup);
        return this.#toIdle();
      case DfuRequest.ABORT:
        if (!ABORTABLE.includes(this.#state)) this.#refuse(setup);
        return this.#toIdle();
      case DfuRequest.DETACH:
        return this.#refuse(setup);
      default:
        return unhandled;
    }
  }

  /**
   * The host has reset the device, left it, or begun anew. A program that goes on
   * with its transfer all the same must not begin a new one by that.
   */
  #reset(): void {
    const { blocks, manifestationTolerant, onLeave } = this.#options;
    const isManifested = MANIFESTING.includes(this.#state) &&
      this.#work?.done === true && this.#work.failure === undefined;
    const isTransfer = this.#state !== DfuState.IDLE &&
      this.#state !== DfuState.ERROR;
    if (isTransfer && !isManifested) this.#fail("errUSBR");
    else this.#toIdle();
    blocks.reset();
    // Some resets look like a new configuration only: the kernel drops events.
    if (isManifested && !manifestationTolerant) onLeave();
  }

  #watch(setup: SetupRequest): void {
    if (this.#watching) return;
    this.#watching = true;
    setup.onSessionEnd(() => {
      this.#watching = false;
      this.#reset();
    });
  }

  async #download(setup: SetupRequest): Promise<ControlAnswer> {
    const { blocks, transferSize } = this.#options;
    const { length, value: block } = setup;
    const isExpected = this.#state === DfuState.DNLOAD_IDLE ||
      this.#state === DfuState.IDLE && (length > 0 || blocks.endsAnytime);
    if (!isExpected || !blocks.canDownload || length > transferSize) {
      this.#refuse(setup);
    }
    if (length === 0) {
      this.#state = DfuState.MANIFEST_SYNC;
      this.#work = undefined;
      return;
    }
    const { signal } = this.#transfer;
    const data = await setup.receive();
    if (signal.aborted) return;
    this.#state = DfuState.DNLOAD_SYNC;
    this.#begin(blocks.write(block, data));
  }

  async #upload(setup: SetupRequest): Promise<ControlAnswer> {
    const { blocks } = this.#options;
    const { length, value: block } = setup;
    const isExpected = this.#state === DfuState.IDLE ||
      this.#state === DfuState.UPLOAD_IDLE;
    if (!isExpected || !blocks.canUpload || length === 0) this.#refuse(setup);
    const { signal } = this.#transfer;
    let data: Uint8Array;
    try {
      data = await this.#area.run(async () => {
        const read = await blocks.read(block, length, signal);
        checkRead(read, length);
        return read;
      }, signal);
    } catch (error) {
      if (setup.settled || signal.aborted) return;
      this.#fail(statusOf(error, "errUNKNOWN"));
      throw new Stall("The area cannot be read");
    }
    // Fails if the host has given up: it can ask again.
    await setup.reply(data);
    if (signal.aborted) return;
    blocks.sent(data.length);
    if (data.length < length) this.#complete();
    else this.#state = DfuState.UPLOAD_IDLE;
  }

  async #getStatus(setup: SetupRequest): Promise<ControlAnswer> {
    if (this.#isBusy) this.#refuse(setup);
    const isDownload = this.#state === DfuState.DNLOAD_SYNC;
    if (!isDownload && this.#state !== DfuState.MANIFEST_SYNC) {
      return encodeStatus(this.#status, 0, this.#state);
    }
    const { signal } = this.#transfer;
    const work = this.#work ?? this.#begin(this.#options.blocks.manifest());
    // Work of one turn is done before the first answer.
    if (!work.done) await new Promise<void>((resolve) => setImmediate(resolve));
    if (setup.settled || signal.aborted) return;
    if (this.#waits) {
      this.#waits = false;
      return this.#wait(isDownload ? DfuState.DNBUSY : DfuState.MANIFEST);
    }
    if (work.failure !== undefined) this.#fail(work.failure);
    else if (isDownload) {
      if (!work.done) return this.#wait(DfuState.DNBUSY);
      this.#state = DfuState.DNLOAD_IDLE;
    } else {
      const isOver = work.done && this.#options.manifestationTolerant;
      if (!isOver) return this.#wait(DfuState.MANIFEST);
      this.#complete();
    }
    return encodeStatus(this.#status, 0, this.#state);
  }

  /** Begins what GETSTATUS asks about. */
  #begin({ run, fallback, waits }: BlockAction): Work {
    const { signal } = this.#transfer;
    this.#waits = waits;
    this.#work = this.#area.begin(() => run(signal), signal, fallback);
    return this.#work;
  }

  get #isBusy(): boolean {
    return this.#state === DfuState.DNBUSY || this.#state === DfuState.MANIFEST;
  }

  /** Has the host wait for the work, or for the end of the manifestation. */
  #wait(state: DfuState): Uint8Array {
    const { pollTimeoutMs, willDetach, manifestationTolerant, onLeave } =
      this.#options;
    this.#state = state;
    this.#pollAt = performance.now() + pollTimeoutMs;
    if (state === DfuState.MANIFEST && willDetach && !manifestationTolerant) {
      this.#timer = setTimeout(() => {
        this.#pollTimeout();
        if (this.#state === DfuState.MANIFEST_WAIT_RESET) onLeave();
      }, pollTimeoutMs);
    }
    return encodeStatus(this.#status, pollTimeoutMs, state);
  }

  /** Leaves a busy state when its time is over. */
  #pollTimeout(): void {
    if (!this.#isBusy || performance.now() < this.#pollAt - EARLY_MS) return;
    const { done, failure } = this.#work!;
    if (this.#state === DfuState.DNBUSY) this.#state = DfuState.DNLOAD_SYNC;
    else {
      const isOver = done && failure === undefined &&
        !this.#options.manifestationTolerant;
      this.#state = isOver
        ? DfuState.MANIFEST_WAIT_RESET
        : DfuState.MANIFEST_SYNC;
    }
  }

  /** Stalls a request that the state does not allow. */
  #refuse({ request }: SetupRequest): never {
    const reason = `${nameOf(DfuRequest, request)} in state ${
      nameOf(DfuState, this.#state)
    }`;
    const stays = this.#state === DfuState.ERROR ||
      this.#state === DfuState.MANIFEST_WAIT_RESET;
    if (!stays) this.#fail("errSTALLEDPKT");
    throw new Stall(reason);
  }

  #fail(status: DfuErrorStatus): void {
    this.#toIdle();
    this.#state = DfuState.ERROR;
    this.#status = status;
  }

  /** The host gives up what it has begun, if anything. */
  #toIdle(): void {
    this.#transfer.abort(GIVEN_UP);
    this.#complete();
  }

  #complete(): void {
    clearTimeout(this.#timer);
    this.#transfer = new AbortController();
    this.#state = DfuState.IDLE;
    this.#status = "OK";
    this.#work = undefined;
    this.#options.blocks.begin();
  }
}

const ABORTABLE: readonly DfuState[] = [
  DfuState.IDLE,
  DfuState.DNLOAD_SYNC,
  DfuState.DNLOAD_IDLE,
  DfuState.MANIFEST_SYNC,
  DfuState.UPLOAD_IDLE,
];

const MANIFESTING: readonly DfuState[] = [
  DfuState.MANIFEST_SYNC,
  DfuState.MANIFEST,
  DfuState.MANIFEST_WAIT_RESET,
];

const GIVEN_UP = new DOMException("The host has given up", "AbortError");

function checkRead(data: unknown, length: number): void {
  const action = "upload from area";
  checkBytes(action, 'what "read" returns', data);
  if (data.byteLength <= length) return;
  throw new RangeError(
    `Cannot ${action}: "read" must return at most ${length} bytes, has returned ${data.byteLength}`,
  );
}
