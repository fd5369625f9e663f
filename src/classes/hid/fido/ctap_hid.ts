/**
 * A security key as a HID function: the transport of CTAP, without its
 * cryptography.
 *
 * @module
 */
import {
  CALLBACK,
  checkOptions,
  isWithin,
  type Rules,
} from "../../../arguments/rules.ts";
import { SessionEndedError } from "../../../functionfs/session.ts";
import type { CtapHandlers } from "./handlers.ts";
import type { CtapRequest } from "./request.ts";
import { HidFunction } from "../function.ts";
import { DEVICE_OPTIONS, type HidDeviceOptions } from "../options.ts";
import { CtapTransport } from "./transport.ts";

/**
 * Options of {@linkcode CtapHid}.
 *
 * @category Devices
 */
export interface CtapHidOptions<N extends string = string>
  extends Omit<HidDeviceOptions<N>, "settleMs"> {
  /**
   * Answers a CTAP2 request (CTAPHID_CBOR). Requests come one after another, from
   * whichever program of the host.
   *
   * If it throws, the host gets an error, and the exception is reported. When the
   * host cancels the request, `request.signal` aborts; if this then throws the
   * signal's reason, or another `"AbortError"`, the host gets
   * CTAP2_ERR_KEEPALIVE_CANCEL.
   *
   * @param cbor The command byte, and its parameters in CBOR: 1 to 7609 bytes.
   * @returns The status byte, and the response in CBOR: 1 to 7609 bytes.
   */
  readonly onMessage: (
    cbor: Uint8Array<ArrayBuffer>,
    request: CtapRequest,
  ) => Uint8Array | Promise<Uint8Array>;
  /**
   * Answers a U2F request (CTAPHID_MSG). Without it, the host learns that the key
   * has no U2F.
   *
   * @param apdu The request: 1 to 7609 bytes.
   * @returns The response and its status word: 2 to 7609 bytes.
   */
  readonly onU2f?: (
    apdu: Uint8Array<ArrayBuffer>,
    request: CtapRequest,
  ) => Uint8Array | Promise<Uint8Array>;
  /**
   * Shows the user which key it is, by a light or a sound. Without it, the host
   * learns that the key cannot.
   */
  readonly onWink?: () => void | Promise<void>;
  /**
   * The version of the device: major, minor and build, each from 0 to 255.
   * @default {[1, 0, 0]}
   */
  readonly deviceVersion?: readonly [
    major: number,
    minor: number,
    build: number,
  ];
}

const { settleMs: _, ...WITHOUT_SETTLING } = DEVICE_OPTIONS;

const OPTIONS: Rules<CtapHidOptions> = {
  ...WITHOUT_SETTLING,
  onMessage: CALLBACK,
  onU2f: CALLBACK,
  onWink: CALLBACK,
  deviceVersion: {
    expected: "an array of 3 integers from 0 to 255",
    accepts: (value) =>
      Array.isArray(value) && value.length === 3 &&
      value.every((each) => isWithin(each, 0, 255)),
  },
};

/** The report descriptor of CTAP 2.1, 11.2.8.2: 64 bytes in, 64 bytes out. */
// deno-fmt-ignore
const REPORT_DESCRIPTOR = Uint8Array.of(
  0x06, 0xd0, 0xf1, // usage page (FIDO alliance)
  0x09, 0x01, // usage (CTAPHID)
  0xa1, 0x01, // collection (application)
  0x09, 0x20, //   usage (data in)
  0x15, 0x00, //   logical minimum (0)
  0x26, 0xff, 0x00, //   logical maximum (255)
  0x75, 0x08, //   report size (8)
  0x95, 0x40, //   report count (64)
  0x81, 0x02, //   input (data, variable, absolute)
  0x09, 0x21, //   usage (data out)
  0x15, 0x00, //   logical minimum (0)
  0x26, 0xff, 0x00, //   logical maximum (255)
  0x75, 0x08, //   report size (8)
  0x95, 0x40, //   report count (64)
  0x91, 0x02, //   output (data, variable, absolute)
  0xc0, // end collection
);

/** As in the example of CTAP 2.1, 11.2.8.1. */
const INTERVAL_MS = 5;

/**
 * A FIDO security key, as far as USB is concerned: the transport CTAPHID of the
 * Client to Authenticator Protocol 2.1, 11.2. It divides messages of up to 7609
 * bytes into packets, gives each program of the host a channel, and keeps the host
 * waiting while a request takes its time. What the messages mean, their CBOR and
 * all cryptography are up to the program.
 *
 * Of the commands, LOCK is not implemented; it is optional. A key has up to 1024
 * channels: when more are asked for, the one that was not used for the longest
 * time is given to the new program. A reset of the bus or a new host ends all
 * channels. The inherited `send` and `update` are for the transport alone.
 *
 * @example A key that knows no command
 * ```ts
 * import { CtapHid } from "@usb/gadget/hid";
 * import { assertEquals } from "@std/assert";
 *
 * const CTAP1_ERR_INVALID_COMMAND = 0x01;
 * const key = new CtapHid({
 *   onMessage: (cbor, { channel }) => {
 *     console.log(`Channel ${channel} asks for command ${cbor[0]}`);
 *     return Uint8Array.of(CTAP1_ERR_INVALID_COMMAND);
 *   },
 * });
 * // await using gadget = await Gadget.start({ ...ids, functions: [key] });
 * assertEquals(key.name, "fido");
 * ```
 *
 * @category Devices
 */
export class CtapHid<N extends string = "fido"> extends HidFunction<N> {
  /**
   * Makes the function.
   *
   * @throws {TypeError} For an unknown option, one of the wrong type, or without
   * `onMessage`.
   */
  constructor(options: CtapHidOptions<N>) {
    checkOptions("make security key", options, OPTIONS, ["onMessage"]);
    const { deviceVersion = [1, 0, 0], onMessage, onU2f, onWink, ...others } =
      options;
    const handlers: CtapHandlers = { onMessage, onU2f, onWink };
    let session = new AbortController();
    const transport = new CtapTransport({
      ...handlers,
      deviceVersion,
      send: (packet) => send(packet, session.signal),
      onError: (error) => this.report(error),
    });
    super({
      intervalMs: INTERVAL_MS,
      ...others,
      name: options.name ?? ("fido" as N),
      reportDescriptor: REPORT_DESCRIPTOR,
      outputEndpoint: true,
      onOutput: ({ bytes }) => transport.receive(bytes),
      onSessionEnd: () => {
        transport.reset();
        // A packet must not wait for the next host.
        session.abort();
        session = new AbortController();
      },
    });
    const send = async (
      packet: Uint8Array<ArrayBuffer>,
      signal: AbortSignal,
    ): Promise<void> => {
      try {
        await this.send(packet, { signal });
      } catch (error) {
        const ended = signal.aborted || error instanceof SessionEndedError;
        if (!ended) throw error;
      }
    };
  }
}
