/**
 * Transfers on the endpoints of a USB device, over usbfs.
 *
 * @module
 */
import {
  UrbType,
  USBDEVFS_URB_SHORT_NOT_OK,
  USBDEVFS_URB_ZERO_PACKET,
} from "./abi.ts";
import { finishTransfer, type TransferOptions } from "./transfer.ts";
import type { Urb, UrbQueue, UrbRequest } from "./urbs.ts";

/** A control request. */
export interface ControlRequest {
  /** bmRequestType; the method sets its direction bit. */
  readonly requestType: number;
  readonly request: number;
  /** @default {0} */
  readonly value?: number;
  /** @default {0} */
  readonly index?: number;
}

/** How to run a transfer to the device. */
export interface OutOptions extends TransferOptions {
  /**
   * End a transfer on a packet boundary with a zero-length packet.
   * @default {false}
   */
  readonly zeroPacket?: boolean;
}

/** How to run a transfer from the device. */
export interface InOptions extends TransferOptions {
  /**
   * Fail with EREMOTEIO if fewer bytes arrive than requested.
   * @default {false}
   */
  readonly shortNotOk?: boolean;
}

const SETUP_SIZE = 8;
const USB_DIR_IN = 0x80;

/** The endpoints of a device by their addresses, including endpoint 0. */
export abstract class UsbfsEndpoints {
  /** The device's file in usbfs. */
  readonly path: string;
  /** @ignore */
  protected readonly urbs: UrbQueue;

  /** Uses the URBs of an open file. */
  constructor(urbs: UrbQueue, path: string) {
    this.urbs = urbs;
    this.path = path;
  }

  /**
   * Submits a URB. Several may be in flight; those of one endpoint run in the order
   * of the calls.
   */
  submit(request: UrbRequest): Urb {
    return this.urbs.submit(request);
  }

  /**
   * Sends a bulk transfer.
   *
   * @returns The number of bytes that the device took: all.
   * @throws {HostTransferError}
   */
  bulkOut(
    endpoint: number,
    data: Uint8Array<ArrayBuffer>,
    options: OutOptions = {},
  ): Promise<number> {
    return this.#out(UrbType.bulk, endpoint, data, options);
  }

  /**
   * Receives a bulk transfer of up to `length` bytes.
   *
   * @returns The received data: less than `length` after a short packet.
   * @throws {HostTransferError}
   */
  bulkIn(
    endpoint: number,
    length: number,
    options: InOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.#in(UrbType.bulk, endpoint, length, options);
  }

  /** Sends an interrupt transfer; see {@linkcode bulkOut}. */
  interruptOut(
    endpoint: number,
    data: Uint8Array<ArrayBuffer>,
    options: OutOptions = {},
  ): Promise<number> {
    return this.#out(UrbType.interrupt, endpoint, data, options);
  }

  /** Receives an interrupt transfer; see {@linkcode bulkIn}. */
  interruptIn(
    endpoint: number,
    length: number,
    options: InOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.#in(UrbType.interrupt, endpoint, length, options);
  }

  /**
   * Makes a control request for `length` bytes.
   *
   * @returns The received data.
   * @throws {HostTransferError} EPIPE if the device stalls.
   */
  controlIn(
    request: ControlRequest & { readonly length: number },
    options: TransferOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { requestType, length } = request;
    const setup = { ...request, requestType: requestType | USB_DIR_IN };
    return this.#controlTransfer(
      setup,
      new Uint8Array(length),
      options,
    );
  }

  /**
   * Makes a control request that carries `data`.
   *
   * @returns The number of bytes that the device took.
   * @throws {HostTransferError} EPIPE if the device stalls.
   */
  async controlOut(
    request: ControlRequest,
    data: Uint8Array = new Uint8Array(0),
    options: TransferOptions = {},
  ): Promise<number> {
    const requestType = request.requestType & ~USB_DIR_IN;
    const sent = await this.#controlTransfer(
      { ...request, requestType },
      data,
      options,
    );
    return sent.byteLength;
  }

  async #out(
    type: number,
    endpoint: number,
    buffer: Uint8Array<ArrayBuffer>,
    options: OutOptions,
  ): Promise<number> {
    const flags = options.zeroPacket ? USBDEVFS_URB_ZERO_PACKET : 0;
    const urb = this.submit({ type, endpoint, flags, buffer });
    const sent = await finishTransfer(urb, options, {
      action: `write to endpoint ${hex(endpoint)}`,
      path: this.path,
    });
    return sent.byteLength;
  }

  async #in(
    type: number,
    endpoint: number,
    length: number,
    options: InOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const flags = options.shortNotOk ? USBDEVFS_URB_SHORT_NOT_OK : 0;
    const buffer = new Uint8Array(length);
    const urb = this.submit({ type, endpoint, flags, buffer });
    return await finishTransfer(urb, options, {
      action: `read from endpoint ${hex(endpoint)}`,
      path: this.path,
    });
  }

  async #controlTransfer(
    setup: ControlRequest,
    data: Uint8Array,
    options: TransferOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { requestType, request, value = 0, index = 0 } = setup;
    const buffer = new Uint8Array(SETUP_SIZE + data.byteLength);
    const view = new DataView(buffer.buffer);
    view.setUint8(0, requestType);
    view.setUint8(1, request);
    view.setUint16(2, value, true);
    view.setUint16(4, index, true);
    view.setUint16(6, data.byteLength, true);
    buffer.set(data, SETUP_SIZE);
    const endpoint = requestType & USB_DIR_IN;
    const urb = this.submit({ type: UrbType.control, endpoint, buffer });
    return await finishTransfer(urb, options, {
      action: `make control request ${hex(requestType)} ${hex(request)}`,
      path: this.path,
      offset: SETUP_SIZE,
    });
  }
}

/** Formats an endpoint address or a request. */
export function hex(value: number): string {
  return `0x${value.toString(16).padStart(2, "0")}`;
}
