/**
 * The kernel's record of a bus.
 *
 * @module
 */
import { O_NONBLOCK, O_RDONLY, POLLIN } from "../../../ffi/abi.ts";
import { Errno } from "../../../ffi/errno.ts";
import { close, ioctl, open } from "../../../ffi/file.ts";
import { ERRNO, libc } from "../../../ffi/libc.ts";
import { addressOf } from "../../../ffi/memory.ts";
import { type Watch, watch } from "../../../ffi/reactor.ts";
import type { Direction, TransferType } from "../../usb/endpoint_attributes.ts";
import type { SetupPacket } from "../../usb/setup_packet.ts";
import {
  capturedLength,
  decodeHeader,
  HEADER_SIZE,
  LARGEST_RING,
  MON_IOCG_STATS,
  MON_IOCT_RING_SIZE,
  MON_IOCX_GETX,
} from "./abi.ts";
import { encodePcapng } from "./pcapng.ts";

/**
 * The beginning or the end of a transfer, as the host's kernel has seen it.
 *
 * @category Testing
 */
export interface BusEvent {
  /** `"error"` is a transfer that the kernel could not submit. */
  readonly type: "submit" | "complete" | "error";
  /** The same for the beginning and the end of a transfer. */
  readonly id: bigint;
  /** The transfer type. */
  readonly transferType: TransferType | "control";
  /** The direction. */
  readonly direction: Direction;
  /** The endpoint in the definition, such as `"echo.link"`; undefined for endpoint 0. */
  readonly endpoint?: string;
  /** `bEndpointAddress`. */
  readonly address: number;
  /** Milliseconds since the record began. */
  readonly time: number;
  /** 0, or a negative error number: -32 (EPIPE) for a stall. -115 at the beginning. */
  readonly status: number;
  /** Bytes requested, or transferred. */
  readonly length: number;
  /** The request at the beginning of a control transfer. */
  readonly setup?: SetupPacket;
  /** The data where it is known: at the beginning of a transfer to the device, and at the end of one from it. At most 240 KiB. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Whose transfers are recorded. */
export interface RecordedDevice {
  readonly busNumber: number;
  /** All addresses that it had so far. */
  readonly addresses: ReadonlySet<number>;
  /** The names of its endpoints, by address. */
  readonly names: ReadonlyMap<number, string>;
}

/**
 * The transfers of a device, recorded by the host's kernel (usbmon) from
 * {@linkcode TestHost.record} on.
 *
 * @category Testing
 */
export class BusRecord implements AsyncDisposable {
  readonly #device: RecordedDevice;
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #header = new Uint8Array(new ArrayBuffer(HEADER_SIZE));
  readonly #data = new Uint8Array(LARGEST_RING);
  readonly #start = Date.now();
  /** Headers with their data, of the whole bus. */
  readonly #packets: Uint8Array<ArrayBuffer>[] = [];
  #dropped = 0;
  #stopped: Promise<void> | undefined;

  /** Made by {@linkcode TestHost.record}. */
  constructor(device: RecordedDevice) {
    const path = `/dev/usbmon${device.busNumber}`;
    this.#device = device;
    this.#fd = open(path, O_RDONLY | O_NONBLOCK, {
      action: "record the bus",
      hint: "usbmon records it: load it with `modprobe usbmon`, as root",
    });
    ioctl(this.#fd, MON_IOCT_RING_SIZE, LARGEST_RING, { path });
    this.#watch = watch(this.#fd, POLLIN, () => this.#drain());
  }

  /**
   * What the device and its host have transferred so far, in the order of the
   * host's kernel. A call of the host that has settled is in it. Requests to a
   * device that has no address yet are left out.
   */
  get events(): readonly BusEvent[] {
    this.#drain();
    return this.#own().map((packet) => {
      const { device: _, time, ...header } = decodeHeader(packet);
      const endpoint = this.#device.names.get(header.address);
      return {
        ...header,
        ...(endpoint === undefined ? {} : { endpoint }),
        time: time / 1000 - this.#start,
        data: packet.slice(HEADER_SIZE),
      };
    });
  }

  /** How many events of the bus were lost, because they came too fast. */
  get dropped(): number {
    this.#drain();
    return this.#dropped;
  }

  /**
   * The same as a pcapng file, which Wireshark opens.
   *
   * @example
   * ```ts ignore
   * await Deno.writeFile("bus.pcapng", record.toPcapng());
   * ```
   */
  toPcapng(): Uint8Array<ArrayBuffer> {
    this.#drain();
    return encodePcapng(
      this.#own().map((bytes) => {
        const { time, length, type, direction } = decodeHeader(bytes);
        const hasData = (type === "submit") === (direction === "out");
        const fullSize = Math.max(
          bytes.byteLength,
          hasData ? HEADER_SIZE + length : 0,
        );
        return { bytes, fullSize, time };
      }),
    );
  }

  /** Stops recording. What was recorded stays. A second call returns the same promise. */
  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  /** Stops recording; see {@linkcode stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    this.#take();
    await this.#watch.stop();
    close(this.#fd);
  }

  #drain(): void {
    if (this.#stopped === undefined) this.#take();
  }

  /** Takes all that the kernel has. */
  #take(): void {
    const [header, data] = [this.#header, this.#data];
    // struct mon_bin_get: the header, the data, and the size of its memory
    const request = BigUint64Array.of(
      addressOf(header),
      addressOf(data),
      BigInt(data.byteLength),
    );
    const argument = new Uint8Array(request.buffer);
    for (;;) {
      const { ioctl_pointer } = libc();
      const result = ioctl_pointer(this.#fd, BigInt(MON_IOCX_GETX), argument);
      if (result < 0) {
        if (ERRNO[0] === Errno.EINTR) continue;
        break; // EAGAIN: no more
      }
      const length = capturedLength(header);
      const packet = new Uint8Array(HEADER_SIZE + length);
      packet.set(header);
      packet.set(data.subarray(0, length), HEADER_SIZE);
      this.#packets.push(packet);
    }
    const stats = new Uint8Array(8); // u32 queued, u32 dropped since the last call
    ioctl(this.#fd, MON_IOCG_STATS, stats);
    this.#dropped += new DataView(stats.buffer).getUint32(4, true);
  }

  #own(): Uint8Array<ArrayBuffer>[] {
    const { addresses } = this.#device;
    return this.#packets.filter((bytes) => addresses.has(bytes[11]));
  }
}
