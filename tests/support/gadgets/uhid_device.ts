/**
 * A HID device without USB, from the kernel's uhid: for tests of what reads HID
 * devices on the host.
 *
 * @module
 */
import { O_NONBLOCK, O_RDWR } from "../../../ffi/abi.ts";
import { isSystemError } from "../../../ffi/errno.ts";
import { close, open, read, write } from "../../../ffi/file.ts";

const PATH = "/dev/uhid";
// linux/uhid.h: u32 type, and a packed union; a shorter write is completed with zeros.
const UHID_OUTPUT = 6;
const UHID_CREATE2 = 11;
const UHID_INPUT2 = 12;
/** Bytes of `struct uhid_event`. */
const EVENT_SIZE = 4380;
const MAX_REPORT = 4096;
const BUS_USB = 3;

/** What a device says of itself. */
export interface UhidOptions {
  readonly name: string;
  readonly vendorId: number;
  readonly productId: number;
  readonly report: Uint8Array;
}

/** A device that reports what it is asked to, and keeps output reports. */
export class UhidDevice implements Disposable {
  readonly #fd = open(PATH, O_RDWR | O_NONBLOCK);
  #plugged = true;

  /** Plugs it in. The module uhid must be loaded. */
  constructor({ name, vendorId, productId, report }: UhidOptions) {
    // u8 name[128], phys[64], uniq[64], u16 rd_size, bus, u32 vendor, product,
    // version, country, u8 rd_data[4096]
    const event = new Uint8Array(4 + 276 + report.byteLength);
    const view = new DataView(event.buffer);
    view.setUint32(0, UHID_CREATE2, true);
    new TextEncoder().encodeInto(name, event.subarray(4, 4 + 127));
    view.setUint16(4 + 256, report.byteLength, true);
    view.setUint16(4 + 258, BUS_USB, true);
    view.setUint32(4 + 260, vendorId, true);
    view.setUint32(4 + 264, productId, true);
    event.set(report, 4 + 276);
    write(this.#fd, event, { path: PATH });
  }

  /** Sends an input report. */
  input(...report: number[]): void {
    // u16 size, u8 data[4096]
    const event = new Uint8Array(6 + report.length);
    const view = new DataView(event.buffer);
    view.setUint32(0, UHID_INPUT2, true);
    view.setUint16(4, report.length, true);
    event.set(report, 6);
    write(this.#fd, event, { path: PATH });
  }

  /** The next output report that has come; undefined if there is none. */
  output(): number[] | undefined {
    const event = new Uint8Array(EVENT_SIZE);
    const view = new DataView(event.buffer);
    for (;;) {
      try {
        if (read(this.#fd, event, { path: PATH }) === 0) return undefined;
      } catch (error) {
        if (isSystemError(error, "EAGAIN")) return undefined;
        throw error;
      }
      if (view.getUint32(0, true) !== UHID_OUTPUT) continue;
      // u8 data[4096], u16 size, u8 rtype
      const size = view.getUint16(4 + MAX_REPORT, true);
      return [...event.subarray(4, 4 + size)];
    }
  }

  /** Unplugs it. */
  [Symbol.dispose](): void {
    if (this.#plugged) close(this.#fd);
    this.#plugged = false;
  }
}
