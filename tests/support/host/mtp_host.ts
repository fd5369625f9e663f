/**
 * A host of MTP that does everything: operations with any fields, data phases in
 * pieces, abandoned and cancelled ones, and containers that lie.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  type ContainerHeader,
  ContainerType,
  decodeHeader,
  decodeMessage,
  encodeHeader,
  encodeMessage,
  HEADER_SIZE,
  type Message,
  UNKNOWN_LENGTH,
} from "../../../src/classes/mtp/protocol/container.ts";
import {
  RESPONSE_CODES,
  type ResponseName,
} from "../../../src/classes/mtp/protocol/response.ts";
import type { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";
import type { TransferOptions } from "../../../src/testing/usbfs/transfer.ts";
import { until } from "../waiting/until.ts";
import { type MtpPipe, usbfsMtpPipe } from "./mtp_pipe.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const CANCEL = 0x64;
const GET_EXTENDED_EVENT_DATA = 0x65;
const DEVICE_RESET = 0x66;
const GET_DEVICE_STATUS = 0x67;
const CANCELLATION = 0x4001;
const BUSY = 0x2019;

/** How an operation has ended. */
export interface OperationResult {
  readonly response: ResponseName | number;
  readonly parameters: readonly number[];
  readonly data: Bytes;
}

/** What the host sends with an operation. */
export interface OperationData {
  /** What it sends. */
  readonly send?: Bytes;
  /** The length in the header. @default {that of the data} */
  readonly length?: number;
  /** Whether the header is a transfer of its own. @default {false} */
  readonly split?: boolean;
  /** @default {true} */
  readonly zlp?: boolean;
}

/** A host; see the module. */
export class MtpHost {
  readonly pipe: MtpPipe;
  /** Of the next operation. */
  transaction = 1;

  /** Bytes of a payload at most. */
  readonly #most: number;

  constructor(pipe: MtpPipe, most = 64 << 20) {
    this.pipe = pipe;
    this.#most = most;
  }

  /** Takes the first interface of a device. */
  static async claim(device: UsbfsDevice): Promise<MtpHost> {
    await device.claimInterface(0);
    // The memory of usbfs is limited.
    return new MtpHost(usbfsMtpPipe(device), 4 << 20);
  }

  /** Sends a command without what follows; returns its transaction. */
  async command(
    code: number,
    parameters: readonly number[] = [],
    options?: TransferOptions,
  ): Promise<number> {
    const transactionId = this.transaction++;
    const type = ContainerType.COMMAND;
    await this.pipe.send(
      encodeMessage({ type, code, transactionId, parameters }),
      true,
      options,
    );
    return transactionId;
  }

  /** Sends the data of the last command. */
  async sendData(
    code: number,
    bytes: Bytes,
    { length = bytes.byteLength + HEADER_SIZE, split = false, zlp = true }:
      OperationData = {},
    options?: TransferOptions,
  ): Promise<void> {
    const transactionId = this.transaction - 1;
    const container = dataContainer({
      length: Math.min(length, UNKNOWN_LENGTH),
      code,
      transactionId,
    }, bytes);
    if (split) {
      await this.pipe.send(container.slice(0, HEADER_SIZE), zlp, options);
      if (bytes.byteLength > 0) await this.pipe.send(bytes, zlp, options);
    } else {
      await this.pipe.send(container, zlp, options);
    }
  }

  /** Receives a container: with data, or the response. */
  async container(most = this.#most): Promise<Bytes> {
    const { packetSize } = this.pipe;
    // Whole packets: a longer one would be an error.
    const size = Math.ceil((most + HEADER_SIZE) / packetSize + 1) * packetSize;
    return await this.pipe.receive(size);
  }

  /** Receives the data of the last command, if any, and its response. */
  async result(most?: number): Promise<OperationResult> {
    const transactionId = this.transaction - 1;
    let bytes = await this.container(most);
    let data = new Uint8Array(0);
    const header = headerOf(bytes);
    if (header.type === ContainerType.DATA) {
      assertEquals(header.transactionId, transactionId, "data of another");
      data = bytes.subarray(HEADER_SIZE);
      bytes = await this.container();
    }
    const message = messageOf(bytes);
    const { type, code, parameters } = message;
    assertEquals(type, ContainerType.RESPONSE);
    assertEquals(message.transactionId, transactionId, "response to another");
    return { response: nameOf(code), parameters, data };
  }

  /** Runs an operation with all its phases. */
  async run(
    code: number,
    parameters: readonly number[] = [],
    { send, ...how }: OperationData = {},
  ): Promise<OperationResult> {
    await this.command(code, parameters);
    if (send !== undefined) await this.sendData(code, send, how);
    return await this.result();
  }

  /** Runs an operation that has to succeed; returns its data. */
  async pass(
    code: number,
    parameters?: readonly number[],
    data?: OperationData,
  ): Promise<Bytes> {
    const result = await this.run(code, parameters, data);
    assertEquals(result.response, "OK", `operation ${code.toString(16)}`);
    return result.data;
  }

  /** CANCEL, without waiting until it is done. */
  async cancel(transactionId: number): Promise<void> {
    const view = new DataView(new ArrayBuffer(6));
    view.setUint16(0, CANCELLATION, true);
    view.setUint32(2, transactionId, true);
    await this.pipe.controlOut(CANCEL, new Uint8Array(view.buffer));
  }

  /** DEVICE_RESET. */
  async reset(): Promise<void> {
    await this.pipe.controlOut(DEVICE_RESET);
  }

  /** GET_DEVICE_STATUS: the code, and the parameters after it. */
  async status(): Promise<number[]> {
    const bytes = await this.pipe.controlIn(GET_DEVICE_STATUS, 64);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    assertEquals(view.getUint16(0, true), bytes.length);
    const parameters = Array.from(
      { length: bytes.length / 4 - 1 },
      (_, index) => view.getUint32(4 + 4 * index, true),
    );
    return [view.getUint16(2, true), ...parameters];
  }

  /** Polls the status until the device is not busy. */
  async untilReady(): Promise<void> {
    let isBusy = true;
    await until(() => {
      if (isBusy) this.status().then(([code]) => isBusy = code === BUSY);
      return !isBusy;
    }, "the device is not busy");
  }

  /** GET_EXTENDED_EVENT_DATA. */
  async extendedEvent(): Promise<Bytes> {
    return await this.pipe.controlIn(GET_EXTENDED_EVENT_DATA, 64);
  }

  /** Polls for an event. */
  async event(options?: TransferOptions): Promise<Message> {
    const message = messageOf(await this.pipe.poll(64, options));
    assertEquals(message.type, ContainerType.EVENT);
    return message;
  }
}

/** The bytes of a data container. */
export function dataContainer(
  header: Omit<ContainerHeader, "type">,
  bytes: Bytes,
): Bytes {
  const container = new Uint8Array(HEADER_SIZE + bytes.byteLength);
  encodeHeader(container, { ...header, type: ContainerType.DATA });
  container.set(bytes, HEADER_SIZE);
  return container;
}

/** The name of a response, or its code. */
function nameOf(code: number): ResponseName | number {
  const found = Object.entries(RESPONSE_CODES).find(([, it]) => it === code);
  return found === undefined ? code : found[0] as ResponseName;
}

function headerOf(bytes: Bytes): ContainerHeader {
  const header = decodeHeader(bytes);
  assert(header !== undefined, `no container: ${bytes.slice(0, 64).toHex()}`);
  return header;
}

function messageOf(bytes: Bytes): Message {
  const message = decodeMessage(bytes);
  assert(message !== undefined, `no message: ${bytes.slice(0, 64).toHex()}`);
  return message;
}
