// A HackRF One, a software-defined radio of Great Scott Gadgets, and a carrier
// at 100 MHz in the air around it.
//
//   sudo deno run --allow-ffi examples/devices/hackrf.ts
//   hackrf_transfer -r samples -f 99500000 -s 2000000 -n 4000000 # on the host
//
// The requests are those of firmware 2021.03.1; libhackrf makes no others of a
// device with this version. It expects its endpoints at 0x81 and 0x02, where
// dummy_hcd has them.
import {
  AbortedTransferError,
  bulkPair,
  type ControlAnswer,
  Gadget,
  type Session,
  SessionEndedError,
  type SetupRequest,
  unhandled,
  type UsbFunction,
} from "@usb/gadget";

const SET_TRANSCEIVER_MODE = 1;
const SAMPLE_RATE_SET = 6;
const BASEBAND_FILTER_BANDWIDTH_SET = 7;
const BOARD_ID_READ = 14;
const VERSION_STRING_READ = 15;
const SET_FREQ = 16;
const AMP_ENABLE = 17;
const BOARD_PARTID_SERIALNO_READ = 18;
const SET_LNA_GAIN = 19;
const SET_VGA_GAIN = 20;
const SET_TXVGA_GAIN = 21;
const ANTENNA_ENABLE = 23;
const SET_HW_SYNC_MODE = 29;

const OFF = 0;
const RECEIVE = 1;
const TRANSMIT = 2;

const HACKRF_ONE = 2;
const SERIAL_NUMBER = [0, 0, 0x12345678, 0x9abcdef0];
/** libhackrf ends with as many zeros, which push all samples to the program. */
const FLUSH_SIZE = 32_768;

const interfaces = [{
  class: 0xff,
  subclass: 0xff,
  protocol: 0xff,
  endpoints: { link: bulkPair() },
}] as const;

/** A function with the endpoints of a HackRF. */
type RadioFunction = UsbFunction<"radio", typeof interfaces>;

/** Samples: I and Q in turn, of 8 bits each, signed. */
export type Samples = Uint8Array<ArrayBuffer>;

/** What the host has set. */
export interface Tuning {
  /** Of the center, in Hz. */
  frequency: number;
  /** Samples per second. */
  sampleRate: number;
  /** Of the baseband filter, in Hz. */
  bandwidth: number;
  /** Whether the amplifier of 14 dB is on. */
  amplifier: boolean;
  /** Whether the antenna has power. */
  antennaPower: boolean;
  /** Of the intermediate frequency when receiving, in dB. */
  lnaGain: number;
  /** Of the baseband when receiving, in dB. */
  vgaGain: number;
  /** When transmitting, in dB. */
  txVgaGain: number;
}

/** The air around the antenna. */
export interface Air {
  /** Yields samples until the host stops receiving. The tuning may change. */
  receive(tuning: Readonly<Tuning>): Iterable<Samples> | AsyncIterable<Samples>;
  /** Takes what the host transmits, until it stops. */
  transmit?(
    samples: AsyncIterable<Samples>,
    tuning: Readonly<Tuning>,
  ): Promise<void>;
}

/** The radio. */
export class HackRf implements RadioFunction {
  readonly name = "radio";
  readonly interfaces = interfaces;
  readonly speeds = ["full", "high"] as const;
  // All requests are for the device.
  readonly allControlRecipients = true;
  readonly control = (setup: SetupRequest) => this.#answer(setup);
  readonly serve = (session: Session<RadioFunction>) => {
    this.#session = session;
  };
  readonly #air: Air;
  readonly #tuning: Tuning = {
    frequency: 900_000_000,
    sampleRate: 10_000_000,
    bandwidth: 10_000_000,
    amplifier: false,
    antennaPower: false,
    lnaGain: 0,
    vgaGain: 0,
    txVgaGain: 0,
  };
  #session: Session<RadioFunction> | undefined;

  constructor(air: Air) {
    this.#air = air;
  }

  /** What the host has set. */
  get tuning(): Readonly<Tuning> {
    return this.#tuning;
  }

  async #answer(setup: SetupRequest): Promise<ControlAnswer> {
    if (setup.type !== "vendor") return unhandled;
    const { request, value, index } = setup;
    const tuning = this.#tuning;
    switch (request) {
      case SET_TRANSCEIVER_MODE:
        return await this.#setMode(value);
      case SAMPLE_RATE_SET: {
        const [frequency, divider] = await words(setup);
        tuning.sampleRate = frequency / divider;
        return undefined;
      }
      case BASEBAND_FILTER_BANDWIDTH_SET:
        tuning.bandwidth = index << 16 | value;
        return undefined;
      case BOARD_ID_READ:
        return Uint8Array.of(HACKRF_ONE);
      case VERSION_STRING_READ:
        return new TextEncoder().encode("2021.03.1");
      case SET_FREQ: {
        const [megahertz, hertz] = await words(setup);
        tuning.frequency = megahertz * 1_000_000 + hertz;
        return undefined;
      }
      case AMP_ENABLE:
        tuning.amplifier = value === 1;
        return undefined;
      case BOARD_PARTID_SERIALNO_READ: // the part is an LPC4320
        return new Uint8Array(
          Uint32Array.of(0xa000cb3c, 0x004f4f61, ...SERIAL_NUMBER).buffer,
        );
      case SET_LNA_GAIN: // a gain is confirmed
        tuning.lnaGain = index;
        return Uint8Array.of(1);
      case SET_VGA_GAIN:
        tuning.vgaGain = index;
        return Uint8Array.of(1);
      case SET_TXVGA_GAIN:
        tuning.txVgaGain = index;
        return Uint8Array.of(1);
      case ANTENNA_ENABLE:
        tuning.antennaPower = value === 1;
        return undefined;
      case SET_HW_SYNC_MODE: // for several radios with one trigger
        return value === 0 ? undefined : unhandled;
      default:
        return unhandled;
    }
  }

  /** Begins with new samples. What an earlier mode has left goes nowhere. */
  async #setMode(mode: number): Promise<ControlAnswer> {
    const session = this.#session!;
    const { link } = session.endpoints;
    await link.discard();
    await link.in.flush();
    const fail = (error: unknown) => {
      if (error instanceof AbortedTransferError) return; // another mode
      if (error instanceof SessionEndedError) return;
      session.report(error);
    };
    if (mode === RECEIVE) {
      // One transfer that never ends
      link.in.write(inTime(this.#air, this.#tuning)).catch(fail);
    } else if (mode === TRANSMIT && this.#air.transmit) {
      const samples = link.out.transfers({ size: FLUSH_SIZE });
      this.#air.transmit(samples, this.#tuning).catch(fail);
    } else if (mode !== OFF) {
      return unhandled;
    }
  }
}

/** Two numbers of 32 bits, which the host sends. */
async function words(setup: SetupRequest): Promise<[number, number]> {
  const data = new DataView((await setup.receive()).buffer);
  return [data.getUint32(0, true), data.getUint32(4, true)];
}

/** Samples at their rate, or later where the host is slower: none is lost. */
async function* inTime(air: Air, tuning: Readonly<Tuning>) {
  let due = performance.now();
  for await (const samples of air.receive(tuning)) {
    due += 1000 * samples.length / 2 / tuning.sampleRate;
    const early = due - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    yield samples;
  }
}

const BLOCK_SAMPLES = 32_768;
const AMPLITUDE = 100;

/** A carrier in air that is silent otherwise. */
export function carrier(frequency: number): Air {
  return {
    *receive(tuning) {
      for (;;) {
        const { frequency: center, sampleRate } = tuning;
        const block = tone((frequency - center) / sampleRate);
        while (
          tuning.frequency === center && tuning.sampleRate === sampleRate
        ) yield block;
      }
    },
  };
}

/** Whole turns of a tone, so that blocks of it fit together. */
function tone(turnsPerSample: number): Samples {
  const turns = Math.round(turnsPerSample * BLOCK_SAMPLES);
  const samples = new Int8Array(2 * BLOCK_SAMPLES);
  if (Math.abs(turnsPerSample) < 0.5) {
    for (let index = 0; index < BLOCK_SAMPLES; index++) {
      const angle = 2 * Math.PI * turns * index / BLOCK_SAMPLES;
      samples[2 * index] = Math.round(AMPLITUDE * Math.cos(angle));
      samples[2 * index + 1] = Math.round(AMPLITUDE * Math.sin(angle));
    }
  }
  return new Uint8Array(samples.buffer);
}

if (import.meta.main) {
  await Gadget.start({
    vendorId: 0x1d50,
    productId: 0x6089,
    deviceVersion: 0x0104,
    manufacturer: "Great Scott Gadgets",
    product: "HackRF One",
    serialNumber: SERIAL_NUMBER.map((word) =>
      word.toString(16).padStart(8, "0")
    )
      .join(""),
    maxSpeed: "high-speed",
    functions: [new HackRf(carrier(100_000_000))],
  });
}
