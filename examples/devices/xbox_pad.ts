// A wired controller of an X-Box 360 whose left stick goes round and round, and
// which presses A at the top. Linux: xpad.
//
//   sudo deno run --allow-ffi examples/devices/xbox_pad.ts
import {
  AbortedTransferError,
  type ControlAnswer,
  Gadget,
  type InEndpoint,
  interruptIn,
  interruptOut,
  type OutEndpoint,
  type Session,
  type SetupRequest,
  unhandled,
  type UsbFunction,
} from "@usb/gadget";

const PACKET_SIZE = 32;
const REPORT_SIZE = 20;
// Commands of the host, by their first byte
const RUMBLE = 0;
const LED = 1;
const GET_CAPABILITIES = 0x01;
/** The bits of a report that the pad has. */
const CAPABILITIES = new Uint8Array(REPORT_SIZE).fill(0xff, 2, 14);
CAPABILITIES.set([REPORT_SIZE, 0xff, 0xf7], 1);

/** By the numbers of their bits in a report; one is not in use. */
const BUTTONS = [
  ...["up", "down", "left", "right", "start", "back", "leftStick"],
  ...["rightStick", "leftShoulder", "rightShoulder", "guide", ""],
  ...["a", "b", "x", "y"],
] as const;

/** A button of the pad. */
export type XboxButton = Exclude<typeof BUTTONS[number], "">;

/** What is pressed and moved. */
export interface XboxPadState {
  /** The buttons that are held. */
  readonly buttons: readonly XboxButton[];
  /** The triggers, from 0 (released) to 1. */
  readonly leftTrigger: number;
  readonly rightTrigger: number;
  /** The sticks, from -1 (left, down) to 1. */
  readonly leftX: number;
  readonly leftY: number;
  readonly rightX: number;
  readonly rightY: number;
}

/** What the host makes the pad do. */
export interface XboxPadOptions {
  /** Receives how strongly the heavy motor and the light one turn, from 0 to 1. */
  readonly onRumble?: (heavy: number, light: number) => void;
  /**
   * Receives how the four LEDs shine: 0 is off, 1 is blinking, 2 to 5 is to flash
   * before one of them stays on, 6 to 9 is to turn on one of them.
   */
  readonly onLed?: (pattern: number) => void;
}

const interfaces = [{
  class: 0xff,
  subclass: 0x5d,
  protocol: 0x01,
  endpoints: {
    input: interruptIn({ maxPacketSize: PACKET_SIZE, intervalMs: 4 }),
    output: interruptOut({ maxPacketSize: PACKET_SIZE, intervalMs: 8 }),
  },
}] as const;

/** A function with the endpoints of a pad. */
type PadFunction = UsbFunction<"pad", typeof interfaces>;

/** The pad. Its newest state wins: it replaces one that the host has not polled. */
export class XboxPad implements PadFunction {
  readonly name = "pad";
  readonly interfaces = interfaces;
  readonly speeds = ["full"] as const;
  readonly control = (setup: SetupRequest) => this.#answer(setup);
  readonly serve = (session: Session<PadFunction>) => this.#serve(session);
  readonly #options: XboxPadOptions;
  #state: XboxPadState = {
    buttons: [],
    leftTrigger: 0,
    rightTrigger: 0,
    leftX: 0,
    leftY: 0,
    rightX: 0,
    rightY: 0,
  };
  /** Aborted when the state is no longer the newest. */
  #newest = new AbortController();

  constructor(options: XboxPadOptions = {}) {
    this.#options = options;
  }

  /** Changes the state. What is not given stays as it is. */
  set(changes: Partial<XboxPadState>): void {
    this.#state = { ...this.#state, ...changes };
    this.#newest.abort();
  }

  /** Some pads send nothing before this request, so hosts make it. */
  #answer({ type, request, value }: SetupRequest): ControlAnswer {
    const isKnown = type === "vendor" && request === GET_CAPABILITIES &&
      value === 0x0100;
    return isKnown ? CAPABILITIES : unhandled;
  }

  async #serve({ endpoints }: Session<PadFunction>): Promise<void> {
    const { input, output } = endpoints;
    try {
      await Promise.all([this.#send(input), this.#receive(output)]);
    } finally {
      this.#options.onRumble?.(0, 0);
    }
  }

  async #send(input: InEndpoint): Promise<void> {
    for (;;) {
      const { signal } = this.#newest = new AbortController();
      try {
        await input.write(this.#report(), { signal });
        await aborted(signal);
      } catch (error) {
        if (!(error instanceof AbortedTransferError)) throw error;
      }
    }
  }

  async #receive(output: OutEndpoint): Promise<void> {
    const { onRumble, onLed } = this.#options;
    for (;;) {
      const command = await output.read(PACKET_SIZE);
      if (command[0] === RUMBLE) onRumble?.(command[3] / 255, command[4] / 255);
      if (command[0] === LED) onLed?.(command[2]);
    }
  }

  #report(): Uint8Array {
    const { buttons, ...axes } = this.#state;
    const bits = buttons.map((each) => 1 << BUTTONS.indexOf(each));
    const report = new DataView(new ArrayBuffer(REPORT_SIZE));
    report.setUint8(1, REPORT_SIZE);
    report.setUint16(2, bits.reduce((all, bit) => all | bit, 0), true);
    report.setUint8(4, Math.round(axes.leftTrigger * 0xff));
    report.setUint8(5, Math.round(axes.rightTrigger * 0xff));
    report.setInt16(6, Math.round(axes.leftX * 0x7fff), true);
    report.setInt16(8, Math.round(axes.leftY * 0x7fff), true);
    report.setInt16(10, Math.round(axes.rightX * 0x7fff), true);
    report.setInt16(12, Math.round(axes.rightY * 0x7fff), true);
    return new Uint8Array(report.buffer);
  }
}

/** Waits until a signal is aborted. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

if (import.meta.main) {
  const pad = new XboxPad({
    onRumble: (heavy, light) => console.log(`rumble ${heavy} ${light}`),
    onLed: (pattern) => console.log(`LED ${pattern}`),
  });
  await using _ = await Gadget.start({
    vendorId: 0x045e,
    productId: 0x028e,
    deviceVersion: 0x0114,
    manufacturer: "©Microsoft Corporation",
    product: "Controller",
    serialNumber: "0000001",
    maxSpeed: "full-speed",
    functions: [pad],
  });
  for (let degrees = 0;; degrees = (degrees + 6) % 360) {
    const angle = Math.PI * degrees / 180;
    pad.set({
      leftX: Math.sin(angle),
      leftY: Math.cos(angle),
      buttons: degrees < 60 ? ["a"] : [],
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
