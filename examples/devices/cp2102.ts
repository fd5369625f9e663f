// A serial cable with a CP2102 of Silicon Labs (application note AN571), and a
// loopback plug at its other end. Linux: cp210x, /dev/ttyUSB0.
//
//   sudo deno run --allow-ffi examples/devices/cp2102.ts
import {
  type ControlAnswer,
  Gadget,
  type SetupRequest,
  unhandled,
} from "@usb/gadget";
import { loopBack, PARITIES, SerialChip, STOP_BITS } from "./serial_chip.ts";

const IFC_ENABLE = 0x00;
const SET_LINE_CTL = 0x03;
const GET_LINE_CTL = 0x04;
const SET_BREAK = 0x05;
const SET_MHS = 0x07;
const GET_MDMSTS = 0x08;
const GET_COMM_STATUS = 0x10;
const PURGE = 0x12;
const SET_FLOW = 0x13;
const GET_FLOW = 0x14;
const SET_CHARS = 0x19;
const GET_BAUDRATE = 0x1d;
const SET_BAUDRATE = 0x1e;
const VENDOR_SPECIFIC = 0xff;
const GET_PARTNUM = 0x370b;
const CP2102 = 0x02;

/** The chip. */
export class Cp2102 extends SerialChip {
  #flow = new Uint8Array(16);

  protected override async answer(setup: SetupRequest): Promise<ControlAnswer> {
    if (setup.type !== "vendor") return unhandled;
    const { request, value } = setup;
    const line = this.settings;
    switch (request) {
      case IFC_ENABLE:
        return undefined;
      case SET_LINE_CTL:
        line.stopBits = STOP_BITS[value & 0xf] ?? 1;
        line.parity = PARITIES[value >> 4 & 0xf] ?? "none";
        line.dataBits = value >> 8;
        return undefined;
      case GET_LINE_CTL:
        return Uint8Array.of(
          PARITIES.indexOf(line.parity) << 4 | STOP_BITS.indexOf(line.stopBits),
          line.dataBits,
        );
      case SET_BREAK:
        line.breaks = value === 1;
        return undefined;
      case SET_MHS: // the high byte says which lines to set
        if (value & 0x100) line.dtr = (value & 1) !== 0;
        if (value & 0x200) line.rts = (value & 2) !== 0;
        return undefined;
      case GET_MDMSTS: // DTR is connected to DSR and DCD, RTS to CTS
        return Uint8Array.of((line.dtr ? 0xa1 : 0) | (line.rts ? 0x12 : 0));
      case GET_COMM_STATUS: {
        const status = new DataView(new ArrayBuffer(19));
        status.setUint32(12, this.unsent, true);
        return new Uint8Array(status.buffer);
      }
      case PURGE:
        await this.purge((value & 0xa) !== 0, (value & 0x5) !== 0);
        return undefined;
      case SET_FLOW:
        this.#flow = await setup.receive();
        return undefined;
      case GET_FLOW:
        return this.#flow;
      case SET_CHARS:
        return undefined;
      case GET_BAUDRATE: {
        const rate = new DataView(new ArrayBuffer(4));
        rate.setUint32(0, line.baudRate, true);
        return new Uint8Array(rate.buffer);
      }
      case SET_BAUDRATE: {
        const { buffer } = await setup.receive();
        line.baudRate = new DataView(buffer).getUint32(0, true);
        return undefined;
      }
      case VENDOR_SPECIFIC:
        return value === GET_PARTNUM ? Uint8Array.of(CP2102) : unhandled;
      default:
        return unhandled;
    }
  }
}

if (import.meta.main) {
  await Gadget.start({
    vendorId: 0x10c4,
    productId: 0xea60,
    deviceVersion: 0x0100,
    manufacturer: "Silicon Labs",
    product: "CP2102 USB to UART Bridge Controller",
    serialNumber: "0001",
    maxSpeed: "full-speed",
    functions: [new Cp2102(loopBack)],
  });
}
