/**
 * The transport of CTAP over HID, from packets to requests and back (CTAP 2.1,
 * 11.2). Knows no USB: packets come in by a call and go out by a callback.
 *
 * Where the specification leaves a choice:
 * - An unused channel is recycled when too many are allocated.
 * - INIT restarts a channel also while another one has a transaction.
 * - The first packet of a message whose previous one is incomplete is an error of
 *   sequence (INVALID_SEQ), and ends the latter.
 * - A transaction ends when the last packet of its response is handed over.
 * - LOCK is not implemented.
 *
 * @module
 */
import { Channels, randomChannel } from "./channels.ts";
import {
  callHandler,
  capabilities,
  type CtapHandlers,
  problemOf,
} from "./handlers.ts";
import { Outbox } from "./outbox.ts";
import {
  Assembly,
  BROADCAST,
  Command,
  type ContinuationPacket,
  decodePacket,
  encodeMessage,
  ErrorCode,
  type StartPacket,
} from "./packets.ts";
import { RunningRequest } from "./request.ts";

/** Options of {@linkcode CtapTransport}. */
export interface CtapTransportOptions extends CtapHandlers {
  /** Sends a packet; resolves when the next one can be sent. */
  readonly send: (packet: Uint8Array<ArrayBuffer>) => Promise<void>;
  /** Receives what handlers and `send` throw. */
  readonly onError: (error: unknown) => void;
  /** Major, minor and build. */
  readonly deviceVersion: readonly [number, number, number];
  /** The longest pause between the packets of a message. */
  readonly packetTimeoutMs?: number;
  readonly keepAliveMs?: number;
  readonly maxChannels?: number;
  /** Suggests identifiers for new channels. */
  readonly pickChannel?: () => number;
}

const NONCE_SIZE = 8;
const PROTOCOL_VERSION = 2;
/** CTAP2_ERR_KEEPALIVE_CANCEL: the response to a request that the host has cancelled. */
const CANCELLED = Uint8Array.of(0x2d);

/** A message that is incomplete. */
interface Incoming {
  readonly assembly: Assembly;
  timer?: ReturnType<typeof setTimeout>;
}

/** The device's side of the transport. Nothing that a host sends makes it throw. */
export class CtapTransport {
  readonly #handlers: CtapHandlers;
  readonly #onError: (error: unknown) => void;
  readonly #version: readonly number[];
  readonly #packetTimeoutMs: number;
  readonly #keepAliveMs: number;
  readonly #channels: Channels;
  readonly #outbox: Outbox;
  // The transaction is one of these, or there is none.
  #incoming: Incoming | undefined;
  #request: RunningRequest | undefined;
  /** The last call of a handler: they run one after another, aborted ones too. */
  #handling: Promise<void> = Promise.resolve();

  constructor(options: CtapTransportOptions) {
    const { packetTimeoutMs = 500, keepAliveMs = 100 } = options;
    const { maxChannels = 1024, pickChannel = randomChannel } = options;
    this.#handlers = options;
    this.#onError = options.onError;
    this.#version = options.deviceVersion;
    this.#packetTimeoutMs = packetTimeoutMs;
    this.#keepAliveMs = keepAliveMs;
    this.#channels = new Channels(maxChannels, pickChannel);
    this.#outbox = new Outbox(options.send, options.onError);
  }

  /** Takes a packet of the host. Its memory may be used again after this. */
  receive(report: Uint8Array): void {
    const packet = decodePacket(report);
    if (packet?.kind === "start") this.#start(packet);
    if (packet?.kind === "continuation") this.#continue(packet);
  }

  /** Forgets all channels, and aborts the transaction: the host is gone. */
  reset(): void {
    this.#dropIncoming();
    this.#abortRequest("The connection to the host has ended");
    this.#outbox.clear();
    this.#channels.clear();
  }

  #start(packet: StartPacket): void {
    const { channel, command, length } = packet;
    const isKnown = this.#channels.use(channel);
    if (command === Command.INIT && (isKnown || channel === BROADCAST)) {
      return this.#initialize(packet);
    }
    if (!isKnown) return this.#refuse(channel, ErrorCode.INVALID_CHANNEL);
    if (command === Command.CANCEL) return this.#cancel(channel);
    if (this.#incoming?.assembly.channel === channel) {
      this.#dropIncoming();
      return this.#refuse(channel, ErrorCode.INVALID_SEQ);
    }
    if (this.#incoming !== undefined || this.#request !== undefined) {
      return this.#refuse(channel, ErrorCode.CHANNEL_BUSY);
    }
    const problem = problemOf(this.#handlers, command, length);
    if (problem !== undefined) return this.#refuse(channel, problem);
    this.#assemble({ assembly: new Assembly(packet) });
  }

  #continue(packet: ContinuationPacket): void {
    const incoming = this.#incoming;
    // Without a first packet, or after that was refused.
    if (incoming?.assembly.channel !== packet.channel) return;
    this.#channels.use(packet.channel);
    this.#dropIncoming();
    if (incoming.assembly.add(packet)) return this.#assemble(incoming);
    this.#refuse(packet.channel, ErrorCode.INVALID_SEQ);
  }

  /** Waits for the next packet, or performs the request. */
  #assemble(incoming: Incoming): void {
    const { assembly } = incoming;
    if (assembly.isComplete) return this.#perform(assembly);
    this.#incoming = incoming;
    incoming.timer = setTimeout(() => {
      this.#dropIncoming();
      this.#refuse(assembly.channel, ErrorCode.MSG_TIMEOUT);
    }, this.#packetTimeoutMs);
  }

  #dropIncoming(): void {
    clearTimeout(this.#incoming?.timer);
    this.#incoming = undefined;
  }

  /** Allocates a channel, or puts one back into its first state. */
  #initialize({ channel, length, data }: StartPacket): void {
    if (length !== NONCE_SIZE) {
      return this.#refuse(channel, ErrorCode.INVALID_LEN);
    }
    if (this.#incoming?.assembly.channel === channel) this.#dropIncoming();
    if (this.#request?.channel === channel) {
      this.#abortRequest("The host has restarted the channel");
    }
    if (channel !== BROADCAST) this.#outbox.drop(channel);
    const busy = this.#request?.channel ?? this.#incoming?.assembly.channel;
    const response = new DataView(new ArrayBuffer(NONCE_SIZE + 9));
    const bytes = new Uint8Array(response.buffer);
    bytes.set(data.subarray(0, NONCE_SIZE));
    response.setUint32(
      NONCE_SIZE,
      channel === BROADCAST ? this.#channels.allocate(busy) : channel,
    );
    bytes.set([
      PROTOCOL_VERSION,
      ...this.#version,
      capabilities(this.#handlers),
    ], NONCE_SIZE + 4);
    this.#outbox.note(channel, encodeMessage(channel, Command.INIT, bytes));
  }

  #abortRequest(reason: string): void {
    const request = this.#request;
    this.#request = undefined;
    request?.abort(reason);
  }

  #cancel(channel: number): void {
    const request = this.#request;
    if (request?.channel !== channel) return;
    if (request.command === Command.CBOR) request.cancel();
  }

  #perform({ channel, command, data }: Assembly): void {
    const request = new RunningRequest(
      channel,
      command,
      command !== Command.CBOR ? undefined : {
        intervalMs: this.#keepAliveMs,
        send: (status) => this.#keepAlive(channel, status),
      },
    );
    this.#request = request;
    if (command === Command.PING) return this.#answer(request, command, data);
    this.#handling = this.#handling.then(() => this.#handle(request, data));
  }

  #keepAlive(channel: number, status: number): void {
    const data = Uint8Array.of(status);
    const packets = encodeMessage(channel, Command.KEEPALIVE, data);
    this.#outbox.status(channel, packets);
  }

  /** Calls a handler, and sends its response. Never rejects. */
  async #handle(
    request: RunningRequest,
    data: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    let response: Uint8Array | undefined;
    try {
      // While it waited for an earlier handler.
      request.signal.throwIfAborted();
      response = await callHandler(this.#handlers, request, data);
    } catch (error) {
      if (!request.isAbort(error)) this.#onError(error);
      else if (request.isCancelled) response = CANCELLED;
    }
    if (this.#request !== request) return;
    if (response === undefined) {
      const code = Uint8Array.of(ErrorCode.OTHER);
      return this.#answer(request, Command.ERROR, code);
    }
    this.#answer(request, request.command, response);
  }

  #answer(request: RunningRequest, command: number, data: Uint8Array): void {
    const { channel } = request;
    request.answered();
    this.#outbox.post(channel, encodeMessage(channel, command, data), () => {
      if (this.#request === request) this.#request = undefined;
    });
  }

  #refuse(channel: number, code: number): void {
    const data = Uint8Array.of(code);
    this.#outbox.note(channel, encodeMessage(channel, Command.ERROR, data));
  }
}
