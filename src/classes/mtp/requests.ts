/**
 * Class requests of still image devices: PTP and MTP (Still Image Capture
 * Device Definition 1.0, 5.2).
 *
 * @module
 */
import { unhandled } from "../../usb/control.ts";
import type { ControlRoute } from "../../usb/control_routes.ts";
import { classRoutes } from "../class_routes.ts";

/**
 * Values of `bRequest` of still image class requests.
 *
 * @category Requests
 */
export const StillImageRequest = {
  CANCEL: 0x64,
  GET_EXTENDED_EVENT_DATA: 0x65,
  DEVICE_RESET: 0x66,
  GET_DEVICE_STATUS: 0x67,
} as const;

/**
 * The answer to GET_DEVICE_STATUS.
 *
 * @category Requests
 */
export interface StillImageStatus {
  /** A PTP response code: 0x2001 is OK, 0x2019 busy. */
  readonly code: number;
  /** Parameters of the code: the addresses of halted endpoints. @default {[]} */
  readonly parameters?: readonly number[];
}

/**
 * Options of {@linkcode stillImageRequests}.
 *
 * @category Requests
 */
export interface StillImageRequestOptions {
  /** The interface, counted within the function. Without it, all interfaces. */
  readonly interface?: number;
  /**
   * CANCEL: ends a transaction. The host then polls the status, which is busy
   * (0x2019) until the returned promise settles.
   */
  readonly cancel: (transactionId: number) => void | Promise<void>;
  /**
   * DEVICE_RESET: closes the PTP session, and ends all transactions. The device
   * is busy until the returned promise settles, and afterwards only if a
   * {@linkcode cancel} is pending that began later.
   */
  readonly reset: () => void | Promise<void>;
  /**
   * GET_DEVICE_STATUS, while the device is not busy. Without this callback, the status is OK (0x2001).
   */
  readonly getStatus?: () => StillImageStatus | Promise<StillImageStatus>;
  /**
   * GET_EXTENDED_EVENT_DATA: returns details of the last event, encoded as in
   * PTP. Without this callback, the request is stalled.
   */
  readonly getExtendedEvent?: () => Uint8Array | Promise<Uint8Array>;
}

/** The code in the data of CANCEL. */
const CANCELLATION_CODE = 0x4001;
const OK = 0x2001;
const DEVICE_BUSY = 0x2019;

/**
 * Routes of the still image class requests, for {@linkcode controlRoutes}.
 *
 * @category Requests
 */
export function stillImageRequests(
  options: StillImageRequestOptions,
): ControlRoute[] {
  const route = classRoutes("still image requests", options, {
    cancel: "function",
    reset: "function",
    getStatus: "function",
    getExtendedEvent: "function",
  }, ["cancel", "reset"]);
  const { cancel, reset, getExtendedEvent } = options;
  const { getStatus = () => ({ code: OK }) } = options;
  /** Cancellations and resets that are pending. */
  const pending = new Set<object>();
  const track = async (action: () => void | Promise<void>) => {
    const work = {};
    pending.add(work);
    try {
      await action();
    } finally {
      pending.delete(work);
    }
  };
  return [
    route("out", StillImageRequest.CANCEL, async (setup) => {
      if (setup.length !== 6) return unhandled;
      // u16 code, u32 transaction
      const data = await setup.receive();
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
      const isCancellation = data.length === setup.length &&
        view.getUint16(0, true) === CANCELLATION_CODE;
      if (!isCancellation) return undefined;
      await track(() => cancel(view.getUint32(2, true)));
      return undefined;
    }),
    route(
      "in",
      StillImageRequest.GET_EXTENDED_EVENT_DATA,
      () => getExtendedEvent ? getExtendedEvent() : unhandled,
    ),
    route("out", StillImageRequest.DEVICE_RESET, async () => {
      const earlier = [...pending];
      await track(reset);
      for (const work of earlier) pending.delete(work);
    }),
    route("in", StillImageRequest.GET_DEVICE_STATUS, async () => {
      const isBusy = pending.size > 0;
      return encodeStatus(isBusy ? { code: DEVICE_BUSY } : await getStatus());
    }),
  ];
}

/** u16 length, u16 code, u32 parameters */
function encodeStatus({ code, parameters = [] }: StillImageStatus): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 + 4 * parameters.length));
  view.setUint16(0, view.byteLength, true);
  view.setUint16(2, code, true);
  parameters.forEach((it, index) => view.setUint32(4 + 4 * index, it, true));
  return new Uint8Array(view.buffer);
}
