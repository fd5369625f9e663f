/**
 * Status registers and the error queue (IEEE 488.2, 11; SCPI 1999.0, volume 2,
 * 20.5 and 21.8).
 *
 * @module
 */
import { ScpiError } from "./error.ts";

/** Bits of the standard event status register. */
export const Event = {
  OPERATION_COMPLETE: 0x01,
  QUERY_ERROR: 0x04,
  DEVICE_ERROR: 0x08,
  EXECUTION_ERROR: 0x10,
  COMMAND_ERROR: 0x20,
  POWER_ON: 0x80,
} as const;

/** Bits of the status byte. */
const ERROR_QUEUE = 0x04;
const EVENT_SUMMARY = 0x20;
const MASTER_SUMMARY = 0x40;
/** The bits that the device defines. */
const OWN = 0x8b;

const MAX_ERRORS = 32;

/** The state that the host asks for. */
export class StatusModel {
  /** Called when there is another reason for service. */
  onService: () => void = () => {};
  /** Whether a response waits for the host, as a bit of the status byte. */
  readonly #available: () => number;
  #events: number = Event.POWER_ON;
  #eventEnable = 0;
  #serviceEnable = 0;
  #own = 0;
  #errors: ScpiError[] = [];
  /** The reasons for service that are known. */
  #reasons = 0;

  constructor(available: () => number) {
    this.#available = available;
  }

  /** The status byte without the summary. */
  get byte(): number {
    return this.#own | this.#available() |
      (this.#errors.length > 0 ? ERROR_QUEUE : 0) |
      ((this.#events & this.#eventEnable) !== 0 ? EVENT_SUMMARY : 0);
  }

  /** The status byte with the summary (`*STB?`). */
  get byteWithSummary(): number {
    const isSummary = (this.byte & this.#serviceEnable) !== 0;
    return this.byte | (isSummary ? MASTER_SUMMARY : 0);
  }

  /** The bits of the status byte that the device defines. */
  get own(): number {
    return this.#own;
  }

  set own(bits: number) {
    this.#own = bits & OWN;
    this.update();
  }

  /** `*ESE`. */
  get eventEnable(): number {
    return this.#eventEnable;
  }

  set eventEnable(bits: number) {
    this.#eventEnable = bits;
    this.update();
  }

  /** `*SRE`. */
  get serviceEnable(): number {
    return this.#serviceEnable;
  }

  set serviceEnable(bits: number) {
    this.#serviceEnable = bits & ~MASTER_SUMMARY;
    this.update();
  }

  /** Something has happened: a bit of {@linkcode Event}. */
  record(event: number): void {
    this.#events |= event;
    this.update();
  }

  /** Reads and clears the events (`*ESR?`). */
  takeEvents(): number {
    const events = this.#events;
    this.#events = 0;
    this.update();
    return events;
  }

  /** Adds an error. */
  fail(error: ScpiError): void {
    this.#errors.push(error);
    if (this.#errors.length > MAX_ERRORS) {
      this.#errors.splice(MAX_ERRORS - 1, 2, new ScpiError(-350));
    }
    this.record(eventOf(error.code));
  }

  /** Removes the oldest error. */
  takeError(): ScpiError | undefined {
    const error = this.#errors.shift();
    this.update();
    return error;
  }

  /** The number of errors. */
  get errorCount(): number {
    return this.#errors.length;
  }

  /** `*CLS`. */
  clear(): void {
    this.#events = 0;
    this.#errors = [];
    this.update();
  }

  /** Requests service if there is another reason for it. */
  update(): void {
    const reasons = this.byte & this.#serviceEnable;
    const isNew = (reasons & ~this.#reasons) !== 0;
    this.#reasons = reasons;
    if (isNew) this.onService();
  }
}

function eventOf(code: number): number {
  if (code <= -400 && code > -500) return Event.QUERY_ERROR;
  if (code <= -200 && code > -300) return Event.EXECUTION_ERROR;
  if (code <= -100 && code > -200) return Event.COMMAND_ERROR;
  return Event.DEVICE_ERROR;
}
