/**
 * The requests of an endpoint without a kernel.
 *
 * @module
 */
import { Errno } from "../../../ffi/errno.ts";
import { PacketSizes } from "../../../src/functionfs/transfer/packet_sizes.ts";
import type { SizedEndpoint } from "../../../src/functionfs/transfer/packet_sizes.ts";
import {
  KernelRequest,
  type RequestOwner,
  type RequestPort,
} from "../../../src/functionfs/transfer/request.ts";
import type { ReadPort } from "../../../src/functionfs/read/reader.ts";

/** Requests that end when the test says so. */
export class FakeRequests implements RequestPort {
  /** In the kernel, in the order of submission. */
  readonly flying: KernelRequest[] = [];
  readonly cancelled: KernelRequest[] = [];
  readonly nextConnection = 1;

  take(owner: RequestOwner, memory: Uint8Array<ArrayBuffer>): KernelRequest {
    const request = new KernelRequest(() => {});
    request.owner = owner;
    request.memory = memory;
    return request;
  }

  give(): void {}

  push(request: KernelRequest): void {
    request.queued = true;
    request.owner.prepare(request);
    this.flying.push(request);
  }

  pushBehind(request: KernelRequest): void {
    this.push(request);
  }

  wake(): void {}

  /** Cancels a request, which the kernel ends at once. */
  cancel(request: KernelRequest): void {
    request.cancelled = true;
    this.cancelled.push(request);
    const index = this.flying.indexOf(request);
    if (index >= 0) this.end(-Errno.ECANCELED, index);
  }

  /** Ends a request, the oldest one by default. */
  end(result: number, index = 0): void {
    const [request] = this.flying.splice(index, 1);
    request.queued = false;
    request.owner.onEnd(request, result);
  }

  /** Lets bytes come; each array ends a request. */
  receive(...values: readonly number[][]): void {
    for (const bytes of values) {
      this.flying[0].memory.set(bytes);
      this.end(bytes.length);
    }
  }
}

/** The port of an endpoint that receives by `queue`. */
export function fakeReadPort(
  queue: FakeRequests,
  endpoint: SizedEndpoint = BULK,
  packetSize?: number,
): ReadPort {
  const packetSizes = new PacketSizes(endpoint);
  const maxPacketSize = packetSize ?? packetSizes.largest;
  return {
    name: "rx",
    path: "/ep1",
    maxPacketSize,
    packetSizes,
    queue,
  };
}

const SIZES = { full: 64, high: 512, super: 1024 };

const BULK: SizedEndpoint = {
  transferType: "bulk",
  maxPacketSize: SIZES,
  bytesPerInterval: SIZES,
};
