/**
 * An endpoint without a kernel: moves packets between the requests of a device
 * and the transfers of its host, as a bus would.
 *
 * @module
 */
import type { AioRequest } from "../../../ffi/aio/ring.ts";
import { Errno } from "../../../ffi/errno.ts";
import type { CompiledEndpoint } from "../../compile/compile.ts";
import {
  FUNCTIONFS_CLEAR_HALT,
  FUNCTIONFS_ENDPOINT_DESC,
  FUNCTIONFS_FIFO_FLUSH,
  FUNCTIONFS_FIFO_STATUS,
} from "../../compile/functionfs_abi.ts";
import type { EndpointFile } from "../../functionfs/endpoint/file.ts";
import { DescriptorType } from "../../usb/descriptor_type.ts";

/** A request of the device: memory to send, or to receive into. */
export interface DeviceRequest {
  readonly request: AioRequest;
  readonly memory: Uint8Array<ArrayBuffer>;
  /** Bytes that are done. */
  at: number;
}

/** A transfer of the host: data to send, or memory to receive into. */
export interface HostTransfer {
  readonly memory: Uint8Array<ArrayBuffer>;
  at: number;
  /** Whether an empty packet is still to come. */
  zlp: boolean;
  /** Called once: with 0, or a negative error number. */
  readonly onEnd: (status: number) => void;
}

const ATTRIBUTES = { isochronous: 1, bulk: 2, interrupt: 3 };

/** The two ends of an endpoint. */
export class Wire implements EndpointFile {
  readonly endpoint: CompiledEndpoint;
  readonly packetSize: number;
  #halted = false;
  #over = false;
  #requests: DeviceRequest[] = [];
  #transfers: HostTransfer[] = [];
  #moving = false;

  constructor(endpoint: CompiledEndpoint, packetSize: number) {
    this.endpoint = endpoint;
    this.packetSize = packetSize;
  }

  /** Whether the device has halted it. */
  get halted(): boolean {
    return this.#halted;
  }

  /** The device submits a request. */
  submit(request: DeviceRequest): void {
    this.#requests.push(request);
    this.#schedule();
  }

  /** Ends a request that has not ended, a little later. */
  cancel(request: AioRequest): void {
    queueMicrotask(() => {
      const found = this.#requests.find((each) => each.request === request);
      if (found !== undefined) this.#complete(found, -Errno.ECANCELED);
    });
  }

  /** The host begins a transfer. */
  transfer(transfer: HostTransfer): void {
    this.#transfers.push(transfer);
    this.#schedule();
  }

  /** The host gives a transfer up; returns whether it was there. */
  discard(transfer: HostTransfer): boolean {
    const index = this.#transfers.indexOf(transfer);
    if (index >= 0) this.#transfers.splice(index, 1);
    return index >= 0;
  }

  /** Either side clears a halt. */
  clearHalt(): void {
    this.#halted = false;
    this.#schedule();
  }

  /** The connection is over. */
  end(): void {
    this.#over = true;
    this.#schedule();
  }

  ioctl(request: number, argument: number | Uint8Array<ArrayBuffer>): number {
    if (this.#over) return -Errno.ESHUTDOWN;
    switch (request) {
      case FUNCTIONFS_ENDPOINT_DESC:
        (argument as Uint8Array).set(this.#descriptor());
        return 0;
      case FUNCTIONFS_CLEAR_HALT:
        this.clearHalt();
        return 0;
      case FUNCTIONFS_FIFO_FLUSH:
        return 0;
      case FUNCTIONFS_FIFO_STATUS:
        return -Errno.EOPNOTSUPP;
      default:
        return -Errno.ENOTTY;
    }
  }

  reverse(): number {
    if (this.#over) return -Errno.ESHUTDOWN;
    this.#halted = true;
    this.#schedule();
    return -Errno.EBADMSG;
  }

  #descriptor(): number[] {
    const { address, transferType } = this.endpoint;
    const size = [this.packetSize & 0xff, this.packetSize >> 8];
    const attributes = ATTRIBUTES[transferType];
    return [7, DescriptorType.ENDPOINT, address, attributes, ...size, 1];
  }

  /** Moves packets later in this turn: completions never come within a call. */
  #schedule(): void {
    if (this.#moving) return;
    this.#moving = true;
    queueMicrotask(() => {
      this.#moving = false;
      this.#move();
    });
  }

  #move(): void {
    if (this.#over) {
      for (const it of [...this.#transfers]) {
        this.#endTransfer(it, -Errno.ESHUTDOWN);
      }
      for (const it of [...this.#requests]) {
        this.#complete(it, -Errno.ESHUTDOWN);
      }
      return;
    }
    if (this.#halted) {
      for (const it of [...this.#transfers]) {
        this.#endTransfer(it, -Errno.EPIPE);
      }
      return;
    }
    while (this.#requests.length > 0 && this.#transfers.length > 0) {
      if (this.#halted || this.#over) return this.#schedule();
      const [request] = this.#requests;
      const [transfer] = this.#transfers;
      if (this.endpoint.direction === "in") this.#toHost(request, transfer);
      else this.#toDevice(request, transfer);
    }
  }

  #toHost(request: DeviceRequest, transfer: HostTransfer): void {
    const packet = this.#next(request);
    request.at += packet.byteLength;
    const fits = this.#put(packet, transfer);
    if (request.at === request.memory.byteLength) {
      this.#complete(request, request.at);
    }
    if (!fits) this.#endTransfer(transfer, -Errno.EOVERFLOW);
    else if (this.#fills(packet, transfer)) this.#endTransfer(transfer, 0);
  }

  #toDevice(request: DeviceRequest, transfer: HostTransfer): void {
    const packet = this.#next(transfer);
    if (packet.byteLength === 0) transfer.zlp = false;
    transfer.at += packet.byteLength;
    const fits = this.#put(packet, request);
    if (!fits) this.#complete(request, -Errno.EOVERFLOW);
    else if (this.#fills(packet, request)) this.#complete(request, request.at);
    const sent = transfer.at === transfer.memory.byteLength;
    if (sent && !transfer.zlp) this.#endTransfer(transfer, 0);
  }

  /** The next packet of a sender. */
  #next({ memory, at }: { memory: Uint8Array; at: number }): Uint8Array {
    return memory.subarray(at, at + this.packetSize);
  }

  /** Gives a packet to a receiver; returns whether it fits. */
  #put(packet: Uint8Array, to: { memory: Uint8Array; at: number }): boolean {
    if (to.at + packet.byteLength > to.memory.byteLength) return false;
    to.memory.set(packet, to.at);
    to.at += packet.byteLength;
    return true;
  }

  /** Whether a receiver is done after a packet. */
  #fills(packet: Uint8Array, to: { memory: Uint8Array; at: number }): boolean {
    return packet.byteLength < this.packetSize ||
      to.at === to.memory.byteLength;
  }

  #endTransfer(transfer: HostTransfer, status: number): void {
    this.discard(transfer);
    transfer.onEnd(status);
  }

  #complete(done: DeviceRequest, result: number): void {
    this.#requests = this.#requests.filter((each) => each !== done);
    done.request.ring = undefined;
    done.request.onComplete(result);
  }
}
