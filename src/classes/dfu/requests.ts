/**
 * Class requests of device firmware upgrade (DFU 1.1, 3).
 *
 * @module
 */
import { unhandled } from "../../usb/control.ts";
import type { ControlRoute } from "../../usb/control_routes.ts";
import { acknowledge, classRoutes } from "../class_routes.ts";

/**
 * Values of `bRequest` of DFU class requests.
 *
 * @category Requests
 */
export const DfuRequest = {
  DETACH: 0,
  DNLOAD: 1,
  UPLOAD: 2,
  GETSTATUS: 3,
  CLRSTATUS: 4,
  GETSTATE: 5,
  ABORT: 6,
} as const;

/**
 * States of a DFU device, `bState` (DFU 1.1, 6.1.2).
 *
 * @category Requests
 */
export const DfuState = {
  APP_IDLE: 0,
  APP_DETACH: 1,
  IDLE: 2,
  DNLOAD_SYNC: 3,
  DNBUSY: 4,
  DNLOAD_IDLE: 5,
  MANIFEST_SYNC: 6,
  MANIFEST: 7,
  MANIFEST_WAIT_RESET: 8,
  UPLOAD_IDLE: 9,
  ERROR: 10,
} as const;

/** One of the values of {@linkcode DfuState}. */
export type DfuState = (typeof DfuState)[keyof typeof DfuState];

/**
 * Results of the last request, `bStatus` (DFU 1.1, 6.1.2).
 *
 * @category Requests
 */
export const DfuStatusCode = {
  OK: 0x00,
  ERR_TARGET: 0x01,
  ERR_FILE: 0x02,
  ERR_WRITE: 0x03,
  ERR_ERASE: 0x04,
  ERR_CHECK_ERASED: 0x05,
  ERR_PROG: 0x06,
  ERR_VERIFY: 0x07,
  ERR_ADDRESS: 0x08,
  ERR_NOTDONE: 0x09,
  ERR_FIRMWARE: 0x0a,
  ERR_VENDOR: 0x0b,
  ERR_USBR: 0x0c,
  ERR_POR: 0x0d,
  ERR_UNKNOWN: 0x0e,
  ERR_STALLEDPKT: 0x0f,
} as const;

/** One of the values of {@linkcode DfuStatusCode}. */
export type DfuStatusCode = (typeof DfuStatusCode)[keyof typeof DfuStatusCode];

/**
 * The answer to GETSTATUS.
 *
 * @category Requests
 */
export interface DfuStatus {
  /** The state that the device is about to enter. */
  readonly state: DfuState;
  /**
   * The result of the last request.
   *
   * @default {DfuStatusCode.OK}
   */
  readonly status?: DfuStatusCode;
  /**
   * How long the host shall wait before it asks again, in milliseconds, up to
   * 24 bits.
   *
   * @default {0}
   */
  readonly pollTimeoutMs?: number;
}

/**
 * Options of {@linkcode dfuRequests}. A request without a callback is stalled.
 *
 * @category Requests
 */
export interface DfuRequestOptions {
  /** The interface, counted within the function. Without it, all interfaces. */
  readonly interface?: number;
  /** DETACH: the host wants the device in DFU mode, and may reset it within this time. */
  readonly detach?: (timeoutMs: number) => void | Promise<void>;
  /**
   * DNLOAD: takes a block of firmware. A block without data ends the download.
   * A block is already acknowledged when this is called. Its result is reported
   * by {@linkcode DfuRequestOptions.getStatus}, which is called meanwhile.
   */
  readonly download?: (
    block: number,
    data: Uint8Array<ArrayBuffer>,
  ) => void | Promise<void>;
  /** UPLOAD: returns a block of firmware; fewer bytes than `length` end it. */
  readonly upload?: (
    block: number,
    length: number,
  ) => Uint8Array | Promise<Uint8Array>;
  /** GETSTATUS and GETSTATE: returns the state of the device. */
  readonly getStatus: () => DfuStatus | Promise<DfuStatus>;
  /** CLRSTATUS: leaves the error state. */
  readonly clearStatus?: () => void | Promise<void>;
  /** ABORT: returns to the idle state. */
  readonly abort?: () => void | Promise<void>;
}

/**
 * Routes of the DFU class requests, for {@linkcode controlRoutes}.
 *
 * @category Requests
 */
export function dfuRequests(options: DfuRequestOptions): ControlRoute[] {
  const route = classRoutes("DFU requests", options, {
    detach: "function",
    download: "function",
    upload: "function",
    getStatus: "function",
    clearStatus: "function",
    abort: "function",
  }, ["getStatus"]);
  const { detach, download, upload, getStatus, clearStatus, abort } = options;
  return [
    route(
      "out",
      DfuRequest.DETACH,
      ({ value }) => acknowledge(detach && (() => detach(value))),
    ),
    route("out", DfuRequest.DNLOAD, async (setup) => {
      if (download === undefined) return unhandled;
      const data = await setup.receive();
      return acknowledge(() => download(setup.value, data));
    }),
    route(
      "in",
      DfuRequest.UPLOAD,
      ({ value, length }) => upload ? upload(value, length) : unhandled,
    ),
    route("in", DfuRequest.GETSTATUS, async () => {
      const { state, status = 0, pollTimeoutMs: time = 0 } = await getStatus();
      // u8 bStatus, u24 bwPollTimeout, u8 bState, u8 iString
      return Uint8Array.of(status, time, time >> 8, time >> 16, state, 0);
    }),
    route(
      "in",
      DfuRequest.GETSTATE,
      async () => Uint8Array.of((await getStatus()).state),
    ),
    route("out", DfuRequest.CLRSTATUS, () => acknowledge(clearStatus)),
    route("out", DfuRequest.ABORT, () => acknowledge(abort)),
  ];
}
