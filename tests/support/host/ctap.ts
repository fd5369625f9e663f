/**
 * The host's side of CTAPHID. Encodes and decodes packets by itself, so that it
 * can check what the package does.
 *
 * @module
 */
import { assertEquals } from "@std/assert";

/** A message of a device. */
export interface CtapMessage {
  readonly channel: number;
  readonly command: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

export const BROADCAST = 0xffffffff;
export const PING = 0x01;
export const MSG = 0x03;
export const LOCK = 0x04;
export const INIT = 0x06;
export const WINK = 0x08;
export const CBOR = 0x10;
export const CANCEL = 0x11;
export const KEEPALIVE = 0x3b;
export const ERROR = 0x3f;

const TIMEOUT_MS = 60_000;

/** The first packet of a message. */
export function startPacket(
  channel: number,
  command: number,
  length: number,
  data: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(64);
  const view = new DataView(packet.buffer);
  view.setUint32(0, channel);
  packet[4] = 0x80 + command;
  view.setUint16(5, length);
  packet.set(data, 7);
  return packet;
}

/** Another packet of a message. */
export function nextPacket(
  channel: number,
  sequence: number,
  data: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(64);
  new DataView(packet.buffer).setUint32(0, channel);
  packet[4] = sequence;
  packet.set(data, 5);
  return packet;
}

/** The packets of a message. */
export function packetsOf(
  channel: number,
  command: number,
  data: Uint8Array,
): Uint8Array<ArrayBuffer>[] {
  const first = data.subarray(0, 57);
  const packets = [startPacket(channel, command, data.length, first)];
  for (let at = 57, sequence = 0; at < data.length; at += 59, sequence++) {
    packets.push(nextPacket(channel, sequence, data.subarray(at, at + 59)));
  }
  return packets;
}

/** A program on the host: sends messages, and puts the device's packets together. */
export class CtapHost {
  readonly #write: (packet: Uint8Array<ArrayBuffer>) => unknown;
  /** Messages of which packets are missing, by channel. */
  readonly #parts = new Map<
    number,
    CtapMessage & { filled: number; sequence: number }
  >();
  /** Messages that have come and were not asked for. */
  readonly messages: CtapMessage[] = [];
  #waiting: {
    readonly condition: (message: CtapMessage) => boolean;
    readonly resolve: (message: CtapMessage) => void;
  }[] = [];

  /** @param write Writes a packet to the device. */
  constructor(write: (packet: Uint8Array<ArrayBuffer>) => unknown) {
    this.#write = write;
  }

  /** Takes a packet of the device. */
  take(packet: Uint8Array): void {
    assertEquals(packet.length, 64);
    const view = new DataView(packet.buffer, packet.byteOffset, 64);
    const channel = view.getUint32(0);
    let part = this.#parts.get(channel);
    if (packet[4] >= 0x80) {
      const data = new Uint8Array(view.getUint16(5));
      const command = packet[4] - 0x80;
      part = { channel, command, data, filled: 0, sequence: 0 };
      this.#parts.set(channel, part);
    } else if (part === undefined) {
      throw new Error(`Channel ${channel} goes on with no message`);
    } else {
      assertEquals(packet[4], part.sequence++);
    }
    const data = packet.subarray(packet[4] >= 0x80 ? 7 : 5)
      .subarray(0, part.data.length - part.filled);
    part.data.set(data, part.filled);
    part.filled += data.length;
    if (part.filled < part.data.length) return;
    this.#parts.delete(channel);
    this.#deliver({ channel, command: part.command, data: part.data });
  }

  #deliver(message: CtapMessage): void {
    const taker = this.#waiting.find(({ condition }) => condition(message));
    if (taker === undefined) {
      this.messages.push(message);
      return;
    }
    this.#waiting = this.#waiting.filter((each) => each !== taker);
    taker.resolve(message);
  }

  /** Waits for the next message that fulfils a condition. */
  next(condition: (message: CtapMessage) => boolean): Promise<CtapMessage> {
    const at = this.messages.findIndex(condition);
    if (at >= 0) return Promise.resolve(this.messages.splice(at, 1)[0]);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`The device is silent for ${TIMEOUT_MS} ms`)),
        TIMEOUT_MS,
      );
      this.#waiting.push({
        condition,
        resolve: (message) => {
          clearTimeout(timer);
          resolve(message);
        },
      });
    });
  }

  /** Waits for a message on a channel that is not a keep-alive. */
  answer(channel: number): Promise<CtapMessage> {
    return this.next((message) =>
      message.channel === channel && message.command !== KEEPALIVE
    );
  }

  /** Writes packets as they are. */
  async write(...packets: readonly Uint8Array<ArrayBuffer>[]): Promise<void> {
    for (const packet of packets) await this.#write(packet);
  }

  /** Sends a message. */
  send(channel: number, command: number, data: Uint8Array): Promise<void> {
    return this.write(...packetsOf(channel, command, data));
  }

  /** Sends a message, and waits for the answer. */
  async ask(
    channel: number,
    command: number,
    data: Uint8Array = new Uint8Array(0),
  ): Promise<CtapMessage> {
    await this.send(channel, command, data);
    return await this.answer(channel);
  }

  /** Sends a message that the device refuses, and returns the error's code. */
  async failure(
    channel: number,
    command: number,
    data?: Uint8Array,
  ): Promise<number> {
    return codeOf(await this.ask(channel, command, data));
  }

  /** Sends INIT, and returns the whole response. */
  async init(channel = BROADCAST): Promise<Uint8Array<ArrayBuffer>> {
    const nonce = crypto.getRandomValues(new Uint8Array(8));
    await this.send(channel, INIT, nonce);
    const { data } = await this.next((message) =>
      message.channel === channel && message.command === INIT &&
      message.data.slice(0, 8).join() === nonce.join()
    );
    assertEquals(data.length, 17);
    return data;
  }

  /** Asks for a channel. */
  async open(): Promise<number> {
    const response = await this.init();
    return new DataView(response.buffer).getUint32(8);
  }
}

/** The code of an error. */
export function codeOf({ command, data }: CtapMessage): number {
  assertEquals([command, data.length], [ERROR, 1]);
  return data[0];
}
