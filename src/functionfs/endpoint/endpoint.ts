/**
 * The common part of IN and OUT endpoints: their file, its ioctls, halts and
 * DMABUFs.
 *
 * @module
 */
import { Errno, systemError } from "../../../ffi/errno.ts";
import { checkArgument, type Rule } from "../../arguments/rules.ts";
import { decodeList } from "../../inspect/decode_descriptors.ts";
import type { EndpointNode } from "../../inspect/descriptor_nodes.ts";
import {
  FUNCTIONFS_CLEAR_HALT,
  FUNCTIONFS_ENDPOINT_DESC,
  FUNCTIONFS_FIFO_FLUSH,
  FUNCTIONFS_FIFO_STATUS,
} from "../../compile/functionfs_abi.ts";
import { DmaBuffer } from "../dmabuf/buffer.ts";
import type { DmaBufferAttachment } from "../dmabuf/attachment.ts";
import type { SessionLife } from "../session.ts";
import { nextTry } from "../transfer/connection.ts";
import { checkSignal, type EndpointOptions } from "../transfer/options.ts";
import { closedError, endedError } from "../transfer/error.ts";
import type { EndpointCore } from "./core.ts";
import { haltEndpoint, settled } from "./halt.ts";

/**
 * An endpoint of a function.
 *
 * @priority 7
 * @category Endpoints
 */
export abstract class Endpoint {
  /** The name of the endpoint in the definition. */
  readonly name: string;
  /** The endpoint's file, such as `/run/usb-gadget/echo/ep1`. */
  readonly path: string;
  /** @ignore The only session that it belongs to, if any. */
  protected readonly session: SessionLife | undefined;
  /** @ignore */
  protected readonly core: EndpointCore;

  /** Made by {@linkcode FunctionFs.open}, and for each session. */
  constructor(core: EndpointCore, session: SessionLife | undefined) {
    this.name = core.name;
    this.path = core.path;
    this.session = session;
    this.core = core;
  }

  /**
   * Bytes in a full packet at the speed of the current connection. Before the
   * host has enabled the endpoint for the first time, the size at the fastest
   * speed of the definition.
   */
  get maxPacketSize(): number {
    return this.core.packetSize;
  }

  /**
   * Attaches a DMABUF, so that the device controller sends from or receives
   * into its memory without a copy (FUNCTIONFS_DMABUF_ATTACH, Linux 6.9). Waits
   * until the function is bound to a controller.
   *
   * The controller's driver must support scatter-gather, see
   * {@linkcode FunctionFs.dmabufSupport}. Closing the function detaches all
   * buffers. The kernel also detaches them when any program closes the
   * endpoint's file; they are then attached again before the next transfer. No
   * other program may close the file during a transfer: the kernel would free
   * memory that it still uses (docs/dmabuf.md).
   *
   * What is attached to an endpoint of a session is detached when the session
   * ends, and can be attached again in the next one.
   *
   * @throws {Deno.errors.NotSupported} If the controller has no scatter-gather,
   * or the kernel is older.
   * @throws {Deno.errors.AlreadyExists} If the buffer is already attached to
   * the endpoint, under this or another descriptor.
   * @throws {Error} What the owner of the buffer reports, such as ENOMEM.
   * @throws {Deno.errors.BadResource} If the buffer is closed, or the function
   * is or gets closed.
   */
  async attach(
    buffer: DmaBuffer,
    options: EndpointOptions = {},
  ): Promise<DmaBufferAttachment> {
    const action = `attach a DMABUF to endpoint "${this.name}"`;
    checkArgument(action, "the buffer", buffer, A_DMABUF);
    checkSignal(action, options);
    this.assertOpen("attach a DMABUF to");
    const signal = this.#limit(options.signal);
    return await this.core.dmabufs.attach(buffer, this.session, signal);
  }

  /**
   * Halts the endpoint: it answers every transfer of the host with a STALL,
   * until the host or {@linkcode clearHalt} clears the halt, or the endpoint is
   * enabled again. Waits for a host to enable it. Resolves when it is halted.
   *
   * On an IN endpoint, a halt is queued among the writes: it is set when the
   * host has taken all earlier writes, and later ones continue when it is
   * cleared. On an OUT endpoint, it is set at once; pending reads stay, and
   * continue when it is cleared.
   *
   * The kernel does not report when the host clears the halt.
   *
   * @throws {Deno.errors.NotSupported} On an isochronous endpoint.
   * @throws The signal's reason, if it is aborted before the halt is set.
   */
  async halt(options: EndpointOptions = {}): Promise<void> {
    checkSignal(`halt endpoint "${this.name}"`, options);
    const core = this.core;
    const { compiled } = core.resources;
    this.assertOpen("halt");
    const halted = haltEndpoint({
      endpoint: this,
      file: core.file,
      direction: compiled.direction,
      transferType: compiled.transferType,
      queue: core.queue,
      signal: this.#limit(options.signal),
    });
    core.lastHalt = halted.catch(() => {});
    return await halted;
  }

  /**
   * Clears a halt; transfers continue. Resets the data toggle on this side
   * only, so a real host should clear its side, too. Waits for a host to enable
   * the endpoint.
   */
  async clearHalt(options: EndpointOptions = {}): Promise<void> {
    checkSignal(`clear the halt of endpoint "${this.name}"`, options);
    await settled(this.core.lastHalt, this.#limit(options.signal));
    await this.#control("clear the halt of", FUNCTIONFS_CLEAR_HALT, options);
  }

  /**
   * Returns the number of bytes in the endpoint's FIFO: on an IN endpoint, what
   * the host has not taken yet. Waits for a host to enable the endpoint.
   *
   * @throws {Deno.errors.NotSupported} If the controller does not support it.
   * Most do not, dummy_hcd among them.
   */
  fifoStatus(options: EndpointOptions = {}): Promise<number> {
    return this.#control(
      "read the FIFO status of",
      FUNCTIONFS_FIFO_STATUS,
      options,
    );
  }

  /**
   * Discards the contents of the endpoint's FIFO. Pending transfers stay. Has
   * no effect if the controller does not support it. Waits for a host to enable
   * the endpoint.
   */
  async flush(options: EndpointOptions = {}): Promise<void> {
    await this.#control("flush", FUNCTIONFS_FIFO_FLUSH, options);
  }

  /**
   * Returns the endpoint's descriptor for the current speed, with the address
   * that the host uses. (FUNCTIONFS_ENDPOINT_REVMAP is of no use here: it
   * returns 255 on all kernels up to 7.3.) Waits for a host to enable the
   * endpoint.
   */
  async descriptor(options: EndpointOptions = {}): Promise<EndpointNode> {
    const bytes = new Uint8Array(DESCRIPTOR_SIZE);
    await this.#control(
      "read the descriptor of",
      FUNCTIONFS_ENDPOINT_DESC,
      options,
      bytes,
    );
    return decodeList([bytes.subarray(0, bytes[0])])[0] as EndpointNode;
  }

  /** @ignore Throws if the function is closed, or the session is over. */
  protected assertOpen(action: string): void {
    if (this.session?.ended !== undefined) {
      throw endedError(action, this.name, this.session);
    }
    if (this.core.resources.lifecycle.state === "closed") {
      throw closedError(action, this.name);
    }
  }

  /** The signal of an operation, which is also aborted with the session. */
  #limit(signal: AbortSignal | undefined): AbortSignal | undefined {
    if (this.session === undefined) return signal;
    return signal === undefined
      ? this.session.signal
      : AbortSignal.any([signal, this.session.signal]);
  }

  /** Makes an ioctl that fails with EAGAIN until the endpoint is enabled. */
  async #control(
    action: string,
    request: number,
    options: EndpointOptions,
    argument: Uint8Array<ArrayBuffer> | number = 0,
  ): Promise<number> {
    const { lifecycle } = this.core.resources;
    const call = {
      action: `${action} endpoint "${this.name}"`,
      syscall: "ioctl",
      path: this.path,
    };
    checkSignal(call.action, options);
    const signal = this.#limit(options.signal);
    const closed = () => closedError(action, this.name);
    for (;;) {
      this.assertOpen(action);
      signal?.throwIfAborted();
      const result = this.core.file.ioctl(request, argument);
      if (result >= 0) return result;
      switch (-result) {
        case Errno.EAGAIN:
        case Errno.ESHUTDOWN:
          break;
        case Errno.EOPNOTSUPP:
        case Errno.ENOTTY:
          throw systemError(Errno.EOPNOTSUPP, {
            ...call,
            hint: "the device controller does not support it",
          });
        default:
          throw systemError(-result, call);
      }
      await nextTry(lifecycle, closed, signal);
    }
  }
}

const A_DMABUF: Rule = {
  expected: "a DmaBuffer",
  accepts: (value) => value instanceof DmaBuffer,
};

/** Room for an endpoint descriptor, of 7 or 9 bytes. */
const DESCRIPTOR_SIZE = 9;
