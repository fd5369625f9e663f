/**
 * A host of USBTMC that does everything: transfers of any kind, abandoned and
 * aborted ones, and headers that lie.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { ControlHandler, EndpointPair, InEndpoint } from "@usb/gadget";
import { type FakeSession, fakeSetup } from "@usb/gadget/testing";

type Bytes = Uint8Array<ArrayBuffer>;

/** Class requests. */
export const Request = {
  INITIATE_ABORT_BULK_OUT: 1,
  CHECK_ABORT_BULK_OUT: 2,
  INITIATE_ABORT_BULK_IN: 3,
  CHECK_ABORT_BULK_IN: 4,
  INITIATE_CLEAR: 5,
  CHECK_CLEAR: 6,
  GET_CAPABILITIES: 7,
  INDICATOR_PULSE: 64,
  READ_STATUS_BYTE: 128,
  REN_CONTROL: 160,
  GO_TO_LOCAL: 161,
  LOCAL_LOCKOUT: 162,
} as const;

/** What a transfer from the device carries. */
export interface Response {
  readonly tag: number;
  readonly text: string;
  readonly bytes: Bytes;
  readonly eom: boolean;
  readonly endsWithTermChar: boolean;
  /** Bytes of the transfer, with header and alignment. */
  readonly length: number;
}

/** What {@linkcode UsbtmcHost.write} sends. */
export interface WriteOptions {
  readonly eom?: boolean;
  /** MsgID. @default {1} */
  readonly id?: number;
  /** TransferSize, if it is not the size of the data. */
  readonly size?: number;
  /** The inverse of the tag, if it is not that. */
  readonly inverse?: number;
  readonly zlp?: "auto" | "never";
}

/** The transfers of a session in memory. */
export class UsbtmcHost {
  readonly #session: FakeSession;
  readonly #link: EndpointPair;
  readonly #notifications: InEndpoint;
  readonly #control: ControlHandler;
  /** Of the last transfer to the device. */
  tag = 0;
  /** Ends transfers early. */
  signal: AbortSignal | undefined;

  constructor(session: FakeSession, control: ControlHandler) {
    this.#session = session;
    this.#control = control;
    const { link, notifications } = session.endpoints as unknown as {
      link: EndpointPair;
      notifications: InEndpoint;
    };
    this.#link = link;
    this.#notifications = notifications;
  }

  get packetSize(): number {
    return this.#link.in.maxPacketSize;
  }

  /** Sends anything. */
  async send(bytes: Bytes, zlp: "auto" | "never" = "never"): Promise<void> {
    const { signal } = this;
    await this.#session.host.write(this.#link, bytes, { zlp, signal });
  }

  /** Sends a part of a message, or all of it. */
  async write(
    data: string | Uint8Array,
    { eom = true, id = 1, size, inverse, zlp }: WriteOptions = {},
  ): Promise<void> {
    const bytes = typeof data === "string"
      ? new TextEncoder().encode(data)
      : data;
    this.tag = this.tag % 255 + 1;
    const { length } = bytes;
    const transfer = new Uint8Array(12 + Math.ceil(length / 4) * 4);
    transfer.set([id, this.tag, inverse ?? 255 - this.tag]);
    new DataView(transfer.buffer).setUint32(4, size ?? length, true);
    transfer[8] = eom ? 1 : 0;
    transfer.set(bytes, 12);
    await this.send(transfer, zlp);
  }

  /** Asks for a part of a response. */
  async request(size = 1 << 20, termChar?: string): Promise<void> {
    this.tag = this.tag % 255 + 1;
    const transfer = new Uint8Array(12);
    transfer.set([2, this.tag, 255 - this.tag]);
    new DataView(transfer.buffer).setUint32(4, size, true);
    if (termChar !== undefined) {
      transfer.set([2, termChar.charCodeAt(0)], 8);
    }
    await this.send(transfer);
  }

  /** Receives any transfer. */
  async receive(length = 1 << 21): Promise<Bytes> {
    const { signal } = this;
    const { host } = this.#session;
    return new Uint8Array(await host.read(this.#link, length, { signal }));
  }

  /** Receives a part of a response. */
  async receivePart(): Promise<Response> {
    const bytes = await this.receive();
    assert(bytes.length >= 12, `only ${bytes.length} bytes`);
    assertEquals([bytes[0], bytes[2]], [2, 255 - bytes[1]]);
    const size = new DataView(bytes.buffer).getUint32(4, true);
    const data = bytes.slice(12, 12 + size);
    assertEquals(data.length, size);
    return {
      tag: bytes[1],
      text: new TextDecoder().decode(data),
      bytes: data,
      eom: (bytes[8] & 1) !== 0,
      endsWithTermChar: (bytes[8] & 2) !== 0,
      length: bytes.length,
    };
  }

  /** Asks for a part of a response, and receives it. */
  async read(size?: number, termChar?: string): Promise<Response> {
    await this.request(size, termChar);
    const response = await this.receivePart();
    assertEquals(response.tag, this.tag);
    return response;
  }

  /** Sends a message, and receives its response, which has to be a single transfer. */
  async ask(text: string): Promise<string> {
    await this.write(text);
    const response = await this.read();
    assert(response.eom);
    return response.text;
  }

  /** Sends a trigger. */
  trigger(): Promise<void> {
    return this.write("", { id: 128, eom: false });
  }

  /** A class request; returns the answer, or `"stall"`. */
  async control(
    request: number,
    value = 0,
    length = 24,
  ): Promise<number[] | "stall"> {
    // As FunctionFS has it, after what the host has sent before.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const setup = fakeSetup({
      type: "class",
      recipient: request <= 4 ? "endpoint" : "interface",
      direction: "in",
      request,
      value,
      length,
    }, { session: this.#session });
    const outcome = await setup.answer(this.#control);
    if (outcome === "stall") return "stall";
    assert(typeof outcome === "object" && "sent" in outcome, `${outcome}`);
    return [...outcome.sent];
  }

  /** Clears the device, as hosts do. */
  async clear(): Promise<void> {
    assertEquals(await this.control(Request.INITIATE_CLEAR), [1]);
    assertEquals(await this.control(Request.CHECK_CLEAR), [1, 0]);
    await this.clearHalt();
  }

  /** Clears the halt of the endpoint to the device. */
  clearHalt(): Promise<void> {
    return this.#session.host.clearHalt(this.#link.out);
  }

  /** Polls the interrupt endpoint. */
  async notification(): Promise<number[]> {
    return [...await this.#session.host.read(this.#notifications, 2)];
  }

  /** Reads the status byte with a tag. */
  async status(tag = 2): Promise<number> {
    const answer = await this.control(Request.READ_STATUS_BYTE, tag, 3);
    assertEquals(answer, [1, tag, 0]);
    const [found, status] = await this.notification();
    assertEquals(found, 0x80 | tag);
    return status;
  }
}
