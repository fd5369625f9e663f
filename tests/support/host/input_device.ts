/**
 * What the host's kernel makes of a gadget's reports: events at evdev.
 *
 * Open the device before the gadget reports anything. usbhid drops what comes in
 * the first 50 ms after a device was opened for the first time, and opening takes
 * that long.
 *
 * @module
 */
import { O_NONBLOCK, O_RDWR, POLLIN } from "../../../ffi/abi.ts";
import { isSystemError } from "../../../ffi/errno.ts";
import { close, ioctl, open, read, write } from "../../../ffi/file.ts";
import { type Watch, watch } from "../../../ffi/reactor.ts";
import { CLOCK_MONOTONIC } from "../machine/clock.ts";
import { Arrivals } from "../waiting/arrivals.ts";
import { codeName, codeNumbers } from "./input_codes.ts";
import {
  decodeInputEvents,
  describeEvents,
  encodeInputEvent,
  INPUT_EVENT_SIZE,
  type InputEvent,
  ReportAssembler,
} from "./input_event.ts";
import {
  type InputMatch,
  type InputNode,
  waitForInputNode,
} from "./input_nodes.ts";

// linux/input.h
export const EVIOCGREP = 0x80084503;
export const EVIOCSREP = 0x40084503;
export const EVIOCGRAB = 0x40044590;
export const EVIOCSCLOCKID = 0x400445a0;
/** EVIOCGABS(0); the next code has the next number. */
export const EVIOCGABS_0 = 0x80184540;
/** EVIOCGKEY(KEY_BYTES) */
export const EVIOCGKEY_96 = 0x80604518;
/** EVIOCGLED(LED_BYTES) */
export const EVIOCGLED_8 = 0x80084519;
const KEY_BYTES = 96;
const LED_BYTES = 8;

/** The range of an axis: `struct input_absinfo`. */
export interface AxisRange {
  readonly value: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly fuzz: number;
  readonly flat: number;
  readonly resolution: number;
}

/** How to open an input device. */
export interface InputDeviceOptions {
  /**
   * Whether no other reader of the host gets the events, such as its console,
   * which sets the LEDs of a keyboard, and restarts the machine at Ctrl+Alt+Del.
   * @default {true}
   */
  readonly grab?: boolean;
}

/**
 * An open event file. Keys do not repeat. The times of events are those of
 * `monotonicNow()` in clock.ts.
 */
export class InputDevice implements AsyncDisposable {
  /** The file, and what it can report. */
  readonly node: InputNode;
  readonly #fd: number;
  readonly #buffer = new Uint8Array(256 * INPUT_EVENT_SIZE);
  readonly #assembler = new ReportAssembler();
  readonly #arrivals = new Arrivals();
  readonly #watch: Watch;
  #reports: InputEvent[][] = [];
  #lost: unknown;

  /** Waits until the host has made the event file, and opens it. */
  static async open(
    match: InputMatch,
    options: InputDeviceOptions = {},
  ): Promise<InputDevice> {
    const node = await waitForInputNode(match);
    stopRepeating(node);
    return new InputDevice(node, options);
  }

  /** Use {@linkcode open}. */
  private constructor(node: InputNode, { grab = true }: InputDeviceOptions) {
    const { path } = node;
    this.node = node;
    this.#fd = open(path, O_RDWR | O_NONBLOCK);
    try {
      const clock = new Uint8Array([CLOCK_MONOTONIC, 0, 0, 0]);
      ioctl(this.#fd, EVIOCSCLOCKID, clock, { path });
      if (grab) ioctl(this.#fd, EVIOCGRAB, 1, { path });
    } catch (error) {
      close(this.#fd);
      throw error;
    }
    this.#watch = watch(this.#fd, POLLIN, () => this.#read());
  }

  /**
   * Takes the next events, as many as asked for.
   *
   * @throws {Error} If an event was lost, or the device is gone.
   */
  async take(count: number): Promise<InputEvent[]> {
    const taken: InputEvent[] = [];
    while (taken.length < count) {
      const report = await this.#first(() =>
        `${count} events have come: ${describeEvents(taken)}`
      );
      taken.push(...report.splice(0, count - taken.length));
      if (report.length === 0) this.#reports.shift();
    }
    return taken;
  }

  /** Takes the next reports: arrays of the events that came at the same time. */
  async takeReports(count: number): Promise<InputEvent[][]> {
    const taken: InputEvent[][] = [];
    while (taken.length < count) {
      await this.#first(() =>
        `${count} reports have come: ${describeEvents(taken.flat())}`
      );
      taken.push(...this.#reports.splice(0, count - taken.length));
    }
    return taken;
  }

  /** Takes events up to the first one that fits, which is the last of the result. */
  async until(fits: (event: InputEvent) => boolean): Promise<InputEvent[]> {
    const taken: InputEvent[] = [];
    for (;;) {
      const report = await this.#first(() =>
        `an event fits: ${describeEvents(taken)}`
      );
      const index = report.findIndex(fits);
      const count = index < 0 ? report.length : index + 1;
      taken.push(...report.splice(0, count));
      if (report.length === 0) this.#reports.shift();
      if (index >= 0) return taken;
    }
  }

  /** Takes everything that has come by now. */
  drain(): InputEvent[] {
    if (!this.#arrivals.ended) this.#read();
    if (this.#lost !== undefined) throw this.#lost;
    return this.#reports.splice(0).flat();
  }

  /** Yields reports until the device is gone. */
  async *[Symbol.asyncIterator](): AsyncGenerator<InputEvent[]> {
    for (;;) {
      await this.#arrivals.until(
        () => this.#reports.length > 0 || this.#arrivals.ended,
        () => "a report comes",
      );
      const report = this.#reports.shift();
      if (report === undefined) {
        if (this.#lost !== undefined) throw this.#lost;
        return;
      }
      yield report;
    }
  }

  /** Reads the range and the value of an axis, such as `"ABS_X"`. */
  axis(name: string): AxisRange {
    const { path } = this.node;
    const bytes = new Uint8Array(24);
    ioctl(this.#fd, EVIOCGABS_0 + codeNumbers(name).code, bytes, { path });
    const [value, minimum, maximum, fuzz, flat, resolution] = new Int32Array(
      bytes.buffer,
    );
    return { value, minimum, maximum, fuzz, flat, resolution };
  }

  /** Returns the keys that are down. */
  pressed(): string[] {
    return this.#bits(EVIOCGKEY_96, KEY_BYTES, "EV_KEY");
  }

  /** Returns the LEDs that are on. */
  leds(): string[] {
    return this.#bits(EVIOCGLED_8, LED_BYTES, "EV_LED");
  }

  /** Sends an event to the device: `send("LED_CAPSL", 1)`. */
  send(name: string, value: number): void {
    for (
      const event of [
        encodeInputEvent(name, value),
        encodeInputEvent("SYN_REPORT", 0),
      ]
    ) write(this.#fd, event, { path: this.node.path });
  }

  /**
   * Closes the file.
   *
   * @throws {Error} If an event was lost.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#arrivals.end(new Error("The input device is closed"));
    await this.#watch.stop();
    close(this.#fd);
    if (this.#lost !== undefined) throw this.#lost;
  }

  /** Waits for a report, and leaves it in its place. */
  async #first(what: () => string): Promise<InputEvent[]> {
    await this.#arrivals.until(() => this.#reports.length > 0, what);
    return this.#reports[0];
  }

  /** Reads what has come. Called again if that is more than the buffer takes. */
  #read(): void {
    try {
      const count = read(this.#fd, this.#buffer, { path: this.node.path });
      const events = decodeInputEvents(this.#buffer.subarray(0, count));
      this.#reports.push(...this.#assembler.push(events));
      this.#arrivals.notify();
    } catch (error) {
      if (isSystemError(error, "EAGAIN")) return;
      // ENODEV: the device is gone. What came before can be taken.
      if (!isSystemError(error)) {
        this.#lost = error;
        this.#reports = [];
      }
      this.#watch.stop();
      this.#arrivals.end(error);
    }
  }

  #bits(request: number, length: number, type: string): string[] {
    const { path } = this.node;
    const bytes = new Uint8Array(length);
    // The kernel takes events that wait for a reader from it when it asks for the
    // state that they lead to.
    const fd = open(path, O_RDWR | O_NONBLOCK);
    try {
      ioctl(fd, request, bytes, { path });
    } finally {
      close(fd);
    }
    return Array.from({ length: 8 * length }, (_, code) => code)
      .filter((code) => bytes[code >> 3] >> (code & 7) & 1)
      .map((code) => codeName(type, code));
  }
}

/**
 * Makes the kernel not repeat keys: a key can be down for long where a machine is
 * slow. For all readers, and until the device is gone.
 */
export function stopRepeating({ path, capabilities }: InputNode): void {
  if (!capabilities.has("EV_REP")) return;
  const fd = open(path, O_RDWR | O_NONBLOCK);
  try {
    // Two ints: the delay of the first repetition, and the period of others.
    const times = new Uint8Array(8);
    ioctl(fd, EVIOCGREP, times, { path });
    if (times.every((byte) => byte === 0)) return;
    ioctl(fd, EVIOCSREP, new Uint8Array(8), { path });
    // A change is an event, which would be part of the next report.
    write(fd, encodeInputEvent("SYN_REPORT", 0), { path });
  } finally {
    close(fd);
  }
}
