/**
 * Programs of PC/SC: libpcsclite, which speaks to pcscd.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";

type Bytes = Uint8Array<ArrayBuffer>;

/** Calls may wait for the device, which this process can be: never on this thread. */
const call = <P extends readonly Deno.NativeType[]>(...parameters: P) =>
  ({ parameters, result: "u32", nonblocking: true }) as const;

const open = () =>
  Deno.dlopen("libpcsclite.so.1", {
    SCardEstablishContext: call("u64", "pointer", "pointer", "buffer"),
    SCardReleaseContext: call("i64"),
    SCardListReaders: call("i64", "pointer", "buffer", "buffer"),
    SCardGetStatusChange: call("i64", "u64", "buffer", "u64"),
    SCardConnect: call("i64", "buffer", "u64", "u64", "buffer", "buffer"),
    SCardDisconnect: call("i64", "u64"),
    SCardTransmit: call(
      ...["i64", "buffer", "buffer", "u64"] as const,
      ...["pointer", "buffer", "buffer"] as const,
    ),
    SCardControl: call(
      ...["i64", "u64", "buffer", "u64"] as const,
      ...["buffer", "u64", "buffer"] as const,
    ),
  });

type Library = ReturnType<typeof open>;

const SCOPE_SYSTEM = 2n;
const NO_SERVICE = 0x8010_001d;
const NO_READERS = 0x8010_002e;
const SHARED = 2n;
const DIRECT = 3n;
const ANY_PROTOCOL = 3n;
const ESCAPE = 0x4200_0001n;
const FOREVER = 0xffff_ffffn;
/** Bits of a state. */
const CHANGED = 2n;
const STATES = { empty: 0x10n, present: 0x20n };
/** SCARD_READERSTATE: name, user data, current state, event state, and an answer to reset. */
const STATE_SIZE = 80;
/** More than an extended APDU. */
const ROOM = 70_000;

/** What happens to a card when its user leaves. */
export const Disposition = { LEAVE: 0n, RESET: 1n, UNPOWER: 2n } as const;

/** A call of PC/SC has failed. */
export class PcscError extends Error {
  readonly code: number;

  constructor(call: string, code: number) {
    super(`${call} has failed: 0x${code.toString(16)}`);
    this.code = code;
  }
}

/** A program that uses pcscd. */
export class Pcsc {
  readonly #library: Library;
  readonly #context: bigint;

  /** Waits until pcscd runs. */
  static async open(): Promise<Pcsc> {
    const library = open();
    const context = new BigInt64Array(1);
    for (;;) {
      const code = await library.symbols.SCardEstablishContext(
        SCOPE_SYSTEM,
        null,
        null,
        bytesOf(context),
      );
      if (code === 0) return new Pcsc(library, context[0]);
      if (code !== NO_SERVICE) throw new PcscError("EstablishContext", code);
      await delay(20);
    }
  }

  private constructor(library: Library, context: bigint) {
    this.#library = library;
    this.#context = context;
  }

  /** The names of readers. */
  async readers(): Promise<string[]> {
    const names = new Uint8Array(4096);
    const length = BigUint64Array.of(4096n);
    const code = await this.#library.symbols.SCardListReaders(
      this.#context,
      null,
      names,
      bytesOf(length),
    );
    if (code === NO_READERS) return [];
    check("ListReaders", code);
    const text = new TextDecoder().decode(names.subarray(0, Number(length[0])));
    return text.split("\0").filter((it) => it !== "");
  }

  /** Waits until a reader has a card, or none; returns the answer to reset. */
  async until(reader: string, wanted: keyof typeof STATES): Promise<Bytes> {
    const name = textOf(reader);
    const bytes = new Uint8Array(STATE_SIZE);
    const state = new DataView(bytes.buffer);
    const pointer = Deno.UnsafePointer.value(Deno.UnsafePointer.of(name));
    state.setBigUint64(0, pointer, true);
    for (;;) {
      const code = await this.#library.symbols.SCardGetStatusChange(
        this.#context,
        FOREVER,
        bytes,
        1n,
      );
      keep(name, bytes);
      check("GetStatusChange", code);
      const event = state.getBigUint64(24, true);
      if ((event & STATES[wanted]) !== 0n) {
        const length = Number(state.getBigUint64(32, true));
        return bytes.slice(40, 40 + length);
      }
      state.setBigUint64(16, event & ~CHANGED, true);
    }
  }

  /** Uses a card, or the reader itself. */
  async connect(reader: string, direct = false): Promise<PcscCard> {
    const name = textOf(reader);
    const card = new BigInt64Array(1);
    const protocol = new BigUint64Array(1);
    const code = await this.#library.symbols.SCardConnect(
      this.#context,
      name,
      direct ? DIRECT : SHARED,
      direct ? 0n : ANY_PROTOCOL,
      bytesOf(card),
      bytesOf(protocol),
    );
    keep(name);
    check("Connect", code);
    return new PcscCard(this.#library, card[0], protocol[0]);
  }

  async close(): Promise<void> {
    // It fails if pcscd is gone.
    await this.#library.symbols.SCardReleaseContext(this.#context);
    this.#library.close();
  }
}

/** A card in use. */
export class PcscCard {
  /** 1 for T=0, 2 for T=1. */
  readonly protocol: bigint;
  readonly #library: Library;
  readonly #card: bigint;

  constructor(library: Library, card: bigint, protocol: bigint) {
    this.#library = library;
    this.#card = card;
    this.protocol = protocol;
  }

  /** Sends a command; returns the answer. */
  async transmit(apdu: Bytes): Promise<Bytes> {
    const answer = new Uint8Array(ROOM);
    const length = BigUint64Array.of(BigInt(ROOM));
    const header = bytesOf(BigUint64Array.of(this.protocol, 16n));
    const code = await this.#library.symbols.SCardTransmit(
      this.#card,
      header,
      apdu,
      BigInt(apdu.byteLength),
      null,
      answer,
      bytesOf(length),
    );
    keep(header, apdu);
    check("Transmit", code);
    return answer.subarray(0, Number(length[0]));
  }

  /** Sends PC_to_RDR_Escape. */
  async escape(data: Bytes): Promise<Bytes> {
    const answer = new Uint8Array(ROOM);
    const length = new BigUint64Array(1);
    const code = await this.#library.symbols.SCardControl(
      this.#card,
      ESCAPE,
      data,
      BigInt(data.byteLength),
      answer,
      BigInt(ROOM),
      bytesOf(length),
    );
    keep(data);
    check("Control", code);
    return answer.subarray(0, Number(length[0]));
  }

  async disconnect(disposition: bigint = Disposition.LEAVE): Promise<void> {
    const { SCardDisconnect } = this.#library.symbols;
    check("Disconnect", await SCardDisconnect(this.#card, disposition));
  }
}

function check(call: string, code: number): void {
  if (code !== 0) throw new PcscError(call, code);
}

/** Its memory must not be freed during a call that has just ended. */
function keep(..._memory: Bytes[]): void {}

function bytesOf(array: BigInt64Array | BigUint64Array): Bytes {
  return new Uint8Array(array.buffer as ArrayBuffer);
}

function textOf(text: string): Bytes {
  return new TextEncoder().encode(`${text}\0`);
}
