/**
 * What IN and OUT endpoints have in common: their file, and the function that
 * they belong to.
 *
 * @module
 */
import type { AioContext } from "../../ffi/aio.ts";
import { ioctl } from "../../ffi/file.ts";
import type { CompiledEndpoint } from "../descriptors/mod.ts";
import { FUNCTIONFS_ENDPOINT_DESC } from "./abi.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { TransferQueue } from "./transfer_queue.ts";

/** What an endpoint is made from. */
export interface EndpointResources {
  /** Open file of the endpoint, O_RDWR and O_NONBLOCK. */
  readonly fd: number;
  /** Where that file lies. */
  readonly path: string;
  readonly aio: AioContext;
  readonly lifecycle: Lifecycle;
  readonly compiled: CompiledEndpoint;
}

/** How a transfer is run. */
export interface TransferOptions {
  /** Ends the transfer early; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** An endpoint of a function. */
export abstract class Endpoint {
  /** The name under which the endpoint was declared. */
  readonly name: string;
  /** The endpoint's file, such as `/run/usb-gadget/echo/ep1`. */
  readonly path: string;
  /** @ignore */
  protected readonly resources: EndpointResources;
  #maxPacketSize = 0;
  #knownFor = 0;

  /** Made by {@linkcode FunctionFs.open}. */
  constructor(resources: EndpointResources) {
    this.resources = resources;
    this.name = resources.compiled.name;
    this.path = resources.path;
  }

  /**
   * Bytes in a full packet at the speed of the current connection, or 0 before
   * the host has enabled the endpoint for the first time.
   */
  get maxPacketSize(): number {
    const { lifecycle } = this.resources;
    if (lifecycle.enableCount !== this.#knownFor) {
      try {
        const descriptor = new Uint8Array(9);
        ioctl(this.resources.fd, FUNCTIONFS_ENDPOINT_DESC, descriptor);
        this.#maxPacketSize = (descriptor[4] | descriptor[5] << 8) & 0x7ff;
        this.#knownFor = lifecycle.enableCount;
      } catch {
        // Disabled again, and the event not read yet: the old size must do,
        // since nothing can be transferred until the next ENABLE.
      }
    }
    return this.#maxPacketSize;
  }

  /** @ignore The queue of the endpoint's kernel requests. */
  protected abstract get queue(): TransferQueue;

  /** @ignore The function's host has enabled the endpoint. */
  onEnable(): void {
    this.queue.pump();
  }

  /** @ignore Ends all transfers; resolves when the kernel has none of them. */
  close(): Promise<void> {
    return this.queue.close();
  }

  /** Throws if the function is closed. */
  protected assertOpen(action: string): void {
    if (this.resources.lifecycle.state === "closed") {
      throw closedError(action, this.name);
    }
  }
}

/** The error for a use of an endpoint whose function is closed. */
export function closedError(action: string, name: string): Error {
  return new Deno.errors.BadResource(
    `Cannot ${action} endpoint "${name}": its function is closed`,
  );
}
