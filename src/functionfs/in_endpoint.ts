/**
 * Endpoints that send to the host.
 *
 * @module
 */
import { IOCB_CMD_PWRITE } from "../../ffi/abi.ts";
import { Errno, systemError } from "../../ffi/errno.ts";
import { addressOf } from "../../ffi/memory.ts";
import {
  closedError,
  Endpoint,
  type EndpointResources,
  type TransferOptions,
} from "./endpoint.ts";
import { makeWritable } from "./streams.ts";
import { Transfer, TransferQueue } from "./transfer_queue.ts";

/**
 * The largest kernel request. FunctionFS copies each into contiguous memory:
 * above 4 MiB that fails always, and large pieces become scarce with time.
 * A multiple of every packet size, so that only the last one can be short.
 */
export const MAX_REQUEST_SIZE = 1 << 20;

/** An endpoint that sends to the host. */
export class InEndpoint extends Endpoint {
  /** @ignore */
  protected readonly queue: TransferQueue;
  #writable: WritableStream<Uint8Array> | undefined;

  /** Made by {@linkcode FunctionFs.open}. */
  constructor(resources: EndpointResources) {
    super(resources);
    this.queue = new TransferQueue({
      aio: resources.aio,
      fd: resources.fd,
      opcode: IOCB_CMD_PWRITE,
      connection: connectionOf(resources),
    });
  }

  /**
   * Sends one transfer, and resolves when the host has taken all of it.
   *
   * Several writes may be under way at once; the host gets them in the order
   * of the calls. Before a host has enabled the endpoint a write waits. One
   * that a reset or an unplugged cable interrupts is sent again, from where
   * its last complete kernel request ended, when the endpoint is enabled the
   * next time.
   *
   * A transfer whose size is a multiple of the packet size has no end that the
   * host could see; `write(new Uint8Array(0))` sends a zero-length packet.
   *
   * @param data The bytes, which must not change until the promise settles.
   * Above 1 MiB they are cut into several kernel requests of one transfer.
   * @returns How many bytes were sent: all.
   * @throws {Error} What the kernel reports, such as EIO.
   * @throws {Deno.errors.BadResource} If the function is or gets closed.
   */
  write(data: Uint8Array, options: TransferOptions = {}): Promise<number> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      this.assertOpen("write to");
      signal?.throwIfAborted();
      const bytes = stableBytes(data);
      const address = addressOf(bytes);
      const total = bytes.byteLength;
      const transfers: Transfer[] = [];
      let left = 0;
      let failure: unknown;
      const abort = () => transfers.forEach((each) => this.queue.cancel(each));
      const onEnd = (result: number | Error) => {
        if (typeof result !== "number") failure ??= result;
        else if (result < 0) failure ??= this.#failure(-result, signal);
        if (failure !== undefined) abort();
        if (--left > 0) return;
        signal?.removeEventListener("abort", abort);
        if (failure === undefined) resolve(total);
        else reject(failure);
      };
      for (let at = 0; at < total || at === 0; at += MAX_REQUEST_SIZE) {
        transfers.push(
          new Transfer(
            bytes.subarray(at, at + MAX_REQUEST_SIZE),
            address + BigInt(at),
            onEnd,
          ),
        );
      }
      left = transfers.length;
      signal?.addEventListener("abort", abort);
      for (const transfer of transfers) this.queue.push(transfer);
    });
  }

  /**
   * A stream whose chunks are transfers: each write of the stream is one
   * {@linkcode write}, and ends when the host has taken the chunk, so that a
   * slow host slows the producer. Closing the stream leaves the endpoint open.
   */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= makeWritable(this);
  }

  #failure(errno: number, signal: AbortSignal | undefined): unknown {
    if (errno === Errno.ECANCELED) {
      return signal?.aborted
        ? signal.reason
        : closedError("write to", this.name);
    }
    return systemError(errno, {
      action: `write to endpoint "${this.name}"`,
      syscall: "write",
      path: this.path,
    });
  }
}

/** What the transfer queue asks about a function's life. */
export function connectionOf({ lifecycle }: EndpointResources) {
  return {
    get enabled(): boolean {
      return lifecycle.state === "enabled";
    },
    get enableCount(): number {
      return lifecycle.enableCount;
    },
  };
}

/** Bytes with an address that stays: a copy where the memory may move. */
function stableBytes(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = data;
  if (buffer instanceof ArrayBuffer && !buffer.resizable) {
    return data as Uint8Array<ArrayBuffer>;
  }
  return new Uint8Array(data);
}
