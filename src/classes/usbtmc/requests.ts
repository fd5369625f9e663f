/**
 * Class requests of test and measurement devices (USBTMC 1.0, 4.2; USB488 1.0,
 * 4.3).
 *
 * @module
 */
import type { ControlRoute } from "../../usb/control_routes.ts";
import type { SetupRequest } from "../../usb/control.ts";
import type { Transport } from "./transport/transport.ts";
import { Status, type StatusCode } from "./transport/split.ts";

const INITIATE_ABORT_BULK_OUT = 1;
const CHECK_ABORT_BULK_OUT_STATUS = 2;
const INITIATE_ABORT_BULK_IN = 3;
const CHECK_ABORT_BULK_IN_STATUS = 4;
const INITIATE_CLEAR = 5;
const CHECK_CLEAR_STATUS = 6;
const GET_CAPABILITIES = 7;
const INDICATOR_PULSE = 64;
const READ_STATUS_BYTE = 128;
const REN_CONTROL = 160;
const GO_TO_LOCAL = 161;
const LOCAL_LOCKOUT = 162;

/** What the requests are about. */
export interface RequestTarget {
  readonly transport: Pick<
    Transport,
    "abortIn" | "abortOut" | "clear" | "check"
  >;
  /** Called when a clear begins. */
  clear(): void;
  /** Whether the device can be triggered. */
  readonly hasTrigger: boolean;
  /** Whether it understands the commands that IEEE 488.2 and SCPI demand. */
  readonly isScpi: boolean;
  readonly pulse: (() => unknown) | undefined;
  /** Sends the status byte on the interrupt endpoint. */
  sendStatus(tag: number): void;
  enableRemote(isEnabled: boolean): void;
  goToLocal(): void;
  lockOut(): void;
}

/** Routes of the requests, all of which return a status. */
export function usbtmcRequests(target: RequestTarget): ControlRoute[] {
  const { transport, pulse } = target;
  const route = (
    recipient: "interface" | "endpoint",
    request: number,
    handler: (setup: SetupRequest) => Uint8Array | Promise<Uint8Array>,
  ): ControlRoute => ({
    type: "class",
    recipient,
    direction: "in",
    request,
    handler,
  });
  const done = (request: number, action: (setup: SetupRequest) => unknown) =>
    route("interface", request, async (setup) => {
      await action(setup);
      return Uint8Array.of(Status.SUCCESS);
    });
  const abort = (
    request: number,
    begin: (tag: number) => StatusCode | Promise<StatusCode>,
  ) =>
    route("endpoint", request, async ({ value }) => {
      const tag = value & 0xff;
      return Uint8Array.of(await begin(tag), tag);
    });
  /** Status, 3 bytes, and the number of bytes that were transferred. */
  const checkAbort = (request: number, split: "abort in" | "abort out") =>
    route("endpoint", request, async () => {
      const { status, bytes } = await transport.check(split);
      const view = new DataView(new ArrayBuffer(8));
      view.setUint8(0, status);
      view.setUint32(4, bytes, true);
      return new Uint8Array(view.buffer);
    });
  return [
    abort(INITIATE_ABORT_BULK_OUT, (tag) => transport.abortOut(tag)),
    checkAbort(CHECK_ABORT_BULK_OUT_STATUS, "abort out"),
    abort(INITIATE_ABORT_BULK_IN, (tag) => transport.abortIn(tag)),
    checkAbort(CHECK_ABORT_BULK_IN_STATUS, "abort in"),
    route("interface", INITIATE_CLEAR, async () => {
      target.clear();
      return Uint8Array.of(await transport.clear());
    }),
    route(
      "interface",
      CHECK_CLEAR_STATUS,
      async () => Uint8Array.of((await transport.check("clear")).status, 0),
    ),
    route("interface", GET_CAPABILITIES, () => capabilities(target)),
    ...(pulse === undefined ? [] : [done(INDICATOR_PULSE, pulse)]),
    route("interface", READ_STATUS_BYTE, ({ value: tag }) => {
      if (tag < 2 || tag > 127) return Uint8Array.of(Status.FAILED, 0, 0);
      target.sendStatus(tag);
      // The third byte has the status only if there is no interrupt endpoint.
      return Uint8Array.of(Status.SUCCESS, tag, 0);
    }),
    done(REN_CONTROL, ({ value }) => target.enableRemote(value !== 0)),
    done(GO_TO_LOCAL, () => target.goToLocal()),
    done(LOCAL_LOCKOUT, () => target.lockOut()),
  ];
}

/** The answer to GET_CAPABILITIES: 12 bytes of USBTMC, and 12 of USB488. */
function capabilities(
  { pulse, hasTrigger, isScpi }: RequestTarget,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(24);
  bytes[0] = Status.SUCCESS;
  // BCD 1.00
  bytes[3] = bytes[13] = 0x01;
  bytes[4] = pulse === undefined ? 0 : 0x04;
  // TermChar
  bytes[5] = 0x01;
  // IEEE 488.2, remote control, triggers
  bytes[14] = (isScpi ? 0x04 : 0) | 0x02 | (hasTrigger ? 0x01 : 0);
  // SCPI, SR1, RL1, DT1
  bytes[15] = (isScpi ? 0x08 : 0) | 0x04 | 0x02 | (hasTrigger ? 0x01 : 0);
  return bytes;
}
