/**
 * A host of Bulk-Only Transport (Bulk-Only 1.0) that does everything: commands
 * with any fields, data phases in pieces, abandoned ones, and reset recovery.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { ControlHandler, EndpointPair } from "@usb/gadget";
import { type FakeSession, fakeSetup } from "@usb/gadget/testing";
import type { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";
import {
  isTransferError,
  type TransferOptions,
} from "../../../src/testing/usbfs/transfer.ts";
import { requestSense } from "../disk/cdb.ts";
import { bulkEndpoints } from "./echo.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Direction = "in" | "out";

const CBW_SIGNATURE = 0x43425355;
const CSW_SIGNATURE = 0x53425355;
const CSW_LENGTH = 13;
const GET_MAX_LUN = 0xfe;
const BULK_ONLY_RESET = 0xff;
/** Of a class, to an interface. */
const REQUEST_TYPE = 0x21;

/** bCSWStatus. */
export const PASSED = 0;
export const FAILED = 1;
export const PHASE_ERROR = 2;

/** The transfers of a host, on a bus or in memory. */
export interface BulkOnlyPipe {
  /** wMaxPacketSize of both endpoints. */
  readonly packetSize: number;
  /** @throws {HostTransferError} */
  send(data: Bytes, options?: TransferOptions): Promise<number>;
  /** @throws {HostTransferError} */
  receive(length: number, options?: TransferOptions): Promise<Bytes>;
  clearHalt(direction: Direction): Promise<void>;
  /** BULK_ONLY_RESET. */
  reset(): Promise<unknown>;
}

/** The pipe of a real device, whose interface is claimed. */
export function usbfsPipe(device: UsbfsDevice): BulkOnlyPipe {
  const { input, output, packetSize } = bulkEndpoints(device);
  return {
    packetSize,
    send: (data, options) => device.bulkOut(output, data, options),
    receive: (length, options) => device.bulkIn(input, length, options),
    clearHalt: (direction) =>
      device.clearHalt(direction === "in" ? input : output),
    reset: () =>
      device.controlOut({
        requestType: REQUEST_TYPE,
        request: BULK_ONLY_RESET,
      }),
  };
}

/** The pipe of a session in memory. */
export function fakePipe(
  session: FakeSession,
  control: ControlHandler,
): BulkOnlyPipe {
  const { host } = session;
  const { link } = session.endpoints as unknown as { link: EndpointPair };
  return {
    packetSize: link.in.maxPacketSize,
    send: (data, options) => host.write(link, data, options),
    receive: (length, options) => host.read(link, length, options),
    clearHalt: (direction) => host.clearHalt(link[direction]),
    async reset() {
      const request = {
        direction: "out",
        type: "class",
        recipient: "interface",
        request: BULK_ONLY_RESET,
      } as const;
      const outcome = await fakeSetup(request, { session }).answer(control);
      assertEquals(outcome, { taken: 0 });
    },
  };
}

/** The fields of a Command Block Wrapper (5.1). */
export interface CommandWrapper {
  readonly cdb: readonly number[];
  /** @default {0} */
  readonly lun?: number;
  /** dCBWDataTransferLength. @default {0} */
  readonly length?: number;
  /** @default {"in"} */
  readonly direction?: Direction;
  /** @default {the next number} */
  readonly tag?: number;
  readonly signature?: number;
  /** bmCBWFlags, in place of the direction. */
  readonly flags?: number;
  /** The whole byte of bCBWCBLength. @default {the length of the CDB} */
  readonly cdbLength?: number;
}

/** Encodes the 31 bytes of a command. */
export function encodeCbw(fields: CommandWrapper & { tag: number }): Bytes {
  const { cdb, lun = 0, length = 0, direction = "in", tag } = fields;
  const view = new DataView(new ArrayBuffer(31));
  view.setUint32(0, fields.signature ?? CBW_SIGNATURE, true);
  view.setUint32(4, tag, true);
  view.setUint32(8, length, true);
  view.setUint8(12, fields.flags ?? (direction === "in" ? 0x80 : 0));
  view.setUint8(13, lun);
  view.setUint8(14, fields.cdbLength ?? cdb.length);
  const bytes = new Uint8Array(view.buffer);
  bytes.set(cdb.slice(0, 16), 15);
  return bytes;
}

/** A Command Status Wrapper (5.2). */
export interface StatusWrapper {
  readonly status: number;
  readonly residue: number;
}

/** The host's side of a command that has ended. */
export interface CommandResult extends StatusWrapper {
  /** Received in the data phase. */
  readonly data: Bytes;
  /** Taken by the device in the data phase. */
  readonly sent: number;
  /** Whether the data phase ended with a stall, or the status began with one. */
  readonly stalled: boolean;
}

/** The data phase of a command. */
export interface DataPhase {
  readonly lun?: number;
  /** Bytes that the host asks for. */
  readonly receive?: number;
  /** Bytes that it sends. */
  readonly send?: Bytes;
}

/** A host; see the module. */
export class BulkOnlyHost {
  readonly pipe: BulkOnlyPipe;
  readonly #device: UsbfsDevice | undefined;
  #tag = 0x1000_0000;

  /** @param device For control requests. */
  constructor(pipe: BulkOnlyPipe, device?: UsbfsDevice) {
    this.pipe = pipe;
    this.#device = device;
  }

  /** Takes the first interface of a device. */
  static async claim(device: UsbfsDevice): Promise<BulkOnlyHost> {
    await device.claimInterface(0);
    return new BulkOnlyHost(usbfsPipe(device), device);
  }

  get packetSize(): number {
    return this.pipe.packetSize;
  }

  get device(): UsbfsDevice {
    assert(this.#device !== undefined, "a session in memory has no device");
    return this.#device;
  }

  /** The tag of the last command. */
  get tag(): number {
    return this.#tag;
  }

  /** Sends a command without what follows. */
  async command(fields: CommandWrapper): Promise<void> {
    const { tag = this.#tag + 1 } = fields;
    this.#tag = tag;
    await this.pipe.send(encodeCbw({ ...fields, tag }));
  }

  /** Receives and checks the status of the last command. Reads no further than that. */
  async status(options?: TransferOptions): Promise<StatusWrapper> {
    // A whole packet, to see what is too long
    const csw = await this.pipe.receive(this.packetSize, options);
    assertEquals(csw.length, CSW_LENGTH, `status ${csw.slice(0, 64).toHex()}`);
    const view = new DataView(csw.buffer, csw.byteOffset);
    assertEquals(view.getUint32(0, true), CSW_SIGNATURE);
    assertEquals(view.getUint32(4, true), this.#tag, "the tag");
    return { status: csw[12], residue: view.getUint32(8, true) };
  }

  /** Runs a command with all its phases. Clears halts as a host does (6.7). */
  async run(
    cdb: readonly number[],
    { lun, receive, send }: DataPhase = {},
  ): Promise<CommandResult> {
    const length = send?.length ?? receive ?? 0;
    const direction = send === undefined ? "in" : "out";
    await this.command({ cdb, lun, length, direction });
    const phase = length === 0
      ? { data: new Uint8Array(0), sent: 0, stalled: false }
      : send === undefined
      ? await this.#receive(length)
      : await this.#send(send);
    const first = await stallOr(this.status());
    if (first !== "stall") return { ...phase, ...first };
    // 5.3.3: clears the halt, and tries once more.
    await this.pipe.clearHalt("in");
    return { ...phase, ...await this.status(), stalled: true };
  }

  /** Runs a command that has to succeed without residue. */
  async pass(
    cdb: readonly number[],
    phase: DataPhase = {},
  ): Promise<Bytes> {
    const { status, residue, data } = await this.run(cdb, phase);
    if (status === FAILED) {
      assertEquals(await this.sense(phase.lun), "no error");
    }
    assertEquals({ status, residue }, { status: PASSED, residue: 0 });
    return data;
  }

  /** Runs a command that returns up to so many bytes, and returns them. */
  async ask(
    cdb: readonly number[],
    receive: number,
    lun?: number,
  ): Promise<Bytes> {
    const { status, residue, data } = await this.run(cdb, { receive, lun });
    if (status === FAILED) assertEquals(await this.sense(lun), "no error");
    assertEquals(status, PASSED);
    assertEquals(residue, receive - data.length, "the residue");
    return data;
  }

  /** Runs a command that has to fail without data; returns its sense as text. */
  async fail(cdb: readonly number[], phase: DataPhase = {}): Promise<string> {
    const { status, data } = await this.run(cdb, phase);
    assertEquals({ status, data: data.length }, { status: FAILED, data: 0 });
    return await this.sense(phase.lun);
  }

  /** The sense data of the last command, as text: {@linkcode senseText}. */
  async sense(lun?: number): Promise<string> {
    const { status, data } = await this.run(requestSense(), {
      receive: 252,
      lun,
    });
    assertEquals(status, PASSED);
    return senseText(data);
  }

  /** GET_MAX_LUN. */
  async maxLun(): Promise<number> {
    const [last] = await this.device.controlIn({
      requestType: REQUEST_TYPE,
      request: GET_MAX_LUN,
      length: 1,
    });
    return last;
  }

  /** The first step of reset recovery. */
  async reset(): Promise<void> {
    await this.pipe.reset();
  }

  /** Reset recovery (5.3.4), which ends any command. */
  async recover(): Promise<void> {
    await this.reset();
    await this.pipe.clearHalt("in");
    await this.pipe.clearHalt("out");
  }

  async #receive(length: number) {
    const [data, stalled] = await unlessStalled(
      this.pipe.receive(length),
      (error) => error.data,
    );
    if (stalled) await this.pipe.clearHalt("in");
    return { data, sent: 0, stalled };
  }

  async #send(bytes: Bytes) {
    const [sent, stalled] = await unlessStalled(
      this.pipe.send(bytes),
      (error) => error.transferred,
    );
    if (stalled) await this.pipe.clearHalt("out");
    return { data: new Uint8Array(0), sent, stalled };
  }
}

/** The result of a transfer, or that it was stalled. */
export async function stallOr<T>(transfer: Promise<T>): Promise<T | "stall"> {
  const [result, stalled] = await unlessStalled(transfer, () => undefined);
  return stalled ? "stall" : result as T;
}

async function unlessStalled<T, U>(
  transfer: Promise<T>,
  partOf: (error: { data: Bytes; transferred: number }) => U,
): Promise<[T | U, boolean]> {
  try {
    return [await transfer, false];
  } catch (error) {
    if (!isTransferError(error, "EPIPE")) throw error;
    return [partOf(error), true];
  }
}

/**
 * Sense data (SPC-4, 4.5) as text: the key, the additional sense code and its
 * qualifier in hexadecimal, and the block in the information field if it is
 * valid: `"5/24/00"`, `"3/11/00 block 7"`.
 */
export function senseText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hex = (value: number) => value.toString(16).padStart(2, "0");
  const format = bytes[0] & 0x7f;
  if (format === 0x72) {
    assertEquals(bytes.length, 8 + bytes[7]);
    const codes = `${bytes[1]}/${hex(bytes[2])}/${hex(bytes[3])}`;
    return bytes[7] === 0 ? codes : `${codes} block ${view.getBigUint64(12)}`;
  }
  assertEquals(format, 0x70, "the format of the sense data");
  assertEquals(bytes.length, 8 + bytes[7]);
  const codes = `${bytes[2].toString(16)}/${hex(bytes[12])}/${hex(bytes[13])}`;
  return bytes[0] & 0x80 ? `${codes} block ${view.getUint32(3)}` : codes;
}
