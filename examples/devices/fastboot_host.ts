// The host of a device in fastboot mode: packets of text, and data. Nothing on the
// bus says that its program was killed, so all but the wait for a command has a
// time limit.
import type { EndpointPair } from "@usb/gadget";

type Bytes = Uint8Array<ArrayBuffer>;

/** Old hosts take 64 bytes as one answer, newer ones 256. */
const ANSWER_SIZE = 64;

/** One host. What reaches its time limit fails with `AbortedTransferError`. */
export class FastbootHost {
  readonly #link: EndpointPair;
  readonly #patience: number;
  #image: Bytes | undefined;
  #early: Bytes | undefined;

  /** @param patience The time limit in milliseconds. */
  constructor(link: EndpointPair, patience: number) {
    this.#link = link;
    this.#patience = patience;
  }

  /** What was downloaded last. */
  get image(): Bytes | undefined {
    return this.#image;
  }

  /** Receives a command: one packet. */
  async command(): Promise<string> {
    for (;;) {
      const { out } = this.#link;
      const packet = this.#early ?? await out.read(out.maxPacketSize);
      this.#early = undefined;
      // An empty one may be the end of the data.
      if (packet.length > 0) return new TextDecoder().decode(packet);
    }
  }

  /** Sends an answer. */
  async say(kind: "OKAY" | "FAIL" | "INFO" | "DATA", text: string) {
    const bytes = new TextEncoder().encode(kind + text);
    await this.#link.write(bytes.subarray(0, ANSWER_SIZE), this.#limit());
  }

  /** Asks for so many bytes, and receives them. */
  async download(size: number): Promise<void> {
    this.#image = undefined;
    const image = new Uint8Array(size);
    await this.say("DATA", size.toString(16).padStart(8, "0"));
    const { out } = this.#link;
    let piece = image.subarray(0, 0);
    try {
      for (let at = 0; at < size; at += piece.length) {
        piece = await out.read(Math.min(size - at, 65_536), this.#limit());
        image.set(piece, at);
      }
    } catch (error) {
      // A short packet, and nothing after it: that is what the next host says.
      const short = piece.length % out.maxPacketSize;
      if (short > 0) this.#early = piece.slice(-short);
      throw error;
    }
    this.#image = image;
  }

  #limit(): { signal: AbortSignal } {
    return { signal: AbortSignal.timeout(this.#patience) };
  }
}
