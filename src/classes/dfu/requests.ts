/**
 * Class requests of device firmware upgrade (DFU 1.1, 3).
 *
 * @module
 */
import {
  CALLBACK,
  checkOptions,
  NUMBER,
  type Rules,
} from "../../arguments/rules.ts";
import { unhandled } from "../../usb/control.ts";
import {
  acknowledge,
  classRoute,
  type ControlRoute,
} from "../../usb/control_routes.ts";

/** Values of `bRequest` of DFU class requests. */
export const DfuRequest = {
  DETACH: 0,
  DNLOAD: 1,
  UPLOAD: 2,
  GETSTATUS: 3,
  CLRSTATUS: 4,
  GETSTATE: 5,
  ABORT: 6,
} as const;

/** States of a DFU device, `bState` (DFU 1.1, 6.1.2). */
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

/** Results of the last request, `bStatus` (DFU 1.1, 6.1.2). */
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

/** The answer to GETSTATUS. */
export interface DfuStatus {
  /** The state that the device is about to enter. */
  readonly state: DfuState;
  /**
   * What became of the last request.
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

/** What a DFU function does with class requests. Those left out are stalled. */
export interface DfuRequestOptions {
  /**
   * The interface that they are for, counted within the function.
   *
   * @default {undefined} All.
   */
  readonly interface?: number;
  /** DETACH: the host wants the device in DFU mode; it may reset it within this time. */
  readonly detach?: (timeoutMs: number) => void | Promise<void>;
  /**
   * DNLOAD: takes a block of firmware. One without data ends the download. The
   * block is acknowledged when this is called: what becomes of it is told by
   * {@linkcode DfuRequestOptions.getStatus}, which is called meanwhile.
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
  /** GETSTATUS and GETSTATE: where the device stands. */
  readonly getStatus: () => DfuStatus | Promise<DfuStatus>;
  /** CLRSTATUS: leaves the error state. */
  readonly clearStatus?: () => void | Promise<void>;
  /** ABORT: back to the idle state. */
  readonly abort?: () => void | Promise<void>;
}

const OPTIONS: Rules<DfuRequestOptions> = {
  interface: NUMBER,
  detach: CALLBACK,
  download: CALLBACK,
  upload: CALLBACK,
  getStatus: CALLBACK,
  clearStatus: CALLBACK,
  abort: CALLBACK,
};

/**
 * Routes of the DFU class requests.
 *
 * @param options What to do with them.
 * @returns Routes for {@linkcode controlRoutes}.
 * @throws {TypeError} When an option is of another type.
 *
 * @example Usage
 * ```ts
 * import { controlRoutes, dfu, usbFunction } from "@usb/gadget";
 * import { dfuRequests, DfuState } from "@usb/gadget/dfu";
 *
 * const blocks: Uint8Array[] = [];
 * let state: DfuState = DfuState.IDLE;
 * const upgrade = usbFunction({
 *   name: "upgrade",
 *   interfaces: [{
 *     class: 0xfe,
 *     subclass: 1,
 *     protocol: 2,
 *     descriptors: [dfu({ transferSize: 4096 })],
 *   }],
 *   control: controlRoutes(dfuRequests({
 *     download: (block, data) => {
 *       if (block === 0) blocks.length = 0; // what another host has begun
 *       blocks.push(data);
 *       state = data.length > 0 ? DfuState.DNLOAD_IDLE : DfuState.IDLE;
 *     },
 *     getStatus: () => ({ state }),
 *     // How a host begins where another one has stopped.
 *     abort: () => {
 *       state = DfuState.IDLE;
 *     },
 *   })),
 * });
 * ```
 */
export function dfuRequests(options: DfuRequestOptions): ControlRoute[] {
  checkOptions("answer DFU requests", options, OPTIONS, ["getStatus"]);
  const { detach, download, upload, getStatus, clearStatus, abort } = options;
  const route = classRoute.bind(undefined, options.interface);
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
    route(
      "out",
      DfuRequest.CLRSTATUS,
      () => acknowledge(clearStatus),
    ),
    route("out", DfuRequest.ABORT, () => acknowledge(abort)),
  ];
}
