/**
 * A host of card readers that does everything: messages with any fields, commands
 * that it abandons or aborts, and messages that lie.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { ControlHandler } from "@usb/gadget";
import type { CardReader } from "@usb/gadget/ccid";
import { type FakeSession, fakeSetup } from "@usb/gadget/testing";
import {
  CommandStatus,
  CommandType,
  HEADER_SIZE,
} from "../../../src/classes/ccid/messages.ts";
import type { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";
import type { TransferOptions } from "../../../src/testing/usbfs/transfer.ts";
import { type ClassPipe, fakePipe, usbfsPipe } from "./class_pipe.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** ABORT, of a class, to an interface. */
const ABORT = 1;
const REQUEST_OUT = 0x21;

/** The transfers of a host, on a bus or in memory. */
export interface CcidPipe extends ClassPipe {
  /** Fails if the device stalls it. */
  controlOut(request: number, value: number): Promise<unknown>;
}

/** The pipe of a real device, whose interface is claimed. */
export function usbfsCcidPipe(
  device: UsbfsDevice,
  interfaceNumber: number,
): CcidPipe {
  const index = interfaceNumber;
  return {
    ...usbfsPipe(device, interfaceNumber),
    controlOut: (request, value) =>
      device.controlOut({ requestType: REQUEST_OUT, request, value, index }),
  };
}

/** The pipe of a session in memory. */
export function fakeCcidPipe(
  session: FakeSession<CardReader>,
  control: ControlHandler,
): CcidPipe {
  const { link, changes } = session.endpoints;
  const fields = { type: "class", recipient: "interface" } as const;
  return {
    ...fakePipe(session, control, link, changes),
    async controlOut(request, value) {
      const setup = fakeSetup(
        { ...fields, direction: "out", request, value },
        { session },
      );
      const outcome = await setup.answer(control);
      if (outcome === "stall") throw new Error("EPIPE");
      assertEquals(outcome, { taken: 0 });
    },
  };
}

/** What the device has sent. */
export interface CcidResponse {
  readonly type: number;
  readonly slot: number;
  readonly seq: number;
  readonly iccStatus: number;
  readonly commandStatus: number;
  readonly error: number;
  readonly detail: number;
  readonly data: Bytes;
}

/** A message of the host. */
export interface CcidCommand {
  readonly slot?: number;
  readonly seq?: number;
  readonly fields?: readonly number[];
  readonly data?: Uint8Array;
  /** `dwLength`. @default {that of the data} */
  readonly length?: number;
  /** @default {true} */
  readonly zlp?: boolean;
}

/** A host; see the module. */
export class CcidHost {
  readonly pipe: CcidPipe;
  /** Of the next message. */
  seq = 0;
  /** Requests for more time so far. */
  extensions = 0;
  readonly #longest: number;

  /** @param longest Bytes of a message. */
  constructor(pipe: CcidPipe, longest = 65_554) {
    this.pipe = pipe;
    this.#longest = longest;
  }

  /** Takes an interface of a device. */
  static async claim(
    device: UsbfsDevice,
    interfaceNumber: number,
    longest?: number,
  ): Promise<CcidHost> {
    await device.claimInterface(interfaceNumber);
    return new CcidHost(usbfsCcidPipe(device, interfaceNumber), longest);
  }

  /** Sends a message; returns its sequence number. */
  async send(
    type: number,
    command: CcidCommand = {},
    options?: TransferOptions,
  ): Promise<number> {
    const { slot = 0, fields = [], data = new Uint8Array(0) } = command;
    const { seq = this.seq++ & 0xff, zlp = true } = command;
    const bytes = new Uint8Array(HEADER_SIZE + data.byteLength);
    bytes[0] = type;
    const { length = data.byteLength } = command;
    new DataView(bytes.buffer).setUint32(1, length, true);
    bytes.set([slot, seq, ...fields], 5);
    bytes.set(data, HEADER_SIZE);
    await this.pipe.send(bytes, zlp, options);
    return seq;
  }

  /** Receives a message, whatever it is. */
  async message(options?: TransferOptions): Promise<CcidResponse> {
    const { packetSize } = this.pipe;
    // Whole packets, and room for a zero-length one.
    const size = (Math.floor(this.#longest / packetSize) + 1) * packetSize;
    const bytes = await this.pipe.receive(size, options);
    const { buffer, byteOffset } = bytes;
    const length = new DataView(buffer, byteOffset).getUint32(1, true);
    assertEquals(bytes.byteLength, HEADER_SIZE + length);
    const [type, , , , , slot, seq, status, error, detail] = bytes;
    return {
      type,
      slot,
      seq,
      iccStatus: status & 3,
      commandStatus: status >> 6,
      error,
      detail,
      data: bytes.subarray(HEADER_SIZE),
    };
  }

  /** Receives the response to a message, after requests for more time. */
  async response(
    seq: number,
    options?: TransferOptions,
  ): Promise<CcidResponse> {
    for (;;) {
      const message = await this.message(options);
      assertEquals(message.seq, seq, "the response to another message");
      if (message.commandStatus !== CommandStatus.TIME_EXTENSION) {
        return message;
      }
      assertEquals(message.data.byteLength, 0);
      this.extensions++;
    }
  }

  /** Sends a message, and receives the response. */
  async run(type: number, command?: CcidCommand): Promise<CcidResponse> {
    return await this.response(await this.send(type, command));
  }

  /** Runs a command that has to succeed. */
  async pass(type: number, command?: CcidCommand): Promise<CcidResponse> {
    const response = await this.run(type, command);
    const { commandStatus, error } = response;
    const name = `command ${type.toString(16)}`;
    assertEquals([commandStatus, error], [CommandStatus.DONE, 0], name);
    return response;
  }

  /** Runs a command that has to fail; returns the code of the error. */
  async failure(type: number, command?: CcidCommand): Promise<number> {
    const { commandStatus, error, data } = await this.run(type, command);
    assertEquals([commandStatus, data.byteLength], [CommandStatus.FAILED, 0]);
    return error;
  }

  /** Powers a card on; returns its answer to reset. */
  async powerOn(slot = 0): Promise<Bytes> {
    return (await this.pass(CommandType.ICC_POWER_ON, { slot })).data;
  }

  /** bmICCStatus of a slot. */
  async status(slot = 0): Promise<number> {
    const { iccStatus } = await this.pass(CommandType.GET_SLOT_STATUS, {
      slot,
    });
    return iccStatus;
  }

  /**
   * Sends a command to a card, and receives its answer, both in parts if they are
   * longer than a message.
   */
  async transmit(
    apdu: Uint8Array,
    { slot = 0, zlp = true } = {},
  ): Promise<Bytes> {
    const room = this.#longest - HEADER_SIZE;
    const answer: number[][] = [];
    let response: CcidResponse;
    let at = 0;
    do {
      const data = apdu.subarray(at, at + room);
      const begins = at === 0;
      at += room;
      const ends = at >= apdu.byteLength;
      const level = begins ? (ends ? 0 : 1) : ends ? 2 : 3;
      const fields = [0, level, 0];
      response = await this.pass(CommandType.XFR_BLOCK, {
        slot,
        fields,
        data,
        zlp,
      });
      if (!ends) assertEquals([response.detail, response.data.length], [16, 0]);
    } while (at < apdu.byteLength);
    answer.push([...response.data]);
    while (response.detail === 1 || response.detail === 3) {
      response = await this.pass(CommandType.XFR_BLOCK, {
        slot,
        fields: [0, 0x10, 0],
      });
      answer.push([...response.data]);
    }
    assertEquals(response.detail, answer.length > 1 ? 2 : 0);
    return Uint8Array.from(answer.flat());
  }

  /** The control half of an abort. */
  async abortRequest(seq: number, slot = 0): Promise<void> {
    await this.pipe.controlOut(ABORT, seq << 8 | slot);
  }

  /** A class request that returns 32-bit words. */
  async words(request: number): Promise<number[]> {
    const bytes = await this.pipe.controlIn(request, 1024);
    return [
      ...new Uint32Array(
        bytes.buffer.slice(
          bytes.byteOffset,
          bytes.byteOffset + bytes.byteLength,
        ),
      ),
    ];
  }
}
