// A debug probe with the protocol CMSIS-DAP 2 of Arm, and a simulated chip at its
// end. openocd knows it by the words CMSIS-DAP in the name of its interface:
//
//   openocd -f interface/cmsis-dap.cfg -c 'transport select swd' \
//     -c 'swd newdap chip cpu; dap create chip.dap -chain-position chip.cpu' \
//     -c 'target create chip.mem mem_ap -dap chip.dap -ap-num 0' \
//     -c 'init; chip.dap info; mdw 0x20000000 8; exit'
//
//   sudo deno run --allow-ffi examples/devices/cmsis_dap.ts
import { setTimeout as delay } from "node:timers/promises";
import {
  bulkPair,
  deviceInterfaceGuid,
  Gadget,
  type Session,
  type UsbFunction,
  winUsb,
} from "@usb/gadget";
import { MemoryTarget, type SwdTarget } from "./swd_target.ts";

const interfaces = [{
  class: 0xff,
  description: "Example CMSIS-DAP v2",
  // Hosts expect the OUT endpoint first.
  endpoints: { link: bulkPair({ first: "out" }) },
}] as const;

type ProbeFunction = UsbFunction<"probe", typeof interfaces>;

// Commands
const INFO = 0x00;
const HOST_STATUS = 0x01;
const CONNECT = 0x02;
const DISCONNECT = 0x03;
const TRANSFER_CONFIGURE = 0x04;
const TRANSFER = 0x05;
const TRANSFER_BLOCK = 0x06;
const TRANSFER_ABORT = 0x07;
const WRITE_ABORT = 0x08;
const DELAY = 0x09;
const RESET_TARGET = 0x0a;
const SWJ_PINS = 0x10;
const SWJ_CLOCK = 0x11;
const SWJ_SEQUENCE = 0x12;
const SWD_CONFIGURE = 0x13;
const INVALID = 0xff;

// What a command returns
const OK = 0x00;
const ERROR = 0xff;

// What a chip answers to a transfer
const ACK = 1;
const FAULT = 4;
const NO_ANSWER = 7;
const MISMATCH = 0x10;

// Bits of a transfer; 0x0c is the register
const ACCESS_PORT = 0x01;
const READ = 0x02;
const MATCH_VALUE = 0x10;
const MATCH_MASK = 0x20;

const SWD = 1;
const N_RESET = 0x80;
/** Commands that the host may send before it takes an answer. */
const PACKETS = 4;

/** A probe, which serves itself. */
export class CmsisDap implements ProbeFunction {
  readonly name = "probe";
  readonly interfaces = interfaces;
  readonly microsoftOs = [
    winUsb(),
    // The one that hosts on Windows look for
    deviceInterfaceGuid("{CDB3B5AD-293B-4663-AA36-1AAE46463776}"),
  ];
  readonly serve = (session: Session<ProbeFunction>) => this.#serve(session);
  readonly #target: SwdTarget;
  #packetSize = 0;
  #isConnected = false;
  #pins = N_RESET;
  #matchRetries = 0;
  #matchMask = 0;

  /** @param target What is at the other end. */
  constructor(target: SwdTarget) {
    this.#target = target;
  }

  async #serve({ endpoints: { link } }: Session<ProbeFunction>) {
    this.#isConnected = false;
    const { maxPacketSize } = link.out;
    this.#packetSize = Math.min(maxPacketSize, 512);
    // Each command, and each answer, is one packet.
    const commands = link.transfers({ size: maxPacketSize, depth: PACKETS });
    for await (const command of commands) {
      const answer = await this.#obey(new Packet(command));
      if (answer !== undefined) await link.write(Uint8Array.from(answer));
    }
  }

  /** Executes a command, and returns the answer. */
  async #obey(command: Packet): Promise<number[] | undefined> {
    try {
      const id = command.u8();
      if (id === TRANSFER_ABORT) return undefined; // none is slow
      return [id, ...await this.#execute(id, command)];
    } catch (error) {
      // Unknown, or shorter than it says
      if (error instanceof RangeError) return [INVALID];
      throw error;
    }
  }

  async #execute(id: number, command: Packet): Promise<number[]> {
    switch (id) {
      case INFO:
        return this.#info(command.u8());
      case HOST_STATUS: // two lamps
        return [OK];
      case CONNECT: {
        const port = command.u8() || SWD;
        this.#isConnected = port === SWD;
        return [this.#isConnected ? port : 0];
      }
      case DISCONNECT:
        this.#isConnected = false;
        return [OK];
      case TRANSFER_CONFIGURE:
        command.u8(); // idle cycles
        command.u16(); // retries after WAIT
        this.#matchRetries = command.u16();
        return [OK];
      case TRANSFER:
        return this.#transfer(command);
      case TRANSFER_BLOCK:
        return this.#transferBlock(command);
      case WRITE_ABORT:
        command.u8();
        return [this.#write(0, command.u32()) === ACK ? OK : ERROR];
      case DELAY:
        await delay(command.u16() / 1000);
        return [OK];
      case RESET_TARGET:
        this.#target.reset();
        return [OK, 1];
      case SWJ_PINS: {
        const output = command.u8();
        const select = command.u8();
        this.#pins = this.#pins & ~select | output & select;
        if (!(this.#pins & N_RESET)) this.#target.reset();
        return [this.#pins];
      }
      case SWJ_CLOCK:
        return [command.u32() > 0 ? OK : ERROR];
      case SWJ_SEQUENCE: // chooses SWD, which this chip always has
      case SWD_CONFIGURE:
        return [OK];
      default:
        throw new RangeError(`Command ${id} is unknown`);
    }
  }

  #info(id: number): number[] {
    switch (id) {
      case 0x01:
        return text("Example");
      case 0x02:
        return text("Example CMSIS-DAP");
      case 0x04:
        return text("2.1.0");
      case 0xf0: // SWD only
        return [1, 0x01];
      case 0xfe:
        return [1, PACKETS];
      case 0xff:
        return [2, ...bytes(this.#packetSize).slice(0, 2)];
      default:
        return [0];
    }
  }

  /** Single transfers, up to the first that fails. */
  #transfer(command: Packet): number[] {
    command.u8(); // the device, in a chain
    const count = command.u8();
    const data: number[] = [];
    let [done, ack] = [0, ACK];
    for (; done < count; done++) {
      const request = command.u8();
      if (!(request & READ)) {
        const value = command.u32();
        if (request & MATCH_MASK) this.#matchMask = value;
        else ack = this.#write(request, value);
      } else if (request & MATCH_VALUE) {
        ack = this.#match(request, command.u32());
      } else {
        ack = this.#read(request, data);
      }
      if (ack !== ACK) break;
    }
    return [done, ack, ...data];
  }

  /** Many transfers of one register. */
  #transferBlock(command: Packet): number[] {
    command.u8();
    const count = command.u16();
    const request = command.u8();
    const data: number[] = [];
    let [done, ack] = [0, ACK];
    for (; done < count; done++) {
      ack = request & READ
        ? this.#read(request, data)
        : this.#write(request, command.u32());
      if (ack !== ACK) break;
    }
    return [...bytes(done).slice(0, 2), ack, ...data];
  }

  /** Reads a register until it has a value. */
  #match(request: number, value: number): number {
    for (let tries = 0; tries <= this.#matchRetries; tries++) {
      const data: number[] = [];
      const ack = this.#read(request, data);
      if (ack !== ACK) return ack;
      const read = new Packet(Uint8Array.from(data)).u32();
      if (((read ^ value) & this.#matchMask) === 0) return ACK;
    }
    return ACK | MISMATCH;
  }

  #read(request: number, data: number[]): number {
    if (!this.#isConnected) return NO_ANSWER;
    const value = this.#target.read(portOf(request), request & 0xc);
    if (value === undefined) return FAULT;
    data.push(...bytes(value));
    return ACK;
  }

  #write(request: number, value: number): number {
    if (!this.#isConnected) return NO_ANSWER;
    const isDone = this.#target.write(portOf(request), request & 0xc, value);
    return isDone ? ACK : FAULT;
  }
}

/** What a packet has, one after another. */
class Packet {
  readonly #view: DataView;
  #at = 0;

  constructor({ buffer, byteOffset, byteLength }: Uint8Array) {
    this.#view = new DataView(buffer, byteOffset, byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.#at++);
  }

  u16(): number {
    return this.u8() | this.u8() << 8;
  }

  u32(): number {
    return (this.u16() | this.u16() << 16) >>> 0;
  }
}

function portOf(request: number): "access" | "debug" {
  return request & ACCESS_PORT ? "access" : "debug";
}

function bytes(word: number): number[] {
  return [word & 0xff, word >> 8 & 0xff, word >> 16 & 0xff, word >>> 24];
}

/** Its length, and the text with a zero at its end. */
function text(string: string): number[] {
  const encoded = new TextEncoder().encode(`${string}\0`);
  return [encoded.length, ...encoded];
}

if (import.meta.main) {
  await Gadget.start({
    vendorId: 0x1209,
    productId: 0x0001,
    manufacturer: "Example",
    product: "Example CMSIS-DAP",
    serialNumber: "0001",
    microsoftOs: true,
    functions: [new CmsisDap(new MemoryTarget())],
  });
}
