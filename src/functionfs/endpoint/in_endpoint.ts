/**
 * Endpoints that send to the host.
 *
 * @module
 */
import { Errno, errorOf } from "../../../ffi/errno.ts";
import {
  checkArgument,
  checkOptions,
  FLAG,
  NUMBER,
  type Rules,
} from "../../arguments/rules.ts";
import type { SessionLife } from "../session.ts";
import { AbortedTransferError } from "../transfer/error.ts";
import {
  assertDepth,
  checkTransferOptions,
  ENDPOINT_RULES,
  type EndpointOptions,
  ZLP,
} from "../transfer/options.ts";
import { makeWritable, type WritableOptions } from "../write/writable.ts";
import { stableBytes, transferData } from "../write/data.ts";
import { Parts } from "../write/parts.ts";
import { Write } from "../write/write.ts";
import { Endpoint } from "./endpoint.ts";
import type { InEndpointCore } from "./in_core.ts";

/**
 * How a transfer to the host is made.
 * @category Endpoints
 */
export interface WriteOptions extends EndpointOptions {
  /**
   * Whether a transfer that ends on a packet border gets a zero-length packet,
   * so that the host sees its end: `"auto"`, or `"never"`. By default
   * {@linkcode InEndpoint.autoZlp} decides.
   */
  readonly zlp?: "auto" | "never";
}

/**
 * An endpoint that sends to the host.
 *
 * @priority 8
 * @category Endpoints
 */
export class InEndpoint extends Endpoint {
  /** @ignore */
  declare protected readonly core: InEndpointCore;

  /** Made by {@linkcode FunctionFs.open}, and for each session. */
  constructor(core: InEndpointCore, session?: SessionLife) {
    super(core, session);
  }

  /**
   * Whether a zero-length packet terminates a transfer that ends on a packet
   * border, so that the host sees its end whatever its size. False by default.
   * May be changed at any time; a change applies to later writes.
   *
   * A write that sends a zero-length packet is done when the host has taken
   * that packet, too. A host that asks for exactly the bytes of the transfer
   * has them, but the write continues until the host asks once more.
   *
   * Linux 7.3 and later do this in the kernel (FUNCTIONFS_ENDPOINT_ENABLE_ZLP),
   * also when other programs write to the endpoint's files. On an older kernel,
   * an empty request follows the last one. There is no difference on the bus.
   *
   * @throws {Deno.errors.NotSupported} On an isochronous endpoint, whose
   * transfers have no end.
   * @throws {Error} ENODEV if the function's files are gone.
   */
  get autoZlp(): boolean {
    return this.core.autoZlp;
  }

  set autoZlp(on: boolean) {
    const action = `switch zero-length packets of endpoint "${this.name}"`;
    checkArgument(action, '"autoZlp"', on, FLAG);
    this.assertOpen("switch zero-length packets of");
    this.#assertHasEnds();
    this.core.port.zeroLengthPackets.set(on);
    this.core.autoZlp = on;
  }

  /** Throws if a zero-length packet cannot end a transfer. */
  #assertHasEnds(): void {
    if (this.core.resources.compiled.transferType !== "isochronous") return;
    throw errorOf(
      Errno.EOPNOTSUPP,
      `Cannot switch zero-length packets of endpoint "${this.name}": isochronous transfers have no end`,
      { syscall: "ioctl", path: this.path },
    );
  }

  /** What an option says, or else {@linkcode autoZlp}. */
  #endsWithZlp(zlp: "auto" | "never" | undefined): boolean {
    if (zlp === undefined) return this.core.autoZlp;
    if (zlp === "auto") this.#assertHasEnds();
    return zlp === "auto";
  }

  /**
   * Sends one transfer, and resolves when the host has taken all of it. (Some
   * device controllers buffer the last packet and report it early: dummy_hcd
   * does so for up to 64 bytes.)
   *
   * Several writes may be in flight at once; the host gets them in the order of
   * the calls. A write waits for a host to enable the endpoint. If the host
   * disables it midway (a reset, another setting, an unplugged cable), the
   * write continues when it is enabled again, from the first unfinished kernel
   * request; on an endpoint of a session it fails. A halt only delays it.
   *
   * The host cannot see the end of a transfer whose size is a multiple of the
   * packet size, unless {@linkcode WriteOptions.zlp} or {@linkcode autoZlp}
   * adds a zero-length packet. Writing nothing (an empty array, or no parts)
   * sends one zero-length packet.
   *
   * An aborted write is withdrawn from the kernel. The host keeps what it has
   * received, and no short packet indicates that the rest will not arrive. If
   * the write was already done, the abort has no effect.
   *
   * @example A header and a file in one transfer
   * ```ts ignore
   * async function* container(header: Uint8Array, file: Deno.FsFile) {
   *   yield header;
   *   yield* file.readable;
   * }
   * await tx.write(container(header, file), { zlp: "auto" });
   * ```
   *
   * @param data The bytes, or parts of them in order: an array, or an async
   * iterable. Parts of any size and number are one transfer, and are not joined
   * in memory; empty ones are ignored.
   *
   * The bytes must not change until the promise settles: the kernel copies them
   * when it is the write's turn. Above 1 MiB they are split into several kernel
   * requests, of which up to 4 MiB are in flight.
   *
   * An async iterable is asked for a part when it is the write's turn and there
   * is room for it, and may use the memory of a part again for the next one.
   * Later writes and halts wait for its end. If the write ends early, the
   * iterator is closed, without waiting for that.
   * @returns The number of bytes sent: all of them.
   * @throws {AbortedTransferError} If the signal is aborted; its `transferred`
   * is the number of bytes sent so far.
   * @throws {TypeError} If the data is of another type, or was detached before
   * it was sent. Nothing is sent then, unless earlier parts were. Also for an
   * async iterable on an isochronous endpoint.
   * @throws {RangeError} If the data does not fit into one interval of an
   * isochronous endpoint.
   * @throws {Deno.errors.NotSupported} For `zlp: "auto"` on an isochronous
   * endpoint.
   * @throws What the iterable throws. The transfer is then cut short, as by an
   * abort.
   * @throws {Error} What the kernel reports, such as ENOMEM. It also has a field
   * `transferred`.
   * @throws {SessionEndedError} On an endpoint of a session that has ended.
   * @throws {Deno.errors.BadResource} If the function is or gets closed.
   */
  write(
    data: Uint8Array | readonly Uint8Array[] | AsyncIterable<Uint8Array>,
    options: WriteOptions = DEFAULTS,
  ): Promise<number> {
    return new Promise((resolve, reject) => {
      if (options !== DEFAULTS) {
        checkTransferOptions("write to", this.name, options, WRITE_OPTIONS);
      }
      const { port } = this.core;
      const taken = transferData(data, port);
      try {
        this.assertOpen("write to");
        const { signal, zlp } = options;
        if (signal?.aborted) {
          throw AbortedTransferError.before("write to", this.name, signal);
        }
        const life = { signal, session: this.session };
        new Write(port, life, resolve, reject)
          .start(taken, this.#endsWithZlp(zlp));
      } catch (error) {
        if (taken instanceof Parts) taken.stop();
        throw error;
      }
    });
  }

  /**
   * Withdraws from the kernel what the host has not taken. Pending writes fail
   * with {@linkcode AbortedTransferError}. Resolves when the kernel has none of
   * this endpoint's requests. What the controller holds stays there: see
   * {@linkcode flush}.
   *
   * @throws {Deno.errors.BadResource} If the function is closed.
   */
  async discard(): Promise<void> {
    this.assertOpen("discard the data of");
    await this.core.queue.discard();
  }

  /**
   * The endpoint's stream to the host. Its chunks are transfers: each write of
   * the stream is one {@linkcode write}, and is done when the host has taken
   * the chunk, so that a slow host slows the producer. An empty chunk is a
   * zero-length packet.
   *
   * Opened on first access, or earlier with other options by
   * {@linkcode openWritable}. It stays the same until it ends; closing or
   * aborting it leaves the endpoint open, and the next access opens another.
   *
   * @throws {Deno.errors.BadResource} If a stream has to be opened, and the
   * function is closed.
   */
  get writable(): WritableStream<Uint8Array> {
    return this.core.stream ?? this.openWritable();
  }

  /**
   * Opens the endpoint's stream to the host, which {@linkcode writable} then
   * returns. Aborting it withdraws from the kernel what the host has not taken.
   * A failed transfer ends the stream with its error.
   *
   * @throws {TypeError} If the endpoint already has an open stream, or an
   * option has the wrong type.
   * @throws {RangeError} If the depth is not a positive integer.
   * @throws {Deno.errors.NotSupported} For `zlp: "auto"` on an isochronous
   * endpoint.
   * @throws {Deno.errors.BadResource} If the function is closed.
   */
  openWritable(options: WritableOptions = {}): WritableStream<Uint8Array> {
    const action = `open a stream to endpoint "${this.name}"`;
    checkOptions(action, options, STREAM_OPTIONS);
    const { depth = 1, zlp } = options;
    this.assertOpen("open a stream to");
    const core = this.core;
    if (core.stream !== undefined) {
      throw new TypeError(
        `Cannot ${action}: it has one that is neither closed nor aborted`,
      );
    }
    assertDepth(depth, action);
    const { session } = this;
    this.#endsWithZlp(zlp);
    const stream = makeWritable({
      name: this.name,
      begin: (data, resolve, reject) => {
        const bytes = stableBytes(data);
        this.assertOpen("write to");
        const write = new Write(core.port, { session }, resolve, reject);
        write.start(bytes, this.#endsWithZlp(zlp), true);
        return write;
      },
      wake: () => core.port.queue.wake(),
      lost: session?.signal,
      onOver: () => {
        if (core.stream === stream) core.stream = undefined;
      },
    }, depth);
    return core.stream = stream;
  }
}

const STREAM_OPTIONS: Rules<WritableOptions> = {
  depth: NUMBER,
  zlp: ZLP,
};

const WRITE_OPTIONS: Rules<WriteOptions> = {
  ...ENDPOINT_RULES,
  zlp: ZLP,
};

/** One object for all calls without options. */
const DEFAULTS = {};
