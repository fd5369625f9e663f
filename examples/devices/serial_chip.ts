// What the chips in USB serial cables have in common: a byte stream in each
// direction, the settings of a line, and lines for handshakes. cp2102.ts and
// ft232r.ts are two of them.
import {
  AbortedTransferError,
  bulkPair,
  type ControlAnswer,
  type EndpointPair,
  type Session,
  type SetupRequest,
  type UsbFunction,
} from "@usb/gadget";

const interfaces = [{
  class: 0xff,
  endpoints: { link: bulkPair() },
}] as const;

/** A function with the endpoints of a serial chip. */
type SerialFunction = UsbFunction<"serial", typeof interfaces>;

/** Names of parities, by the numbers that all of these chips have for them. */
export const PARITIES = ["none", "odd", "even", "mark", "space"] as const;
/** Stop bits, by their numbers. */
export const STOP_BITS = [1, 1.5, 2] as const;

/** What the host has set. */
export interface SerialSettings {
  /** Bits per second. */
  baudRate: number;
  dataBits: number;
  parity: typeof PARITIES[number];
  stopBits: typeof STOP_BITS[number];
  /** Whether the host holds the line down. */
  breaks: boolean;
  /** Data terminal ready. */
  dtr: boolean;
  /** Request to send. */
  rts: boolean;
}

/** The chip in a serial cable; what it is connected to is the program's. */
export abstract class SerialChip implements SerialFunction {
  readonly name = "serial";
  readonly interfaces = interfaces;
  // Packets of 64 bytes, as the chips have.
  readonly speeds = ["full"] as const;
  // Some requests are for the device.
  readonly allControlRecipients = true;
  readonly control = (setup: SetupRequest) => this.answer(setup);
  readonly serve = (session: Session<SerialFunction>) => this.#serve(session);
  readonly #connect: (chip: SerialChip) => Promise<void>;
  readonly #settings: SerialSettings = {
    baudRate: 9600,
    dataBits: 8,
    parity: "none",
    stopBits: 1,
    breaks: false,
    dtr: false,
    rts: false,
  };
  #link: EndpointPair | undefined;
  #unsent = 0;

  /** @param connect Serves one host: receives its bytes, and sends it others. */
  constructor(connect: (chip: SerialChip) => Promise<void>) {
    this.#connect = connect;
  }

  /** What the host has set. */
  get settings(): SerialSettings {
    return this.#settings;
  }

  /** Bytes from the host that {@linkcode received} has given out last. */
  get unsent(): number {
    return this.#unsent;
  }

  /** What the host sends. */
  async *received(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { out } = this.#link!;
    for (;;) {
      try {
        for await (const bytes of out.readable) {
          this.#unsent = bytes.length;
          yield bytes;
          this.#unsent = 0;
        }
      } catch (error) {
        this.#unsent = 0;
        if (!(error instanceof AbortedTransferError)) throw error;
      }
    }
  }

  /** Sends bytes to the host. Those that it purges are lost, as on a line. */
  async send(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const tx = this.#link!.in;
    try {
      const packets = this.pack(bytes, tx.maxPacketSize);
      await tx.write(packets, { zlp: "auto" });
    } catch (error) {
      if (!(error instanceof AbortedTransferError)) throw error;
    }
  }

  /** Drops what was sent to the host, or received from it. */
  protected async purge(sent: boolean, received: boolean): Promise<void> {
    const link = this.#link;
    if (received) this.#unsent = 0;
    await Promise.all([
      sent && link?.in.discard().then(() => link.in.flush()),
      received && link?.out.discard(),
    ]);
  }

  /** Answers a control request. */
  protected abstract answer(
    setup: SetupRequest,
  ): ControlAnswer | Promise<ControlAnswer>;

  /** Puts bytes for the host into packets. */
  protected pack(
    bytes: Uint8Array<ArrayBuffer>,
    _packetSize: number,
  ): Uint8Array<ArrayBuffer> {
    return bytes;
  }

  async #serve({ endpoints }: Session<SerialFunction>): Promise<void> {
    this.#link = endpoints.link;
    try {
      await this.#connect(this);
    } finally {
      this.#link = undefined;
      this.#unsent = 0;
    }
  }
}

/** Sends everything back. The handshake lines are those of a loopback plug. */
export async function loopBack(chip: SerialChip): Promise<void> {
  for await (const bytes of chip.received()) await chip.send(bytes);
}
