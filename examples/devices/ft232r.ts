// A serial cable with an FT232R of FTDI (as Linux's ftdi_sio and libftdi know
// it), and a loopback plug at its other end. Linux: /dev/ttyUSB0.
//
//   sudo deno run --allow-ffi examples/devices/ft232r.ts
import {
  type ControlAnswer,
  Gadget,
  type SetupRequest,
  unhandled,
} from "@usb/gadget";
import { loopBack, PARITIES, SerialChip, STOP_BITS } from "./serial_chip.ts";

const RESET = 0;
const MODEM_CTRL = 1;
const SET_FLOW_CTRL = 2;
const SET_BAUD_RATE = 3;
const SET_DATA = 4;
const GET_MODEM_STATUS = 5;
const SET_EVENT_CHAR = 6;
const SET_ERROR_CHAR = 7;
const SET_LATENCY_TIMER = 9;
const GET_LATENCY_TIMER = 10;
const READ_EEPROM = 0x90;

/** Bytes of status at the start of each packet. */
const STATUS = 2;
/** Eighths of the divisor, by the three bits that encode them. */
const EIGHTHS = [0, 4, 2, 1, 3, 5, 6, 7];

/** The chip. */
export class Ft232r extends SerialChip {
  #latency = 16;

  protected override async answer(setup: SetupRequest): Promise<ControlAnswer> {
    if (setup.type !== "vendor") return unhandled;
    const { request, value, index } = setup;
    const line = this.settings;
    switch (request) {
      case RESET: // 0: both, 1: from the host, 2: to the host
        await this.purge(value !== 1, value !== 2);
        return undefined;
      case MODEM_CTRL: // the high byte says which lines to set
        if (value & 0x100) line.dtr = (value & 1) !== 0;
        if (value & 0x200) line.rts = (value & 2) !== 0;
        return undefined;
      case SET_FLOW_CTRL:
      case SET_EVENT_CHAR:
      case SET_ERROR_CHAR:
        return undefined;
      case SET_BAUD_RATE: {
        const eighths = EIGHTHS[value >> 14 | (index & 1) << 2];
        const divisor = (value & 0x3fff) + eighths / 8;
        // 0 and 1 stand for 3 and 2 megabaud.
        line.baudRate = divisor < 2
          ? 3_000_000 - divisor * 1_000_000
          : Math.round(3_000_000 / divisor);
        return undefined;
      }
      case SET_DATA:
        line.dataBits = value & 0xff;
        line.parity = PARITIES[value >> 8 & 7] ?? "none";
        line.stopBits = STOP_BITS[value >> 11 & 3] ?? 1;
        line.breaks = (value & 0x4000) !== 0;
        return undefined;
      case GET_MODEM_STATUS:
        return this.#status();
      case SET_LATENCY_TIMER:
        this.#latency = value;
        return undefined;
      case GET_LATENCY_TIMER:
        return Uint8Array.of(this.#latency);
      case READ_EEPROM: // an empty one
        return Uint8Array.of(0xff, 0xff);
      default:
        return unhandled;
    }
  }

  protected override pack(
    bytes: Uint8Array<ArrayBuffer>,
    packetSize: number,
  ): Uint8Array<ArrayBuffer> {
    const room = packetSize - STATUS;
    const packets = Math.ceil(bytes.length / room);
    const packed = new Uint8Array(bytes.length + packets * STATUS);
    for (let packet = 0; packet < packets; packet++) {
      const part = bytes.subarray(packet * room, (packet + 1) * room);
      packed.set(this.#status(), packet * packetSize);
      packed.set(part, packet * packetSize + STATUS);
    }
    return packed;
  }

  /** DTR is connected to DSR and DCD, RTS to CTS. */
  #status(): Uint8Array<ArrayBuffer> {
    const { dtr, rts } = this.settings;
    const isEmpty = this.unsent === 0;
    return Uint8Array.of(
      0x01 | (rts ? 0x10 : 0) | (dtr ? 0xa0 : 0),
      isEmpty ? 0x60 : 0,
    );
  }
}

if (import.meta.main) {
  await Gadget.start({
    vendorId: 0x0403,
    productId: 0x6001,
    deviceVersion: 0x0600,
    manufacturer: "FTDI",
    product: "FT232R USB UART",
    serialNumber: "A0000001",
    maxSpeed: "full-speed",
    functions: [new Ft232r(loopBack)],
  });
}
